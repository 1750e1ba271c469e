"""The walk through an offender's history, and the tier it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from schemas.classification import ReviewCode, Tier
from schemas.policy import Policy, Rule
from services.classifier.domain.finding import Finding


class Facts(NamedTuple):
    """What the rules may ask of one step; the names are those of `schemas.policy.Fact`, and all are always given."""

    charges: int
    previous_charges: int
    violations: int
    suspicions: int
    charged_here: bool
    suspected_here: bool
    violation_here: bool
    weapon_here: bool
    strangulation_here: bool
    homicide_here: bool


Fire = Callable[[Facts], tuple[Rule, ...]]
"""The rules that match, in the policy's order."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the walk ends on the ladder, and how it came there."""

    tier: Tier | None = None
    since: datetime | None = None
    """When the incident occurred that first fired the tier."""
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


_GRAVITY = {tier: tier.gravity for tier in Tier}


@dataclass(frozen=True, slots=True)
class _Step:
    at: datetime
    charges: int
    violations: int
    suspicions: int


def walk(findings: Iterable[Finding], policy: Policy, fire: Fire) -> Standing:
    """By `occurred_at`, then `incident_id`. The tier is the highest fired; time never lowers it."""
    tier: Tier | None = None
    since: datetime | None = None
    rules: tuple[str, ...] = ()
    tiers: dict[str, Tier | None] = {}
    reviews: set[tuple[str, ReviewCode]] = set()
    evidence: list[str] = []
    arrests: set[str] = set()
    steps: list[_Step] = []
    for finding in sorted(findings, key=lambda each: each.place):
        reviews.update((finding.incident_id, code) for code in finding.reviews)
        if finding.on_ladder:
            facts, step = _facts(finding, steps, arrests, policy)
            steps.append(step)
            evidence.append(finding.incident_id)
            fired = fire(facts)
            reached = max((rule.tier for rule in fired), key=_GRAVITY.__getitem__, default=None)
            if reached is not None and (tier is None or _GRAVITY[reached] >= _GRAVITY[tier]):
                since = since if reached is tier else step.at
                tier, rules = reached, tuple(rule.id for rule in fired)
            if facts.charged_here and not fired:
                reviews.add((finding.incident_id, ReviewCode.NO_RULE))
        tiers[finding.incident_id] = tier
    return Standing(tier, since, rules, tuple(evidence), tiers, frozenset(reviews), by_rules=tier)


def _facts(finding: Finding, before: list[_Step], arrests: set[str], policy: Policy) -> tuple[Facts, _Step]:
    """Adds the incident's arrest to `arrests`: one arrest is one charge, however many incidents it clears."""
    repeated = finding.arrest_id in arrests
    if finding.charges and finding.arrest_id is not None:
        arrests.add(finding.arrest_id)
    step = _Step(
        at=finding.report.occurred_at,
        charges=0 if repeated else finding.charges,
        violations=int(finding.violation),
        suspicions=int(not finding.charges),
    )
    look_back = policy.look_back
    counted = before if look_back is None else [past for past in before if step.at - past.at <= look_back]
    previous = sum(past.charges for past in counted)
    charged = step.charges > 0
    facts = Facts(
        charges=previous + step.charges,
        previous_charges=previous,
        violations=sum(past.violations for past in counted) + step.violations,
        suspicions=sum(past.suspicions for past in counted) + step.suspicions,
        charged_here=charged,
        suspected_here=not finding.charges,
        violation_here=finding.violation,
        weapon_here=charged and finding.weapon,
        strangulation_here=charged and finding.strangulation,
        homicide_here=charged and finding.homicide,
    )
    return facts, step
