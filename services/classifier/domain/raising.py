"""What people and the clock do to a standing: a raise above the rules, a suspicion nobody has validated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from schemas.classification import Tier
from schemas.envelope import Data, Event
from schemas.policy import Policy
from schemas.reviews import RaiseTier
from services.classifier.domain.finding import Finding
from services.classifier.domain.history import History
from services.classifier.domain.ladder import Standing


def raised(history: History, standing: Standing) -> Standing:
    """The gravest raise that stands above what the rules give, if he is on the ladder at all; else the rules' word.

    It holds for the latest incident too, so that she is met as gravely as he is listed.
    """
    best: Event[RaiseTier] | None = None
    for one in history.acts("raise"):
        if _above(one.data.tier, standing.by_rules) and (best is None or _order(one) > _order(best)):
            best = one
    if best is None or not standing.evidence:
        return standing
    tier, last = best.data.tier, standing.evidence[-1]
    return replace(
        standing,
        tier=tier,
        since=taken_at(best),
        since_by=None,
        tiers={**standing.tiers, last: tier},
        raised_until=best.data.until,
    )


def _above(tier: Tier, other: Tier | None) -> bool:
    return other is None or tier.gravity > other.gravity


def _order(one: Event[RaiseTier]) -> tuple[int, datetime, str]:
    return one.data.tier.gravity, one.data.until, one.id


def taken_at(act: Event[Data]) -> datetime:
    """Record time of a person's act."""
    return act.recordedtime or act.time


def lapses(history: History, findings: Iterable[Finding], standing: Standing, policy: Policy) -> Mapping[str, datetime]:
    """When each suspicion that keeps him on D is to be purged, if nobody validates it before (28 CFR 23.20(h))."""
    if standing.by_rules is not Tier.D:
        return {}
    validated = max((taken_at(one) for one in history.acts("validation")), default=None)
    found = {}
    for one in findings:
        if one.on_ladder:
            since = one.report.reported_at if validated is None else max(one.report.reported_at, validated)
            found[one.incident_id] = since + policy.validate_d_after
    return found
