"""It was given, and what is done where the facts changed after that. What he was told is a fact, however late it is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.commands import DecideCorrection, GiveCorrection, Role, Serve
from schemas.notice_work import Correction, CorrectionDecided, CorrectionGiven
from schemas.notification import (
    CancelReason,
    NotificationCorrected,
    NotificationServed,
    NotificationState,
    Place,
)
from services.common.service import Input, Outcome, Refused
from services.notifier.domain import FREE, GIVEN, UNSERVED, LaneView, Notice, Offender
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.commands import LATE_CLOCK, SERVERS, any_notice, not_in_future
from services.notifier.usecases.ending import cancelled
from services.notifier.usecases.merging import served_here
from services.notifier.usecases.settling import lane_view, settled
from services.notifier.usecases.telling import Draft
from services.notifier.usecases.undoing import withdrawn

DECIDERS = frozenset({Role.COORDINATOR})
_STILL_TRUE = frozenset({CancelReason.SUPERSEDED, CancelReason.MERGED, CancelReason.ALREADY_SERVED})
"""Cancelled for these, what he was told was no less true when he was told it."""


def serve(offender: Offender, command: Serve, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """Also where it was taken back, or cancelled, between the giving and the word of it."""
    notice = any_notice(offender, command, SERVERS)
    if notice.state in GIVEN:
        raise Refused("already_served")
    not_in_future(command.served_at, given, policy)
    if not _may_have_been(notice, command):
        raise Refused("cancelled" if notice.state is NotificationState.CANCELLED else "not_released")
    if command.letter_sha256 is not None and command.letter_sha256 not in {one.sha256 for one in notice.printed}:
        raise Refused("unknown_letter")
    if command.role is not Role.COORDINATOR:  # who records what went wrong as well
        _as_it_should_be(offender, notice, command, policy)
    draft = _served(Draft(offender), notice, command, lane_view(given, policy))
    return settled(draft, given, policy)


def _may_have_been(notice: Notice, command: Serve) -> bool:
    if notice.state in FREE and notice.taken_back_at is None:
        return True
    return notice.was_free(command.served_at)


def _as_it_should_be(offender: Offender, notice: Notice, command: Serve, policy: NoticePolicy) -> None:
    """Not before there was one; by the other agency's officer where one is named; where no charge explains it, into his hand,
    away from any home, and dated with the round.
    """
    if command.served_at < notice.prepared_at - LATE_CLOCK:
        raise Refused("not_released")
    agency = command.by_agency or command.served_by_agency
    if command.served_by_agency not in (None, agency) or notice.route not in (None, agency):
        raise Refused("other_agency")
    if not offender.is_unannounced(notice):
        return
    if command.place is Place.HOME:
        raise Refused("away_from_home")
    given = next((one for one in notice.printed if one.sha256 == command.letter_sha256), None)
    letter = given or (notice.printed[-1] if notice.printed else None)
    if letter is not None and not notice.is_day_of_round(letter.dated, ZoneInfo(policy.zone)):
        raise Refused("print_again")


def _served(draft: Draft, notice: Notice, command: Serve, lane: LaneView) -> Draft:
    ended = notice.ended
    served = replace(
        notice,
        state=NotificationState.SERVED,
        reasons=(),
        ended=None,
        since=lane.now,
        served_at=command.served_at,
        proof=command.proof,
        served_by=command.served_by or command.by,
        place=command.place,
        letter_sha256=command.letter_sha256 or notice.last_letter,
        unplanned=_unplanned(draft.offender, notice, command.served_at),
        serve_by=None,
        due=None,
    )
    event = draft.offender.event(
        NotificationServed,
        served,
        command.by,
        served_at=command.served_at,
        proof=command.proof,
        served_by=served.served_by,
        place=command.place,
        counsel_present=command.counsel_present,
        letter_sha256=served.letter_sha256,
        unplanned=served.unplanned,
    )
    if ended is not None:
        draft = _makes_room(draft, notice, lane)
    draft = draft.tell(served, event)
    if ended is not None and ended not in _STILL_TRUE:
        corrected = replace(served, state=NotificationState.CORRECTED, ended=ended)
        draft = draft.tell(corrected, draft.offender.event(NotificationCorrected, corrected, reason=ended))
    return served_here(draft, served)


def _unplanned(offender: Offender, notice: Notice, moment: datetime) -> bool:
    """Taken all the same, for she is to be asked after it; a coordinator sees that she could not be told before."""
    return not (offender.was_held(moment) or notice.was_planned(moment, LATE_CLOCK))


def _makes_room(draft: Draft, notice: Notice, lane: LaneView) -> Draft:
    """It was given before it was cancelled: its successor of the same tier is one too many."""
    for other in draft.offender.of(NotificationState):
        if other.tier is notice.tier and other.notification_id != notice.notification_id:
            if other.state in UNSERVED:
                draft = cancelled(draft, other, CancelReason.SUPERSEDED, lane.now)
            elif other.state in GIVEN and other.counts:
                raise Refused("already_served")
    return draft


def decide_correction(
    offender: Offender, command: DecideCorrection, given: Input, policy: NoticePolicy
) -> Outcome[Offender]:
    """A person decides what he is told; never un-sent in silence. May be decided anew until he has been told."""
    notice = _corrected(offender, command)
    now = lane_view(given, policy).now
    decided = replace(
        notice,
        correction=command.correction,
        since=notice.since if command.correction is notice.correction else now,
        asked_at=now,
        corrected_at=now if command.correction is Correction.NONE else None,
    )
    event = offender.work(CorrectionDecided, decided, command.by, correction=command.correction)
    return settled(Draft(offender).tell(decided, event), given, policy)


def give_correction(
    offender: Offender, command: GiveCorrection, given: Input, policy: NoticePolicy
) -> Outcome[Offender]:
    """A correction is a contact with him too: not while any gate of his is shut."""
    notice = _corrected(offender, command, SERVERS)
    if notice.correction is None:
        raise Refused("not_decided")
    if notice.since is not None and command.given_at < notice.since - LATE_CLOCK:
        raise Refused("not_decided")  # a withdrawal counts from when he is told
    not_in_future(command.given_at, given, policy)
    if not may_correct(offender, notice, lane_view(given, policy), command.role):
        raise Refused("not_released")
    done = replace(notice, corrected_at=command.given_at)
    event = offender.work(CorrectionGiven, done, command.by, correction=notice.correction, given_at=command.given_at)
    draft = Draft(offender).tell(done, event)
    if done.withdrawn:
        draft = withdrawn(draft, done, command.by, given, policy)
    return settled(draft, given, policy)


def may_correct(offender: Offender, notice: Notice, lane: LaneView, role: Role) -> bool:
    """Whether he may be told: with no pair to wait for there is nobody left.

    Unless she is on her way from another record of his, or has gone to one: whose gate it is, this lane does not know then. A
    coordinator, who can look there, records it.
    """
    waits = any(pair.waited_for for pair in offender.pairs.values())
    elsewhere = bool(offender.merges) or (bool(offender.told) and not waits)
    if elsewhere and role is not Role.COORDINATOR:
        return False
    return not waits or (lane.kept and offender.clear and lane.confirmed(offender, notice))


def _corrected(
    offender: Offender, command: DecideCorrection | GiveCorrection, may: frozenset[Role] = DECIDERS
) -> Notice:
    notice = any_notice(offender, command, may)
    if notice.state is not NotificationState.CORRECTED:
        raise Refused("not_corrected")
    if notice.corrected_at is not None:
        raise Refused("already_corrected")
    return notice
