"""The walk through an offender's history, and the tier it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.classification import ReviewCode, Tier
from schemas.criteria import GAP, Rule
from schemas.policy import Policy
from services.classifier.domain.finding import Finding


class Facts(NamedTuple):
    """What the rules may ask of one step; the names are those of `schemas.criteria.Fact`, and all are always given."""

    charges: int = 0
    previous_charges: int = 0
    violations: int = 0
    suspicions: int = 0
    incidents: int = 0
    convictions: int = 0
    charged_here: bool = False
    suspected_here: bool = False
    violation_here: bool = False
    weapon_here: bool = False
    strangulation_here: bool = False
    homicide_here: bool = False
    felony_here: bool = False


Fire = Callable[[Facts], tuple[Rule, ...]]
"""The rules that match, in the policy's order."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the walk ends on the ladder, and how it came there."""

    tier: Tier | None = None
    since: datetime | None = None
    """When the incident occurred that first fired the tier."""
    since_by: str | None = None
    """That incident; None: a person's raise gave the tier."""
    rules: tuple[str, ...] = ()
    """Fired at the latest step whose highest tier is the tier."""
    evidence: tuple[str, ...] = ()
    """Qualifying incidents on the ladder, in walk order."""
    tiers: Mapping[str, Tier | None] = field(default_factory=dict)
    """After each incident, in walk order."""
    reviews: frozenset[tuple[str, ReviewCode]] = frozenset()
    by_rules: Tier | None = None
    """The tier without any person's raise."""
    raised_until: datetime | None = None
    """Where the tier is a person's raise: when that ends."""


@dataclass(frozen=True, slots=True)
class Step:
    """One incident on the walk."""

    finding: Finding
    facts: Facts | None
    """None: it is off the ladder and counts for nothing."""
    repeated: bool
    """An incident before it bears the charge of its arrest."""
    fired: tuple[Rule, ...]
    gap: bool
    """No row covers it, and a person is to look."""
    reached: Tier | None
    """The highest list of this step alone."""
    tier: Tier | None
    """The highest so far: his list after it."""


_GRAVITY = {tier: tier.gravity for tier in Tier}


@dataclass(frozen=True, slots=True)
class _Counted:
    at: datetime
    charges: int
    violations: int
    suspicions: int
    convictions: int


def walk(findings: Iterable[Finding], policy: Policy, fire: Fire) -> Standing:
    """By `occurred_at`, then `incident_id`. The tier is the highest fired; time never lowers it."""
    tier: Tier | None = None
    since: datetime | None = None
    since_by: str | None = None
    rules: tuple[str, ...] = ()
    tiers: dict[str, Tier | None] = {}
    reviews: set[tuple[str, ReviewCode]] = set()
    evidence: list[str] = []
    for step in climb(findings, policy, fire):
        finding = step.finding
        reviews.update((finding.incident_id, code) for code in finding.reviews)
        if step.gap:
            reviews.add((finding.incident_id, ReviewCode.NO_RULE))
        if step.facts is not None:
            evidence.append(finding.incident_id)
        if step.reached is not None and step.reached is step.tier:
            if step.reached is not tier:
                since, since_by = finding.report.occurred_at, finding.incident_id
            rules = tuple(rule.id for rule in step.fired) or (GAP,)
        tier = step.tier
        tiers[finding.incident_id] = tier
    return Standing(tier, since, since_by, rules, tuple(evidence), tiers, frozenset(reviews), by_rules=tier)


def climb(findings: Iterable[Finding], policy: Policy, fire: Fire) -> Iterator[Step]:
    """Each incident in its turn, also those that count for nothing."""
    tier: Tier | None = None
    before: list[_Counted] = []
    charged: set[str] = set()
    convicted: set[str] = set()
    for finding in sorted(findings, key=lambda each: each.place):
        if not finding.on_ladder:
            yield Step(finding, None, False, (), False, None, tier)
            continue
        repeated = finding.charges > 0 and finding.arrest_id in charged
        tried = finding.charges > 0 and finding.convicted
        counted = _Counted(
            at=finding.report.occurred_at,
            charges=0 if repeated else finding.charges,
            violations=int(finding.violation),
            suspicions=int(not finding.charges),
            convictions=int(tried and finding.arrest_id not in convicted),
        )
        facts = _facts(finding, counted, before, policy)
        fired = fire(facts)
        gap = not fired and (facts.charged_here or (policy.gaps.review_suspicions and facts.suspected_here))
        reached = max((rule.tier for rule in fired), key=_GRAVITY.__getitem__, default=None)
        if gap and facts.charged_here:
            reached = policy.gaps.charge_tier
        if reached is not None and (tier is None or _GRAVITY[reached] >= _GRAVITY[tier]):
            tier = reached
        yield Step(finding, facts, repeated, fired, gap, reached, tier)
        before.append(counted)
        if finding.arrest_id is not None:
            # One arrest is one charge, however many incidents it clears; the first of them bears it.
            charged.update([finding.arrest_id] if finding.charges else [])
            convicted.update([finding.arrest_id] if tried else [])


def _facts(finding: Finding, here: _Counted, before: list[_Counted], policy: Policy) -> Facts:
    look_back = policy.look_back
    past = before if look_back is None else [each for each in before if here.at - each.at <= look_back]
    previous = sum(each.charges for each in past)
    charged = here.charges > 0
    return Facts(
        charges=previous + here.charges,
        previous_charges=previous,
        violations=sum(each.violations for each in past) + here.violations,
        suspicions=sum(each.suspicions for each in past) + here.suspicions,
        incidents=len(past) + 1,
        convictions=sum(each.convictions for each in past) + here.convictions,
        charged_here=charged,
        suspected_here=here.suspicions > 0,
        violation_here=finding.violation,
        weapon_here=charged and finding.weapon,
        strangulation_here=charged and finding.strangulation,
        homicide_here=charged and finding.homicide,
        felony_here=charged and finding.felony,
    )
