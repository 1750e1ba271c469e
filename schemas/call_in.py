"""Call-ins: one meeting for several offenders, each of whom lives in a lane of his own. Topic `ipvi.internal.call-ins.v1`.

The meeting has a lane too, by its own id as key. Nothing of any victim; offenders by id alone.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.duty import DutyRole
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier

_LINE = r"^[^\x00-\x1f\x7f]+$"
Venue = Annotated[str, Field(min_length=1, max_length=120, pattern=_LINE)]
Speaker = Annotated[str, Field(min_length=1, max_length=120, pattern=_LINE)]
"""By office, as on the invitation: chief of police, district attorney, a pastor. Never the victim of anybody invited."""
Capacity = Annotated[int, Field(ge=1, le=500)]
CallInId = Annotated[str, Field(min_length=36, max_length=36)]


class CallInState(StrEnum):
    """`planned` -> `held` | `cancelled`."""

    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"


class SeatState(StrEnum):
    """`asked` -> `taken` -> `attended` | `missed`; `refused` or `freed` where he may not, or may no longer, be told."""

    ASKED = "asked"
    """His own lane has not answered."""
    TAKEN = "taken"
    REFUSED = "refused"
    FREED = "freed"
    ATTENDED = "attended"
    MISSED = "missed"


class CallIn(Data):
    """Common fields."""

    call_in_id: CallInId
    by: str = "system"
    """The person's user name, or `system`."""


@event_type("ipvi.call_in.planned.v1")
class CallInPlanned(CallIn):
    """To be held; said again where it has been moved."""

    starts_at: Timestamp
    venue: Venue
    capacity: Capacity
    speakers: list[Speaker] = []


@event_type("ipvi.call_in.cancelled.v1")
class CallInCancelled(CallIn):
    """Will not be held; who was on its roster waits for another."""


@event_type("ipvi.call_in.held.v1")
class CallInHeld(CallIn):
    """Over, and it is known of everybody on the roster whether he came."""

    attended: Annotated[int, Field(ge=0)]
    missed: Annotated[int, Field(ge=0)]


@event_type("ipvi.call_in.seat_changed.v1")
class CallInSeatChanged(CallIn):
    """What has become of one place on the roster."""

    seated_offender_id: Identifier
    notification_id: str
    seat: SeatState


@event_type("ipvi.call_in.escalated.v1")
class CallInEscalated(CallIn):
    """Over, and nobody has said who came: the role named is called."""

    role: DutyRole
    escalation: Annotated[int, Field(ge=1)]
    due_at: Timestamp
