"""What people do with a notice. A refusal changes nothing and says why, by a code."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from schemas.commands import CancelNotification, Fail, LiftableHold, LiftHold, NotificationCommand, Role, Serve
from schemas.notification import (
    CancelReason,
    HoldReason,
    NotificationFailed,
    NotificationHeld,
    NotificationServed,
    NotificationState,
)
from services.common.service import Input, Outcome
from services.common.versions import STALE
from services.notifier.domain import FREE, GIVEN, Lift, Notice, Offender, demands, lifted
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.decisions import cancelled
from services.notifier.usecases.settling import Draft, lane_view, outgoing, settled

SERVERS = frozenset({Role.OFFICER, Role.COORDINATOR})
CANCELLERS = frozenset({Role.COORDINATOR})
LIFTERS = frozenset({Role.COORDINATOR, Role.OUTREACH_SUPERVISOR})

LATE_CLOCK = timedelta(minutes=5)
"""How far a device's clock may run ahead of the broker's before a time of service is taken for an error."""


class Refused(Exception):  # noqa: N818 (an answer, not a fault)
    """The command may not be done; the argument is the code."""


def serve(offender: Offender, command: Serve, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """It was given. Also where it was taken back between the giving and the word of it: what he was told is a fact."""
    notice = _notice(offender, command, SERVERS)
    if command.served_at > lane_view(given, policy).now + LATE_CLOCK:
        raise Refused("served_in_the_future")
    if notice.state not in FREE and not notice.was_free(command.served_at):
        raise Refused("not_released")
    served = replace(
        notice, state=NotificationState.SERVED, reasons=(), served_at=command.served_at, proof=command.proof
    )
    event = offender.event(NotificationServed, served, command.by, served_at=command.served_at, proof=command.proof)
    return settled(Draft(offender).tell(served, event), given, policy)


def fail(offender: Offender, command: Fail, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """It could not be given this time; it may be tried again."""
    notice = _notice(offender, command, SERVERS)
    if notice.state not in FREE:
        raise Refused("not_released")
    failed = replace(notice, state=NotificationState.FAILED)
    event = offender.event(NotificationFailed, failed, command.by, reason=command.reason)
    return settled(Draft(offender).tell(failed, event), given, policy)


def cancel(offender: Offender, command: CancelNotification, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """It shall not be given. The other reasons are facts, and come with the record that makes them so."""
    notice = _notice(offender, command, CANCELLERS)
    if command.reason is not CancelReason.BY_PERSON:
        raise Refused("reason_not_a_persons")
    return settled(cancelled(Draft(offender), notice, command.reason, command.by), given, policy)


def lift(offender: Offender, command: LiftHold, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """One person's word on one hold, for the pairs that raise it now and for no later one."""
    notice = _notice(offender, command, _lifters(command.hold))
    marked = replace(notice, lifts=(*notice.lifts, *_lifts(offender, notice, command)))
    outcome = settled(Draft(offender.with_notice(marked)), given, policy, command.by)
    after = outcome.state.notices[notice.notification_id]
    if (after.state, after.reasons) != (notice.state, notice.reasons):
        return outcome
    still = offender.event(NotificationHeld, after, command.by, reasons=list(after.reasons))
    return replace(outcome, events=(*outcome.events, *outgoing(given, (still,))))


def _lifters(hold: LiftableHold) -> frozenset[Role]:
    return LIFTERS if hold is LiftableHold.UNANNOUNCED else frozenset({Role.COORDINATOR})


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


def _notice(offender: Offender, command: NotificationCommand, may: frozenset[Role]) -> Notice:
    """The notice the command is about, if this person may act on it and it is still to be given."""
    if command.role not in may:
        raise Refused("role_missing")
    notice = offender.notices.get(command.notification_id)
    if notice is None:
        raise Refused("unknown_notification")
    if command.expects not in (None, notice.version):
        raise Refused(STALE)
    if notice.state in GIVEN:
        raise Refused("already_served")
    if notice.state is NotificationState.CANCELLED:
        raise Refused("cancelled")
    return notice
