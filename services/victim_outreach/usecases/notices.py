"""What becomes of notices to him, as far as she must hear of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from schemas.notification import (
    Notification,
    NotificationCancelled,
    NotificationCorrected,
    NotificationFailed,
    NotificationHeld,
    NotificationPlanned,
    NotificationPrepared,
    NotificationReleased,
    NotificationServed,
    NotificationState,
    NotificationWithdrawn,
)
from services.common.service import Input, Outcome
from services.victim_outreach.domain import NO_VISIT, CaseFile, Delivery, VisitEntry, VisitOutcome
from services.victim_outreach.rules import Terms
from services.victim_outreach.usecases.moving import passed_on
from services.victim_outreach.usecases.settling import settled
from services.victim_outreach.usecases.telling import Draft

_STATES: dict[type[Notification], NotificationState] = {
    NotificationPrepared: NotificationState.PREPARED,
    NotificationHeld: NotificationState.HELD,
    NotificationReleased: NotificationState.RELEASED,
    NotificationServed: NotificationState.SERVED,
    NotificationFailed: NotificationState.FAILED,
    NotificationCancelled: NotificationState.CANCELLED,
    NotificationCorrected: NotificationState.CORRECTED,
}
_VISITED = (NotificationState.SERVED, NotificationState.FAILED)


def notice_changed(file: CaseFile, data: Notification, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Released is a visit to come, until it is held again; served and failed are a visit made. One that was under way when his
    record was merged was made all the same: she is asked after where she is now.
    """
    state = _STATES[type(data)]
    known = file.deliveries.get(data.notification_id) or Delivery(data.notification_id, data.pair_id)
    changed = replace(known, state=state)
    if state is NotificationState.RELEASED and known.state is not state:
        changed = replace(changed, releases=known.releases + 1, released_at=given.at)
    if state in _VISITED:
        number = known.visits + 1
        changed = replace(
            changed,
            visits=number,
            visited_at=given.at,
            planned_from=None,
            planned_until=None,
            planned_at=None,
            came_of=(*known.came_of, _came_of(number, data, given)),
        )
    deliveries = {**file.deliveries, data.notification_id: changed}
    after = replace(file, deliveries=deliveries)
    outcome = settled(file, Draft(after), given, terms)
    if state not in _VISITED:
        return outcome
    return replace(outcome, events=(*outcome.events, *passed_on(file, after, given, pair=data.pair_id)))


def _came_of(number: int, data: Notification, given: Input) -> VisitEntry:
    if isinstance(data, NotificationFailed):
        return number, VisitOutcome(data.reason).value, (data.attempted_at or given.at).isoformat()
    at = data.served_at if isinstance(data, NotificationServed) else given.at
    return number, VisitOutcome.SERVED.value, at.isoformat()


def visit_undone(file: CaseFile, data: NotificationWithdrawn, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Nobody was told: she is not asked after a visit that was none, but after the one before it, if there was any.

    Of a notice that was given and is withdrawn there is nothing to ask of her.
    """
    known = file.deliveries.get(data.notification_id)
    if known is None or data.mistake is None:
        return Outcome(file, result="none")
    none = (known.last, NO_VISIT, given.at.isoformat())
    came_of = (*(entry for entry in known.came_of if entry[0] != known.last), *([none] if known.last else []))
    left = replace(known, state=NotificationState.PREPARED, came_of=came_of)
    before = left.visit(left.last)
    visited_at = datetime.fromisoformat(before[2]) if before else known.visited_at
    changed = replace(left, visited_at=visited_at if left.last else None)
    deliveries = {**file.deliveries, data.notification_id: changed}
    return settled(file, Draft(replace(file, deliveries=deliveries)), given, terms)


def notice_planned(file: CaseFile, data: NotificationPlanned, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """She hears of the day first, whether he is let wait or not: of another day, anew."""
    known = file.deliveries.get(data.notification_id) or Delivery(data.notification_id, data.pair_id)
    if (known.planned_from, known.planned_until) == (data.planned_from, data.planned_until):
        return Outcome(file, result="none")
    changed = replace(known, planned_from=data.planned_from, planned_until=data.planned_until)
    if changed.planned_from != known.planned_from:
        off = data.planned_from is None
        changed = replace(changed, planned_at=None if off else given.at, plans=known.plans if off else known.plans + 1)
    deliveries = {**file.deliveries, data.notification_id: changed}
    return settled(file, Draft(replace(file, deliveries=deliveries)), given, terms)
