"""`ipvi policy explain`: why somebody is on his list, in words; nothing of any victim, nothing of what was expunged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from schemas.criteria import Fact
from schemas.incident import Disposition
from schemas.nibrs import OFFENSES
from schemas.policy import Policy
from schemas.rejects import InvalidRecord
from services.classifier.domain import Facts, Offender
from services.classifier.domain.examination import told
from services.classifier.domain.explanation import Charged, Explained, Explanation, explain
from services.classifier.domain.finding import any_of
from services.classifier.domain.levers import Lever
from services.classifier.policies import usable
from services.classifier.rules import rulebook
from services.classifier.store import ClassifierStore, policy_in_force
from services.classifier.terms import OnePolicy
from services.cli.database import opened
from services.cli.replay import Replay
from services.common.errors import ConfigurationError, IpviError
from services.common.settings import CommonSettings, settings_or_error
from services.intake.cloudevents import read_events
from services.intake.lines import Source

MOST_MERGES = 100


class NotKnownError(IpviError):
    """Nothing is known of this offender."""


def explain_command(
    offender: Annotated[str, typer.Argument(help="Whose tier.", show_default=False)],
    files: Annotated[
        list[Path] | None,
        typer.Option("--input", help="CloudEvents lines to take his history from; else the classifier's database."),
    ] = None,
    policy: Annotated[str | None, typer.Option("--policy", help="Id in policies/, or a policy file.")] = None,
) -> None:
    """Explain the tier of OFFENDER: his incidents in the order they occurred, what of each counted and what did not and why,
    the rows that fired with their source, those that one value kept from firing, and the policy with version and digest.

    The history is that of the files given with --input, read one after the other, or of the classifier's database
    (DATABASE_URL); there, unless --policy names another, it is read under the policy in force in his lane. Of a person
    merged into another, the other is explained.

    Exit codes: 0 done, 2 he is not known, or a file, the policy or the database cannot be used.

    Examples:

        ipvi policy explain zz-offender-31 --input deploy/sample/county.jsonl

        ipvi policy explain zz-offender-31 --policy high-point-seed
    """
    settings = settings_or_error(CommonSettings)
    asked = usable(policy) if policy else None
    if files:
        chosen = asked or usable(settings.policy)
        him = read(offender, files, chosen)
    else:
        him, chosen = asyncio.run(load(offender, settings, asked))
    for line in lines(explain(him, chosen, rulebook(chosen)), chosen):
        typer.echo(line)


def read(offender_id: str, files: list[Path], policy: Policy) -> Offender:
    """As the events of the files make him. Lines that `ipvi replay` would refuse are passed over."""
    run = Replay(policy)
    for source in [Source(path) for path in files]:
        for unit in read_events(source):
            for event in unit.events:
                try:
                    run.decide(event)
                except InvalidRecord:
                    continue
    return _known(run.offender(offender_id))


async def load(offender_id: str, settings: CommonSettings, asked: Policy | None) -> tuple[Offender, Policy]:
    """As the classifier's database has him; unless one is asked for, under the policy in force in his lane.

    Raises `NotKnownError`, `ConfigurationError`.
    """
    async with opened(settings, "classifier") as database:
        try:
            async with database.read() as conn:
                for _ in range(MOST_MERGES):
                    policy = asked or await policy_in_force(conn, offender_id) or usable(settings.policy)
                    store = ClassifierStore(OnePolicy(policy))
                    him = (await store.load(conn, [offender_id])).get(offender_id) or store.new(offender_id)
                    if him.alias is None:
                        break
                    offender_id = him.alias.to
        except (SQLAlchemyError, OSError) as failed:
            raise ConfigurationError(f"the classifier's database cannot be read: {type(failed).__name__}") from None
    return _known(him), policy


def _known(him: Offender) -> Offender:
    if not him.history.strands:
        raise NotKnownError(
            f"{him.offender_id}: nothing is known of him; look at the id, and at the files or the database"
        )
    return him


# in words ------------------------------------------------------------------------------------------------------------


def lines(found: Explanation, policy: Policy) -> Iterator[str]:
    """The explanation as text. Dates are those of the agency's own time zone."""
    yield f"{found.offender_id}: {f'list {found.tier}' if found.tier else 'no list'}"
    yield f"policy {found.policy.id}, version {found.policy.version}, digest {found.policy.digest}"
    if (last := found.decisive) is not None:
        yield f"his list since {_incident(_entered(found), policy)}; its rows fired last at {_incident(last, policy)}"
        for row in last.step.fired:
            if row.tier is found.tier:
                yield f"  {row.id}: {row.source}"
        if not last.step.fired:
            yield "  gap: no row covers the charge; the policy names this list for it"
    for number, one in enumerate(found.steps, start=1):
        yield ""
        yield from _step(number, one, policy)
    if found.taken_back:
        yield ""
        yield f"taken back by their agency, not counted: {', '.join(_named(each) for each in found.taken_back)}"
    if found.levers:
        yield ""
        yield "levers: charges for something else; they count for nothing here"
        for lever in found.levers:
            yield f"  {_lever(lever, policy)}"


