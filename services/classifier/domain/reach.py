"""Every set of facts that some history can come to under a policy, each with a shortest history that does.

A policy tells incidents apart by what its rows ask and its lists name, and counts only as far as its highest limit; so the
histories that differ to it are few, and all of them can be tried.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple

from schemas.classification import Tier
from schemas.criteria import Bound, Fact, Rule
from schemas.policy import Policy
from services.classifier.domain.kinds import Kind, kinds
from services.classifier.domain.ladder import Facts

MOST_STATES = 20_000
"""More pasts than these are not tried: nobody could read such a policy either."""


class TooManyFacts(ValueError):  # noqa: N818 (of the policy's making, no error of ours)
    """The limits of the rows are so high, or so many, that not all histories can be tried."""


History = tuple[Kind, ...]


class _State(NamedTuple):
    """What of the past can still matter. Numbers stop at the highest limit that asks for them."""

    charges: int = 0
    violations: int = 0
    suspicions: int = 0
    incidents: int = 0
    convictions: int = 0
    arrested: bool = False
    untried: int = 0
    """Arrests whose charge counts and of which no conviction is counted yet."""
    tier: Tier | None = None


@dataclass(frozen=True)
class Met:
    """A set of facts some history comes to, the rows that fire there, and the history."""

    facts: Facts
    fired: tuple[Rule, ...]
    history: History


@dataclass(frozen=True)
class Reach:
    """All that histories can come to under the policy."""

    met: tuple[Met, ...]
    """Each set of facts once; shorter histories first."""
    tiers: Mapping[Tier, History]
    """Lists that some history ends on."""
    limits: Mapping[Fact, int] = field(default_factory=dict)
    """Of each number asked for: from here on larger ones make no difference."""


def holds(value: int | bool, condition: Bound | bool) -> bool:
    """Whether one line of `when` is so."""
    if isinstance(condition, bool):
        return value is condition
    low, high = condition.at_least, condition.at_most
    return (low is None or value >= low) and (high is None or value <= high)


def missed(rule: Rule, facts: Facts) -> list[Fact]:
    """The lines of `when` that are not so; none: the row fires."""
    return [fact for fact, condition in rule.when.items() if not holds(getattr(facts, fact), condition)]


def explore(policy: Policy) -> Reach:
    """Try every history that differs to the policy. Raises `TooManyFacts`."""
    limits = _limits(policy)
    if prod(limit + 1 for limit in limits.values()) > 5 * MOST_STATES:
        raise TooManyFacts
    incidents = list(kinds(policy, limits))
    start = _State()
    came: dict[_State, tuple[_State, Kind] | None] = {start: None}
    met: dict[Facts, Met] = {}
    queue = deque([start])
    while queue:
        state = queue.popleft()
        for kind in incidents:
            if kind.repeated and not (state.untried if kind.convicted else state.arrested):
                continue
            if kind.after_pause and state == start:
                continue
            past = _forgotten(state) if kind.after_pause else state
            facts = _facts(past, kind, limits)
            if facts not in met:
                fired = tuple(rule for rule in policy.rules if not missed(rule, facts))
                met[facts] = Met(facts, fired, (*_way(state, came), kind))
            following = _next(past, kind, _tier(policy, state.tier, facts, met[facts].fired), limits)
            if following not in came:
                came[following] = (state, kind)
                queue.append(following)
                if len(came) > MOST_STATES:
                    raise TooManyFacts
    tiers: dict[Tier, History] = {}
    for state in came:
        if state.tier is not None and state.tier not in tiers:
            tiers[state.tier] = _way(state, came)
    return Reach(tuple(met.values()), tiers, limits)


def _way(state: _State, came: Mapping[_State, tuple[_State, Kind] | None]) -> History:
    steps: list[Kind] = []
    while (step := came[state]) is not None:
        state = step[0]
        steps.append(step[1])
    return tuple(reversed(steps))


def _limits(policy: Policy) -> dict[Fact, int]:
    limits: dict[Fact, int] = {}
    for rule in policy.rules:
        for fact, condition in rule.when.items():
            if isinstance(condition, Bound):
                highest = max(condition.at_least or 0, 0 if condition.at_most is None else condition.at_most + 1)
                limits[fact] = max(limits.get(fact, 0), highest)
    return limits


def _facts(past: _State, kind: Kind, limits: Mapping[Fact, int]) -> Facts:
    charged = kind.units > 0
    suspected = not charged and not kind.repeated
    exact = Facts(
        charges=past.charges + kind.units,
        previous_charges=past.charges,
        violations=past.violations + kind.violation,
        suspicions=past.suspicions + suspected,
        incidents=past.incidents + 1,
        convictions=past.convictions + kind.convicted,
        charged_here=charged,
        suspected_here=suspected,
        violation_here=kind.violation,
        weapon_here=kind.weapon,
        strangulation_here=kind.strangulation,
        homicide_here=kind.homicide,
        felony_here=kind.felony,
    )
    return capped(exact, limits)


def capped(facts: Facts, limits: Mapping[Fact, int]) -> Facts:
    """The same to every row: each number only as far as one asks."""
    numbers: dict[str, Any] = {name: min(getattr(facts, name), limits.get(fact, 0)) for name, fact in _NUMBERS}
    return facts._replace(**numbers)


_NUMBERS = tuple((fact.value, fact) for fact in Fact if fact.is_count)


def _tier(policy: Policy, before: Tier | None, facts: Facts, fired: tuple[Rule, ...]) -> Tier | None:
    reached = [rule.tier for rule in fired]
    if not fired and facts.charged_here and policy.gaps.charge_tier is not None:
        reached = [policy.gaps.charge_tier]
    return max([*reached, *([before] if before else [])], key=lambda tier: tier.gravity, default=None)


def _next(past: _State, kind: Kind, tier: Tier | None, limits: Mapping[Fact, int]) -> _State:
    charges = max(limits.get(Fact.CHARGES, 0), limits.get(Fact.PREVIOUS_CHARGES, 0))
    convictions = limits.get(Fact.CONVICTIONS, 0)
    untried = past.untried + (1 if kind.units and not kind.convicted else 0) - (kind.repeated and kind.convicted)
    return _State(
        charges=min(past.charges + kind.units, charges),
        violations=min(past.violations + kind.violation, limits.get(Fact.VIOLATIONS, 0)),
        suspicions=min(past.suspicions + (not kind.units and not kind.repeated), limits.get(Fact.SUSPICIONS, 0)),
        incidents=min(past.incidents + 1, limits.get(Fact.INCIDENTS, 0)),
        convictions=min(past.convictions + kind.convicted, convictions),
        arrested=past.arrested or kind.units > 0,
        untried=min(untried, convictions),
        tier=tier,
    )


def _forgotten(state: _State) -> _State:
    """Nothing counts any more; arrests remain known."""
    return _State(arrested=state.arrested, untried=state.untried, tier=state.tier)
