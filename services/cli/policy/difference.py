"""Every history decided under two policies, and what differs; in as many processes as are to be had."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, field, replace
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.classification import ReviewCode, Tier
from schemas.envelope import Data, Event
from schemas.incident import IncidentExpunged, OffenderSplit
from schemas.policy import Policy
from schemas.rejects import InvalidRecord
from services.classifier.domain import Assessment, Offender, assess, history, walk
from services.classifier.rules import rulebook
from services.classifier.terms import Terms
from services.classifier.usecases.histories import FOLDS, fold
from services.cli.policy.sharing_out import Lines, batches, by_person, uncollected, workers
from services.cli.replay import Replay
from services.common.seal import sealer
from services.intake.cloudevents import event_of
from services.intake.lines import Line, Source


@dataclass(slots=True)
class Difference:
    """Counts over people. Notices are those their list calls for, as the notifier would give or take them back."""

    people: int = 0
    incidents: int = 0
    refused: int = 0
    moves: Counter[tuple[Tier | None, Tier | None]] = field(default_factory=Counter)
    new: Counter[Tier] = field(default_factory=Counter)
    listed: int = 0
    """Of the new ones: every incident of his is listed, so that a person opens it first."""
    cancelled: Counter[Tier] = field(default_factory=Counter)
    corrected: Counter[Tier] = field(default_factory=Counter)
    """Served already: a person decides what to tell him."""
    gaps: tuple[int, int] = (0, 0)
    """Reviews `no_rule`, before and after."""
    moved: list[tuple[str, Tier | None, Tier | None]] = field(default_factory=list)

    def add(self, other: Difference) -> None:
        self.people += other.people
        self.incidents += other.incidents
        self.refused += other.refused
        self.listed += other.listed
        for own, more in (
            (self.moves, other.moves),
            (self.new, other.new),
            (self.cancelled, other.cancelled),
            (self.corrected, other.corrected),
        ):
            own.update(more)  # type: ignore[arg-type]
        self.gaps = self.gaps[0] + other.gaps[0], self.gaps[1] + other.gaps[1]
        self.moved += other.moved


def difference(
    before: Policy, after: Policy, sources: Sequence[Source], *, jobs: int = 1, console: Console | None = None
) -> Difference:
    """Raises `InputError` for a file that cannot be read."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console or Console(file=sys.stderr, quiet=True),
    )
    found = Difference()
    policies = before.canonical(), after.canonical()
    with uncollected(), workers(jobs, partial(_policies, *policies)) as pool, bar:
        work = bar.add_task("histories", total=None)
        histories = by_person(sources)
        bar.update(work, total=len(histories))
        running: dict[Future[Difference], int] = {
            pool.submit(_compared, batch): len(batch) for batch in batches(histories)
        }
        for done in as_completed(running):
            found.add(done.result())
            bar.advance(work, running.pop(done))
    return found


@dataclass(frozen=True, slots=True)
class _Pair:
    """The two policies, as one process has them."""

    before: Terms
    after: Terms
    read_alike: bool
    """Both take an incident for the same but for what follows a notice."""


_pair: _Pair | None = None


def _policies(before: bytes, after: bytes) -> None:
    """In each process, before it compares."""
    global _pair
    seal = sealer(secrets.token_bytes(32))
    made = [Policy.model_validate_json(each) for each in (before, after)]
    first, second = (Terms(policy, rulebook(policy), seal) for policy in made)
    _pair = _Pair(first, second, _reading(first.policy) == _reading(second.policy))


def _reading(policy: Policy) -> tuple[object, ...]:
    """All that `find` goes by, but the notices."""
    told = policy.violations
    parts = policy.time_zone, policy.agency_time_zones, policy.adult_age, policy.codes, policy.charges
    return (*parts, told.behavior, told.charged_offenses, told.statutes)


def _compared(batch: list[Lines]) -> Difference:
    assert _pair is not None
    found = Difference()
    for lines in batch:
        events = list(_events(lines, found))
        if any(type(event.data) not in FOLDS and not isinstance(event.data, IncidentExpunged) for event in events):
            people = _together(events, found, _pair)
        else:
            people = _alone(events, found, _pair)
        for was, now in people:
            if was.history.strands:
                _compare(was, now, found, _pair)
    return found


