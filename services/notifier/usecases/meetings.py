"""A call-in in its own lane: planned, moved, cancelled, its roster, and whether everybody's coming is known.

It knows its capacity; each man's own lane knows whether he may be told. `invite` goes there, `tell_seat` comes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas import call_in as told
from schemas.call_in import CallInState, SeatState
from schemas.commands import (
    CallInCommand,
    CancelCallIn,
    Invite,
    PlanCallIn,
    Role,
    Seat,
    TellSeat,
    Uninvite,
    Unseat,
)
from schemas.envelope import Data
from schemas.topics import Topic
from services.common.service import Input, Outcome, Outgoing, Refused, caused_by
from services.notifier.domain import CallIn, Deadline, Kept, Offender, Place
from services.notifier.rules import NoticePolicy, after, deadline, overdue
from services.notifier.usecases.settling import lane_view
from services.notifier.usecases.telling import SOURCE, alerted

PLANNERS = frozenset({Role.COORDINATOR})


@dataclass(frozen=True, slots=True)
class Meeting:
    """The call-in as changed so far, and what is to be said of it, in order."""

    call_in: CallIn
    said: tuple[Data, ...] = ()

    def say(self, *events: Data) -> Meeting:
        return replace(self, said=(*self.said, *events))

    def seat(self, place: Place, by: str = "system") -> Meeting:
        """A place changes, and it is told."""
        event = told.CallInSeatChanged(
            call_in_id=self.call_in.call_in_id,
            by=by,
            seated_offender_id=place.offender_id,
            notification_id=place.notification_id,
            seat=place.state,
        )
        return replace(self.say(event), call_in=self.call_in.with_place(place))


def plan_call_in(state: Kept, command: PlanCallIn, given: Input, policy: NoticePolicy) -> Outcome[Kept]:
    """Planned, or moved: everybody on the roster is told of the new time and place, or loses his own where he may not be."""
    known = None
    if isinstance(state, CallIn):
        known = _known(state, command)
    else:
        _check_new(state, command)
    if command.starts_at <= given.now:
        raise Refused("starts_in_the_past")
    if known is not None and command.capacity < known.capacity - known.places_left:
        raise Refused("call_in_full")
    made = CallIn(
        command.call_in_id,
        command.starts_at,
        command.venue,
        command.capacity,
        tuple(command.speakers),
        roster=known.roster if known is not None else {},
        due=known.due if known is not None else None,
    )
    event = told.CallInPlanned(
        call_in_id=made.call_in_id,
        by=command.by,
        starts_at=made.starts_at,
        venue=made.venue,
        capacity=made.capacity,
        speakers=list(made.speakers),
    )
    return _settled(
        Meeting(made, (event, *(_invite(made, place, moved=True) for place in made.open_places))), given, policy
    )


def cancel_call_in(state: Kept, command: CancelCallIn, given: Input, policy: NoticePolicy) -> Outcome[Kept]:
    """Nobody is given notice by it; who was on its roster waits for another."""
    known = _known(state, command)
    meeting = Meeting(replace(known, state=CallInState.CANCELLED))
    meeting = meeting.say(told.CallInCancelled(call_in_id=known.call_in_id, by=command.by))
    for place in known.open_places:
        meeting = _freed(meeting, place, command.by)
    return _settled(meeting, given, policy)


def seat(state: Kept, command: Seat, given: Input, policy: NoticePolicy) -> Outcome[Kept]:
    """On the roster, until his lane says otherwise."""
    known = _known(state, command)
    if known.starts_at <= given.now:
        raise Refused("call_in_over")
    place = known.roster.get(command.notification_id)
    if place is not None and place in known.open_places:
        return Outcome(state, result="none")
    if known.places_left < 1:
        raise Refused("call_in_full")
    asking = 1 if place is None else place.asking + 1
    place = Place(command.notification_id, command.seated_offender_id, asking=asking)
    return _settled(Meeting(known).seat(place, command.by).say(_invite(known, place)), given, policy)


def unseat(state: Kept, command: Unseat, given: Input, policy: NoticePolicy) -> Outcome[Kept]:
    """Off the roster."""
    known = _known(state, command)
    place = known.roster.get(command.notification_id)
    if place is None or place not in known.open_places:
        raise Refused("not_on_roster")
    return _settled(_freed(Meeting(known), place, command.by), given, policy)


def tell_seat(state: Kept, said: TellSeat, given: Input, policy: NoticePolicy) -> Outcome[Kept]:
    """What his lane says. A place that was given up here meanwhile stays so."""
    place = state.roster.get(said.notification_id) if isinstance(state, CallIn) else None
    if not isinstance(state, CallIn) or place is None or place not in state.open_places:
        return Outcome(state, result="none")
    if place.asking != said.asking or place.state is said.seat:
        return Outcome(state, result="none")
    return _settled(Meeting(state).seat(replace(place, state=said.seat)), given, policy)


def meeting_clock(state: CallIn, given: Input, policy: NoticePolicy) -> Outcome[Kept]:
    """Time goes by: over, or over and nobody has said who came."""
    return _settled(Meeting(state), given, policy)


def _check_new(state: Offender, command: PlanCallIn) -> None:
    if command.role not in PLANNERS:
        raise Refused("role_missing")
    if state != Offender(state.offender_id):
        raise Refused("unknown_call_in")  # an offender's id, of all things


def _known(state: Kept, command: CallInCommand) -> CallIn:
    if command.role not in PLANNERS:
        raise Refused("role_missing")
    if not isinstance(state, CallIn):
        raise Refused("unknown_call_in")
    if state.over:
        raise Refused("call_in_over")
    return state


def _invite(call_in: CallIn, place: Place, *, moved: bool = False) -> Invite:
    return Invite(
        offender_id=place.offender_id,
        notification_id=place.notification_id,
        call_in_id=call_in.call_in_id,
        asking=place.asking,
        moved=moved,
        starts_at=call_in.starts_at,
        venue=call_in.venue,
    )


def _freed(meeting: Meeting, place: Place, by: str) -> Meeting:
    word = Uninvite(
        offender_id=place.offender_id,
        notification_id=place.notification_id,
        call_in_id=meeting.call_in.call_in_id,
        asking=place.asking,
    )
    return meeting.seat(replace(place, state=SeatState.FREED), by).say(word)


def _settled(meeting: Meeting, given: Input, policy: NoticePolicy) -> Outcome[Kept]:
    now, call_in = lane_view(given, policy).now, meeting.call_in
    if not call_in.over and now >= call_in.starts_at and not call_in.open_places:
        attended, missed = call_in.count(SeatState.ATTENDED), call_in.count(SeatState.MISSED)
        event = told.CallInHeld(call_in_id=call_in.call_in_id, attended=attended, missed=missed)
        meeting = replace(meeting.say(event), call_in=replace(call_in, state=CallInState.HELD))
    alerts: tuple[Outgoing, ...] = ()
    due = _due(meeting.call_in, policy)
    called = overdue(due, policy.notices.duty.holds, now, policy.again) if due is not None else None
    if called is not None:
        due, role = called
        meeting = meeting.say(
            told.CallInEscalated(call_in_id=call_in.call_in_id, role=role, escalation=due.escalation, due_at=due.first)
        )
        alerts = (alerted(given, role, due.escalation, call_in.call_in_id),)
    after_ = meeting.call_in if due == meeting.call_in.due else replace(meeting.call_in, due=due)
    return Outcome(after_, (*(_outgoing(given, n, data) for n, data in enumerate(meeting.said)), *alerts))


def _due(call_in: CallIn, policy: NoticePolicy) -> Deadline | None:
    if call_in.over:
        return None
    span = policy.notices.attendance_within
    # With nobody on the roster it is over when it begins.
    first = after(call_in.starts_at, span, policy.calendar(None)) if call_in.open_places else call_in.starts_at
    return deadline(call_in.due, first)


def _outgoing(given: Input, number: int, data: Data) -> Outgoing:
    match data:
        case Invite() | Uninvite():
            topic, subject = Topic.NOTIFIER_COMMANDS, data.offender_id
        case told.CallIn():
            topic, subject = Topic.CALL_INS, data.call_in_id
        case _:
            raise TypeError(f"{data.TYPE} has no topic of a call-in's")
    event = caused_by(given, SOURCE, data, topic, subject, number, subject=subject)
    return Outgoing(topic, event, other_lane=topic is Topic.NOTIFIER_COMMANDS)
