"""What is wrong with a policy that reads well: rows that never fire or never matter, lists nobody comes on, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from schemas.classification import Tier
from schemas.criteria import Bound, Fact, Rule
from schemas.outreach import TaskKind
from schemas.policy import Policy
from services.classifier.domain.ladder import Facts
from services.classifier.domain.reach import History, Met, Reach, TooManyFacts, explore, holds, missed

Place = tuple[str | int, ...]
"""Where it stands in the file: names of settings, places in lists."""

WRITTEN_WITHIN = 72
"""Hours to her written information (N.C.G.S. 15A-831)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing, where it stands, and the mend."""

    place: Place
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Facts in which no row fires, and a shortest history that comes to them."""

    facts: Facts
    history: History
    charged: bool


@dataclass(frozen=True, slots=True)
class Examination:
    """`errors`: it must not be used. `warnings`: it may, if it is meant so. Gaps are a county's to judge."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    gaps: tuple[Gap, ...]
    tiers: tuple[tuple[Tier, History], ...]
    """Lists that can be reached, and a shortest history to each."""


def examine(policy: Policy) -> Examination:
    """Every claim holds for every history there can be."""
    try:
        reach = explore(policy)
    except TooManyFacts:
        mend = "lower the limits, or ask for fewer numbers"
        return Examination(
            (Problem(("rules",), "the rows tell apart more histories than can be tried", mend),), (), (), ()
        )
    errors = [*_rows(policy, reach), *_unreached(policy, reach)]
    warnings = [*_redundant(policy, reach), *_no_row(policy, reach), *_responses(policy)]
    tiers = tuple((tier, reach.tiers[tier]) for tier in Tier if tier in reach.tiers)
    return Examination(tuple(errors), tuple(warnings), tuple(_gaps(reach)), tiers)


def _rows(policy: Policy, reach: Reach) -> Iterator[Problem]:
    """Rows that cannot fire, and rows that change nothing where they do."""
    for place, rule in enumerate(policy.rules):
        where = [met for met in reach.met if rule in met.fired]
        if not where:
            yield _never(place, rule, reach)
        elif all(any(other.tier.gravity > rule.tier.gravity for other in met.fired) for met in where):
            others = _covering(rule, [other for other in policy.rules if other.tier.gravity > rule.tier.gravity], where)
            yield Problem(
                ("rules", place),
                f"{rule.id} never decides: wherever it fires, {_or(others)} leads higher",
                "take it out, or narrow the other",
            )


def _never(place: int, rule: Rule, reach: Reach) -> Problem:
    lines = _conflict(rule, reach)
    said = " and ".join(f"{fact} {told(rule.when[fact])}" for fact in lines)
    together = "are never so together" if len(lines) > 1 else "is never so"
    mend = "change one of them" if len(lines) > 1 else "change it, or the lists and dispositions it rests on"
    return Problem(("rules", place, "when", lines[0]), f"{rule.id} can never fire: {said} {together}", mend)


def _conflict(rule: Rule, reach: Reach) -> Sequence[Fact]:
    """The fewest lines that no facts fulfil together."""
    for number in range(1, len(rule.when) + 1):
        for lines in combinations(rule.when, number):
            if not any(all(holds(getattr(met.facts, fact), rule.when[fact]) for fact in lines) for met in reach.met):
                return lines
    raise AssertionError("the row fires somewhere")


def _covering(rule: Rule, others: Sequence[Rule], where: Sequence[Met]) -> list[str]:
    """One other that fires wherever this does, or all that are needed."""
    alone = [other.id for other in others if all(other in met.fired for met in where)]
    return alone[:1] or [other.id for other in others if any(other in met.fired for met in where)]


def _redundant(policy: Policy, reach: Reach) -> Iterator[Problem]:
    for place, rule in enumerate(policy.rules):
        where = [met for met in reach.met if rule in met.fired]
        for other in policy.rules[:place] + policy.rules[place + 1 :]:
            wider = all(other in met.fired for met in where) and len(where) < sum(other in m.fired for m in reach.met)
            same = all(other in met.fired for met in where) and policy.rules.index(other) < place
            if where and other.tier is rule.tier and (wider or same):
                yield Problem(
                    ("rules", place),
                    f"{rule.id} adds nothing: wherever it fires, {other.id} leads to the same list",
                    "take it out, unless decisions are to name it",
                )
                break


def _unreached(policy: Policy, reach: Reach) -> Iterator[Problem]:
    for tier in Tier:
        rows = [place for place, rule in enumerate(policy.rules) if rule.tier is tier]
        if rows and tier not in reach.tiers:
            yield Problem(
                ("rules", rows[0], "tier"), f"no history ends on list {tier}", "mend the rows that lead to it"
            )


def _no_row(policy: Policy, reach: Reach) -> Iterator[Problem]:
    for tier in Tier:
        if tier not in reach.tiers and not any(rule.tier is tier for rule in policy.rules):
            yield Problem(("rules",), f"no row leads to list {tier}", "add one, if your county has that list")


def _responses(policy: Policy) -> Iterator[Problem]:
    """What follows for her by law."""
    named: list[tuple[Place, Tier | None]] = [(("tiers", tier, "victim"), tier) for tier in Tier]
    for place, tier in [*named, (("no_tier",), None)]:
        hours = [
            task.due_within_hours for task in policy.victim_tasks(tier) if task.kind is TaskKind.WRITTEN_INFORMATION
        ]
        if not hours or min(hours) > WRITTEN_WITHIN:
            yield Problem(
                place,
                f"no written information within {WRITTEN_WITHIN} hours (N.C.G.S. 15A-831)",
                f"add a task written_information with due_within_hours of {WRITTEN_WITHIN} or less",
            )


def _gaps(reach: Reach) -> Iterator[Gap]:
    """By what he has done so far; what the incident was done with makes no other gap."""
    seen: set[Facts] = set()
    for met in reach.met:
        charged, suspected = met.facts.charged_here, met.facts.suspected_here
        alike = met.facts._replace(
            violation_here=False, weapon_here=False, strangulation_here=False, homicide_here=False, felony_here=False
        )
        if not met.fired and (charged or suspected) and alike not in seen:
            seen.add(alike)
            yield Gap(met.facts, met.history, charged)


def near(policy: Policy, facts: Facts, above: Tier | None) -> list[tuple[Rule, Fact]]:
    """Rows to a list above the given one that one line alone keeps from firing, a number by no more than one."""
    found = []
    for rule in policy.rules:
        lines = missed(rule, facts)
        if len(lines) != 1 or (above is not None and rule.tier.gravity <= above.gravity):
            continue
        value, condition = getattr(facts, lines[0]), rule.when[lines[0]]
        if isinstance(condition, bool) or holds(value + 1, condition) or holds(value - 1, condition):
            found.append((rule, lines[0]))
    return found


def told(condition: Bound | bool) -> str:
    """A line of `when` in words."""
    if isinstance(condition, bool):
        return "yes" if condition else "no"
    low = f"at least {condition.at_least}" if condition.at_least is not None else ""
    high = f"at most {condition.at_most}" if condition.at_most is not None else ""
    return " and ".join(part for part in (low, high) if part)


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