def _entered(found: Explanation) -> Explained:
    return next(one for one in found.steps if one.step.tier is found.tier)


def _step(number: int, one: Explained, policy: Policy) -> Iterator[str]:
    yield f"{number}. {_incident(one, policy)}"
    for charged in one.charged:
        yield f"   {_charged(charged)}"
    if one.uncounted is not None:
        yield f"   not counted: {one.uncounted}"
    if one.step.facts is not None:
        yield f"   counted: {_here(one, policy)}"
        yield f"   so far: {_so_far(one.step.facts, policy)}"
        for row in one.step.fired:
            yield f"   fired: {row.id} ({row.tier}): {row.source}"
        if one.step.gap:
            yield "   no row covers it: a person looks (no_rule)"
        for row, fact in one.nearly:
            value = getattr(one.step.facts, fact)
            said = str(value) if fact.is_count else "yes" if value else "no"
            yield f"   nearly: {row.id} ({row.tier}): {fact} is {said}, must be {told(row.when[fact])}"
    yield f"   after it: {f'list {one.step.tier}' if one.step.tier else 'no list'}"


def _incident(one: Explained, policy: Policy) -> str:
    report = one.step.finding.report
    return f"{_named(report.incident_id)}, {_day(report.occurred_at, report.agency, policy)}"


def _named(incident_id: str) -> str:
    agency, number = incident_id.split(":", 1)
    return f"{agency} number {number}"


def _day(at: datetime, agency: str, policy: Policy) -> str:
    return f"{at.astimezone(policy.zone(agency)):%Y-%m-%d}"


def _charged(one: Charged) -> str:
    said = _offense(one.offense.code, one.offense.statute, one.disposition)
    return f"charged: {said}" if one.uncounted is None else f"charged, not counted: {said}: {one.uncounted}"


def _lever(lever: Lever, policy: Policy) -> str:
    day = _day(lever.occurred_at, lever.agency, policy)
    return f"{_named(lever.incident_id)}, {day}: {_offense(lever.offense, lever.statute, lever.disposition)}"


def _offense(code: str, statute: str | None, disposition: Disposition) -> str:
    return f"{code} {OFFENSES[code]}{f', {statute}' if statute else ''} ({disposition})"


_HERE = {
    Fact.WEAPON_HERE: "a weapon",
    Fact.STRANGULATION_HERE: "strangulation",
    Fact.HOMICIDE_HERE: "homicide",
    Fact.FELONY_HERE: "a felony",
}


def _here(one: Explained, policy: Policy) -> str:
    facts = one.step.facts
    assert facts is not None
    added = facts.charges - facts.previous_charges
    what = ["a charge" if added == 1 else f"{added} charges"] if added else []
    what += ["a suspicion"] if facts.suspected_here else []
    what += [f"prohibited behaviour ({_behavior(one, policy)})"] if facts.violation_here else []
    what += [word for fact, word in _HERE.items() if getattr(facts, fact)]
    said = ", ".join(what) or "nothing"
    return said if one.no_charge is None else f"{said}; no charge: {one.no_charge}"


def _behavior(one: Explained, policy: Policy) -> str:
    """What made it a violation."""
    reported = [kind for kind in one.step.finding.report.prohibited_behavior if kind in policy.violations.behavior]
    if reported:
        return ", ".join(dict.fromkeys(reported))
    rules = policy.violations
    charged = [each.offense for each in one.charged if each.uncounted is None]
    by_charge = any(any_of(each.code, each.statute, rules.charged_offenses, rules.statutes) for each in charged)
    return "by what is charged" if by_charge else "notice_terms: a notice was served to him before"


def _so_far(facts: Facts, policy: Policy) -> str:
    """The numbers that the rows ask for."""
    asked = [fact for fact in Fact if fact.is_count and any(fact in row.when for row in policy.rules)]
    return ", ".join(f"{fact} {getattr(facts, fact)}" for fact in asked)
