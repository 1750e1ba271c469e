"""What a task that he causes is about, for whoever is to speak of it with her: when, and what came of it. Never why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.notification import NotificationState
from schemas.outreach import TaskKind
from services.victim_outreach.domain import Delivery, Release, Task, VisitOutcome
from services.victim_outreach.rules.deliveries import of_plan


@dataclass(frozen=True, slots=True)
class Cause:
    """Nulls where it does not apply, or is not known."""

    planned_from: datetime | None = None
    planned_until: datetime | None = None
    visit: VisitOutcome | None = None
    visited_at: datetime | None = None
    released_at: datetime | None = None
    facility: str | None = None


def cause_of(task: Task, deliveries: Mapping[str, Delivery], release: Release | None) -> Cause:
    """`deliveries`: his, by notice. Of a day that was moved since, a task about the old one says nothing."""
    if task.kind is TaskKind.CUSTODY_RELEASE:
        if release is None or release.booking_id != task.about:
            return Cause()
        return Cause(released_at=release.released_at, facility=release.facility)
    if task.kind not in (TaskKind.BEFORE_DELIVERY, TaskKind.AFTER_DELIVERY):
        return Cause()
    notice = deliveries.get(notice_of(task.about))
    if notice is None:
        return Cause()
    if task.kind is TaskKind.AFTER_DELIVERY:
        return _visit(notice, int(task.about.rpartition("|")[2]))
    if task.about != of_plan(notice):
        return Cause()
    return Cause(planned_from=notice.planned_from, planned_until=notice.planned_until)


def notice_of(about: str) -> str:
    """The notice that a task before or after a delivery is about."""
    return about.partition("|")[0]


def _visit(notice: Delivery, number: int) -> Cause:
    """Of a visit from before each was kept, what the notice itself says of its last."""
    known = notice.visit(number)
    if known is not None:
        _, came_of, at = known
        return Cause(visit=VisitOutcome(came_of), visited_at=datetime.fromisoformat(at))
    if number != notice.last:
        return Cause()
    served = VisitOutcome.SERVED if notice.state is NotificationState.SERVED else None
    return Cause(visit=served, visited_at=notice.visited_at)
