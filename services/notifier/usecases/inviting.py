"""A call-in in his lane: his place there, and whether he came.

A place is freed as soon as his notice is not one to be given at a call-in any more, whatever the cause; why is not said.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from schemas.call_in import SeatState
from schemas.commands import Attend, Invite, Role, TellSeat, Uninvite
from schemas.notification import (
    FailureReason,
    NotificationFailed,
    NotificationServed,
    NotificationState,
    Place,
    Proof,
)
from services.common.service import Input, Outcome, Refused
from services.notifier.domain import Attempt, CallInSeat, Notice, Offender
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.commands import SERVERS, open_notice
from services.notifier.usecases.merging import served_here
from services.notifier.usecases.settling import lane_view, settled
from services.notifier.usecases.telling import Draft

EARLY = timedelta(minutes=30)
"""How long before the time on the invitation it may be said that somebody came."""


def invite(offender: Offender, word: Invite, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """Taken if he may be told now, and at a call-in, and has no place at another."""
    notice = offender.notices.get(word.notification_id)
    if word.moved:
        return _moved(offender, notice, word, given, policy)
    if notice is None or not notice.may_be_called_in or notice.seat is not None:
        return settled(Draft(offender).say(_told(word, SeatState.REFUSED)), given, policy)
    seated = replace(notice, seat=CallInSeat(word.call_in_id, word.starts_at, word.venue, word.asking))
    return settled(Draft(offender).tell(seated, _told(word, SeatState.TAKEN)), given, policy)


def _moved(
    offender: Offender, notice: Notice | None, word: Invite, given: Input, policy: NoticePolicy
) -> Outcome[Offender]:
    """For who has the place; who has lost it in the meantime has said so."""
    if notice is None or notice.seat is None or not _same(notice.seat, word):
        return Outcome(offender, result="none")
    seat = replace(notice.seat, starts_at=word.starts_at, venue=word.venue)
    return settled(Draft(offender).tell(replace(notice, seat=seat)), given, policy)


def uninvite(offender: Offender, word: Uninvite, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """He waits for another."""
    notice = offender.notices.get(word.notification_id)
    if notice is None or notice.seat is None or not _same(notice.seat, word):
        return Outcome(offender, result="none")
    return settled(Draft(offender).tell(replace(notice, seat=None)), given, policy)


def _same(seat: CallInSeat, word: Invite | Uninvite) -> bool:
    return (seat.call_in_id, seat.asking) == (word.call_in_id, word.asking)


def _told(word: Invite, seat: SeatState) -> TellSeat:
    return TellSeat(call_in_id=word.call_in_id, notification_id=word.notification_id, asking=word.asking, seat=seat)


def attend(offender: Offender, command: Attend, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """Who came has been given notice, at the time on the invitation; who did not has missed it."""
    notice = open_notice(offender, command, SERVERS)
    held = notice.seat
    if held is None or held.call_in_id != command.call_in_id:
        raise Refused("not_on_roster")
    if command.attended and notice.route is not None and command.role is not Role.COORDINATOR:
        raise Refused("other_agency")  # a roster does not say whose officer told him
    now = lane_view(given, policy).now
    if held.starts_at > now + EARLY:
        raise Refused("served_in_the_future")
    at = min(held.starts_at, now)
    seat_now = SeatState.ATTENDED if command.attended else SeatState.MISSED
    word = TellSeat(
        call_in_id=held.call_in_id, notification_id=notice.notification_id, asking=held.asking, seat=seat_now
    )
    if not command.attended:
        attempt = Attempt(at, command.by, notice.channel, FailureReason.MISSED_VISIT, Place.CALL_IN)
        failed = replace(
            notice,
            state=NotificationState.FAILED,
            attempts=(*notice.attempts, attempt),
            since=now,
            serve_by=None,
            claimed_by=None,
            seat=None,
        )
        event = offender.event(
            NotificationFailed,
            failed,
            command.by,
            reason=attempt.reason,
            attempted_at=at,
            place=attempt.place,
            attempt=len(failed.attempts),
        )
        return settled(Draft(offender).tell(failed, event, word), given, policy)
    served = replace(
        notice,
        state=NotificationState.SERVED,
        since=now,
        served_at=at,
        proof=Proof.CALL_IN_ROSTER,
        served_by=command.by,
        place=Place.CALL_IN,
        letter_sha256=notice.last_letter,
        serve_by=None,
        seat=None,
        due=None,
    )
    event_ = offender.event(
        NotificationServed,
        served,
        command.by,
        served_at=at,
        proof=Proof.CALL_IN_ROSTER,
        served_by=command.by,
        place=Place.CALL_IN,
        letter_sha256=served.letter_sha256,
    )
    return settled(served_here(Draft(offender).tell(served, event_, word), served), given, policy)
