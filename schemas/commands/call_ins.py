"""What the notifier is asked about call-ins: by people, and between the lane of a call-in and those of its guests."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.call_in import CallInId, Capacity, SeatState, Speaker, Venue
from schemas.commands.common import Role
from schemas.commands.notices import NotificationCommand
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier

Asking = Annotated[int, Field(ge=1)]
"""How many times he was asked to this call-in: an answer to an earlier time is none to the last."""


class CallInCommand(Data):
    """An act of a person on a call-in, in its own lane: the Kafka key is its id."""

    call_in_id: CallInId
    by: Annotated[str, Field(min_length=1, max_length=120)]
    role: Role


@event_type("ipvi.notifier.command.plan_call_in.v1")
class PlanCallIn(CallInCommand):
    """It is to be held; again: it is moved."""

    starts_at: Timestamp
    venue: Venue
    capacity: Capacity
    speakers: Annotated[list[Speaker], Field(max_length=30)] = []


@event_type("ipvi.notifier.command.cancel_call_in.v1")
class CancelCallIn(CallInCommand):
    """It will not be held."""


@event_type("ipvi.notifier.command.seat.v1")
class Seat(CallInCommand):
    """Put him on the roster; his own lane says whether he may be told now."""

    seated_offender_id: Identifier
    notification_id: str


@event_type("ipvi.notifier.command.unseat.v1")
class Unseat(CallInCommand):
    """Take him off the roster."""

    notification_id: str


@event_type("ipvi.notifier.command.attend.v1")
class Attend(NotificationCommand):
    """Whether he came. Who came has been told; who did not has missed a visit."""

    call_in_id: CallInId
    attended: bool


@event_type("ipvi.notifier.command.invite.v1")
class Invite(Data):
    """From a call-in's lane to his: there is a place for him, or it is at another time or place now."""

    offender_id: Identifier
    notification_id: str
    call_in_id: CallInId
    asking: Asking
    moved: bool = False
    """For who has that place alone: it is at another time or place now."""
    starts_at: Timestamp
    venue: Venue


@event_type("ipvi.notifier.command.uninvite.v1")
class Uninvite(Data):
    """From a call-in's lane to his: there is no place for him any more."""

    offender_id: Identifier
    notification_id: str
    call_in_id: CallInId
    asking: Asking


@event_type("ipvi.notifier.command.tell_seat.v1")
class TellSeat(Data):
    """From his lane to a call-in's: what has become of his place."""

    call_in_id: CallInId
    notification_id: str
    asking: Asking
    seat: SeatState
