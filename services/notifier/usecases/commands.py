"""What people do with a notice. A refusal changes nothing and says why, by a code."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from schemas.commands import (
    CancelNotification,
    ClaimNotification,
    Fail,
    HelpCommand,
    LiftableHold,
    LiftHold,
    NotificationCommand,
    PersonCommand,
    PlanDelivery,
    RetryNotification,
    Role,
)
from schemas.notice_work import NoticeClaimed, NoticeRouted
from schemas.notification import (
    CancelReason,
    FailureReason,
    HoldReason,
    NotificationCancelled,
    NotificationFailed,
    NotificationHeld,
    NotificationState,
)
from services.common.service import Input, Outcome, Refused
from services.common.versions import STALE
from services.notifier.domain import (
    FREE,
    GIVEN,
    LEAD,
    TWO_PEOPLE,
    Attempt,
    Enforcement,
    Help,
    Lift,
    Notice,
    Offender,
    demands,
    lifted,
)
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.ending import cancelled
from services.notifier.usecases.settling import lane_view, settled
from services.notifier.usecases.telling import Draft, outgoing

T = TypeVar("T", Notice, Enforcement, Help)

SERVERS = frozenset({Role.OFFICER, Role.COORDINATOR})
CANCELLERS = frozenset({Role.COORDINATOR})
LIFTERS = frozenset({Role.COORDINATOR, Role.OUTREACH_SUPERVISOR})

LATE_CLOCK = timedelta(minutes=5)
"""How far a device's clock may be off the broker's before a time of service is taken for an error."""

LONGEST_ROUND = timedelta(hours=24)
FURTHEST_ROUND = timedelta(days=31)
"""What is planned further off is taken for an error: until the day before it nobody would be asked to tell her."""


def claim(offender: Offender, command: ClaimNotification, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """A person takes it: whoever is on duty is not called for it again before it is late."""
    notice = open_notice(offender, command, SERVERS)
    if notice.state is not NotificationState.RELEASED:
        raise Refused("not_released")
    if notice.claimed_by == command.by:
        return Outcome(offender, result="none")
    if notice.claimed_by is not None and command.role is not Role.COORDINATOR:
        raise Refused("already_claimed")
    claimed = replace(notice, claimed_by=command.by)
    return settled(Draft(offender).tell(claimed, offender.work(NoticeClaimed, claimed, command.by)), given, policy)


def plan_delivery(offender: Offender, command: PlanDelivery, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """Set, moved or off, while it waits as well: so that nobody learns from it whether it may go."""
    notice = open_notice(offender, command, SERVERS)
    if notice.state is NotificationState.FAILED:
        raise Refused("not_planned")
    begins, until = command.planned_from, command.planned_until
    if begins is not None and until is not None:
        now = lane_view(given, policy).now
        if not (begins < until <= begins + LONGEST_ROUND and now < until and begins <= now + FURTHEST_ROUND):
            raise Refused("not_planned")
        if begins != notice.planned_from and begins < _soonest(offender, command, now):
            raise Refused("too_soon")
    elif begins is not until:
        raise Refused("not_planned")
    planned = replace(notice, planned_from=begins, planned_until=until, round_from=begins, round_until=until)
    return settled(Draft(offender).tell(planned), given, policy, command.by)


def _soonest(offender: Offender, command: PlanDelivery, now: datetime) -> datetime:
    """A round that is set begins no earlier: so that she can be told, and never for a visit that was made already."""
    at_once = offender.in_custody or command.role is Role.COORDINATOR
    return now - LATE_CLOCK if at_once else now + LEAD


def fail(offender: Offender, command: Fail, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """It could not be given this time. She is looked after within a day all the same; it may be tried again.

    Also where it was cancelled between the visit and the word of it: then it stays so.
    """
    notice = any_notice(offender, command, SERVERS)
    if notice.state in GIVEN:
        raise Refused("already_served")
    at = command.attempted_at or given.at
    not_in_future(at, given, policy)
    if notice.state not in FREE and not notice.was_free(at):
        raise Refused("cancelled" if notice.state is NotificationState.CANCELLED else "not_released")
    attempt = Attempt(at, command.by, notice.channel, command.reason, command.place)
    tried = replace(notice, attempts=(*notice.attempts, attempt))
    event = offender.event(
        NotificationFailed,
        tried,
        command.by,
        reason=command.reason,
        attempted_at=at,
        place=command.place,
        attempt=len(tried.attempts),
    )
    if tried.ended is not None:
        over = offender.event(NotificationCancelled, tried, reason=tried.ended)
        return settled(Draft(offender).tell(tried, event, over), given, policy)
    now = lane_view(given, policy).now
    failed = replace(tried, state=NotificationState.FAILED, reasons=(), since=now, serve_by=None, claimed_by=None)
    return settled(Draft(offender).tell(failed, event), given, policy)


def retry(offender: Offender, command: RetryNotification, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """Once more; it goes out again when everything allows it, the gate's next word included."""
    notice = open_notice(offender, command, SERVERS)
    if notice.state is not NotificationState.FAILED:
        raise Refused("not_failed")
    if notice.failure is FailureReason.REFUSED and command.role is not Role.COORDINATOR:
        raise Refused("refusal_needs_coordinator")
    now = lane_view(given, policy).now
    until = notice.taken_back_at or now  # what was given while it had failed counts
    again = replace(
        notice,
        state=NotificationState.PREPARED,
        asked_at=now,
        since=now,
        taken_back_at=until,
        tried_before=len(notice.attempts),
    )
    return settled(Draft(offender.with_notice(again)), given, policy, command.by)