def _events(lines: Lines, found: Difference) -> Iterator[Event[Data]]:
    """Each once."""
    seen: set[tuple[str, str]] = set()
    for raw in lines:
        try:
            event = event_of(Line(0, raw, len(raw)))
        except InvalidRecord:
            found.refused += 1
            continue
        if (event.source, event.id) not in seen:
            seen.add((event.source, event.id))
            yield event


def _alone(events: list[Event[Data]], found: Difference, pair: _Pair) -> Iterator[tuple[Offender, Offender]]:
    """Nobody's history but his own: what lanes say to each other, and all they would publish, is left out."""
    if not events:
        return
    him = _folded(events, found, pair.before)
    was = _assessed(him, pair.before)
    if pair.before.policy.stale_after != pair.after.policy.stale_after:
        him = _folded(events, Difference(), pair.after)
    elif pair.read_alike and not him.history.noticed():
        yield was, _walked(was, pair.after)
        return
    yield was, _assessed(him, pair.after)


def _folded(events: list[Event[Data]], found: Difference, terms: Terms) -> Offender:
    him = Offender(events[0].subject)
    for event in events:
        if isinstance(event.data, IncidentExpunged):
            left = history.expunged(him.history, {terms.seal(event.data.incident_id)}, terms.seal)
            him = replace(him, history=history.tidied(left, terms.seal))
            continue
        try:
            him = fold(him, event, terms)
        except InvalidRecord:
            found.refused += 1
    return him


def _assessed(him: Offender, terms: Terms) -> Offender:
    assessment = assess(him.offender_id, him.history, terms.policy, terms.fire)
    return Offender(him.offender_id, him.history, tier=assessment.standing.tier, assessment=assessment)


def _walked(him: Offender, terms: Terms) -> Offender:
    """The same findings under other rows."""
    findings = him.assessment.findings
    standing = walk(findings.values(), terms.policy, terms.fire)
    return Offender(him.offender_id, him.history, tier=standing.tier, assessment=Assessment(findings, standing))


def _together(events: list[Event[Data]], found: Difference, pair: _Pair) -> Iterator[tuple[Offender, Offender]]:
    """Merged, told apart, expunged: as the classifier does it, lane by lane."""
    before, after = Replay(pair.before.policy), Replay(pair.after.policy)
    people: dict[str, None] = {}
    for event in events:
        people |= dict.fromkeys([event.subject])
        if isinstance(event.data, OffenderSplit):
            people |= dict.fromkeys([event.data.new_offender_id])
        try:
            before.decide(event)
            after.decide(event)
        except InvalidRecord:
            found.refused += 1
    for person in dict.fromkeys(before.offender(each).offender_id for each in people):
        yield before.offender(person), after.offender(person)


def _compare(was: Offender, now: Offender, found: Difference, pair: _Pair) -> None:
    found.people += 1
    found.incidents += len(was.assessment.findings)
    found.moves[was.tier, now.tier] += 1
    found.gaps = found.gaps[0] + _gaps(was), found.gaps[1] + _gaps(now)
    if was.tier is not now.tier:
        found.moved.append((now.offender_id, was.tier, now.tier))
    old, new = _notice(was, pair.before.policy), _notice(now, pair.after.policy)
    if old is new:
        return
    served = now.history.tiers_served  # a notice is given once a list, but by a person's act
    if old is not None:
        (found.corrected if old in served else found.cancelled)[old] += 1
    if new is not None and new not in served:
        found.new[new] += 1
        found.listed += all(each.listed for each in now.assessment.findings.values() if each.on_ladder)


def _notice(him: Offender, policy: Policy) -> Tier | None:
    """The notice his list calls for."""
    return him.tier if him.tier is not None and policy.tiers[him.tier].offender is not None else None


def _gaps(him: Offender) -> int:
    return sum(code is ReviewCode.NO_RULE for _, code in him.assessment.standing.reviews)
