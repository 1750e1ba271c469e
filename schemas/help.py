"""Help that he asks for: on topic `ipvi.internal.notice-work.v1`. It is offered with every notice and never a condition."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.duty import DutyRole
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier


class HelpKind(StrEnum):
    """What he asks for."""

    INTERVENTION_PROGRAM = "intervention_program"
    SUBSTANCE_USE = "substance_use"
    MENTAL_HEALTH = "mental_health"
    EMPLOYMENT = "employment"
    HOUSING = "housing"
    PARENTING = "parenting"
    OTHER = "other"


class HelpState(StrEnum):
    """`asked` -> `referred` -> `closed`."""

    ASKED = "asked"
    REFERRED = "referred"
    CLOSED = "closed"


class HelpOutcome(StrEnum):
    """What came of it, as the provider or he says."""

    COMPLETED = "completed"
    ENGAGED = "engaged"
    DID_NOT_ATTEND = "did_not_attend"
    DECLINED = "declined"
    """He does not want it any more."""
    NO_PLACE = "no_place"
    """The provider could not take him."""


Provider = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""The organisation's name."""


class Help(Data):
    """Common fields."""

    help_id: str
    offender_id: Identifier
    kind: HelpKind
    by: str = "system"
    """The person's user name, or `system`."""


@event_type("ipvi.help.asked.v1")
class HelpAsked(Help):
    """He asked for it."""

    notification_id: str | None = None
    """The notice at which he did."""


@event_type("ipvi.help.referred.v1")
class HelpReferred(Help):
    """He was referred to a provider."""

    provider: Provider


@event_type("ipvi.help.closed.v1")
class HelpClosed(Help):
    """Done, one way or the other."""

    outcome: HelpOutcome


@event_type("ipvi.help.escalated.v1")
class HelpEscalated(Help):
    """Nobody has referred him, or said what came of it, in time: the role named is called."""

    role: DutyRole
    escalation: Annotated[int, Field(ge=1)]
    due_at: Timestamp