def cancel(offender: Offender, command: CancelNotification, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """It shall not be given. The other reasons are facts, and come with the record that makes them so."""
    notice = open_notice(offender, command, CANCELLERS)
    if command.reason is not CancelReason.BY_PERSON:
        raise Refused("reason_not_a_persons")
    now = lane_view(given, policy).now
    return settled(cancelled(Draft(offender), notice, command.reason, now, command.by), given, policy)


def lift(offender: Offender, command: LiftHold, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """One person's word. A hold for which it takes two stays until the second has spoken.

    What failed waits for nothing but to be tried again: only then it is held.
    """
    notice = open_notice(offender, command, _lifters(command.hold))
    if notice.state is NotificationState.FAILED:
        raise Refused("not_held")
    draft = Draft(offender)
    marked = replace(
        notice,
        lifts=(*notice.lifts, *_lifts(offender, notice, command)),
        asked_at=lane_view(given, policy).now,
    )
    if command.hold is LiftableHold.CONFLICT:
        marked = replace(marked, route=_route(offender, notice, command))
        draft = draft.say(offender.work(NoticeRouted, marked, command.by, agency=marked.route))
    outcome = settled(draft.tell(marked), given, policy, command.by)
    after = outcome.state.notices[notice.notification_id]
    held = (one.event.data for one in outcome.events if isinstance(one.event.data, NotificationHeld))
    told = any(one.notification_id == after.notification_id for one in held)
    if told or (after.state, after.reasons) != (notice.state, notice.reasons):
        return outcome
    still = offender.event(NotificationHeld, after, command.by, reasons=list(after.reasons))
    return replace(outcome, events=(*outcome.events, *outgoing(given, Draft(offender, (still,)))))


def _route(offender: Offender, notice: Notice, command: LiftHold) -> str:
    """Another agency's officer: his own must not be the one to tell him."""
    if command.agency is None:
        raise Refused("agency_missing")
    if command.agency in {pair.agency for pair in offender.open_pairs}:
        raise Refused("same_agency")
    return command.agency


def _lifters(hold: LiftableHold) -> frozenset[Role]:
    return LIFTERS if HoldReason(hold.value) in TWO_PEOPLE else frozenset({Role.COORDINATOR})


def _lifts(offender: Offender, notice: Notice, command: LiftHold) -> tuple[Lift, ...]:
    hold = HoldReason(command.hold.value)
    wanted = sorted(demand for demand in demands(offender, notice) if demand[0] is hold)
    still = [pair_id for reason, pair_id in wanted if not lifted(notice, (reason, pair_id))]
    if not still:
        raise Refused("already_lifted" if wanted else "not_held")
    # One person's, or one role's, second word on the same thing adds nothing: `unannounced` takes two of each.
    spoken = {
        lift.pair_id
        for lift in notice.lifts
        if lift.hold is hold and (lift.by == command.by or lift.role is command.role)
    }
    new = tuple(Lift(hold, pair_id, command.by, command.role) for pair_id in still if pair_id not in spoken)
    if not new:
        raise Refused("second_person_needed")
    return new


def not_in_future(at: datetime, given: Input, policy: NoticePolicy) -> None:
    """Raises `Refused` for a time that has not come."""
    if at > lane_view(given, policy).now + LATE_CLOCK:
        raise Refused("served_in_the_future")


def acted_on(one: T | None, command: PersonCommand, may: frozenset[Role], unknown: str) -> T:
    """What the command is about, if this person may act on it and saw it as it is. `unknown`: the code where there is none."""
    if command.role not in may:
        raise Refused("role_missing")
    if one is None:
        raise Refused(unknown)
    if command.expects not in (None, one.version):
        raise Refused(STALE)
    return one


def any_notice(offender: Offender, command: NotificationCommand, may: frozenset[Role]) -> Notice:
    """The notice, whatever has become of it."""
    notice = acted_on(offender.notices.get(command.notification_id), command, may, "unknown_notification")
    by_officer(offender, notice, command)
    return notice


def by_officer(offender: Offender, notice: Notice | None, command: NotificationCommand | HelpCommand) -> None:
    """Raises `Refused` for one who is not to deal with him: he may be a colleague."""
    his = offender.is_for(notice, command.by_agency) if notice is not None else not offender.conflict
    if command.role is Role.OFFICER and not his:
        raise Refused("other_agency")


def open_notice(offender: Offender, command: NotificationCommand, may: frozenset[Role]) -> Notice:
    """The same, if it is still to be given."""
    notice = any_notice(offender, command, may)
    if notice.state in GIVEN:
        raise Refused("already_served")
    if notice.state is NotificationState.CANCELLED:
        raise Refused("cancelled")
    return notice
