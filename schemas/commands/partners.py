"""What the partners' service is asked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.commands.common import PersonCommand, RetryParked, Tick
from schemas.envelope import event_type


@event_type("ipvi.partners.command.tick.v1")
class PartnersTick(Tick):
    """The clock of all partners' lanes."""


@event_type("ipvi.partners.command.retry_parked.v1")
class PartnersRetryParked(RetryParked):
    """Partners', of every partner."""


@event_type("ipvi.partners.command.confirm.v1")
class ConfirmNote(PersonCommand):
    """A partner has done what a note asked for: what it took back is gone from there."""

    partner: Annotated[str, Field(min_length=1, max_length=40)]
    note_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Id of the event that asked for it."""
