"""Referrals to the prosecutor: topic `ipvi.internal.enforcement.v1`. No contact with him, so no gate. No victim in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.duty import DutyRole
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier, Ori
from schemas.notification import CancelReason


class Lever(StrEnum):
    """What may be used against further violence, whatever becomes of the charge at hand."""

    FAST_TRACK = "fast_track"
    """The case is tried first, with or without the victim."""
    BOND_CONDITIONS = "bond_conditions"
    PRETRIAL_SUPERVISION = "pretrial_supervision"
    PROBATION_VIOLATION = "probation_violation"
    ORDER_VIOLATION = "order_violation"
    FEDERAL_FIREARMS = "federal_firearms"
    OPEN_WARRANTS = "open_warrants"
    HABITUAL_OFFENDER = "habitual_offender"


class EnforcementOutcome(StrEnum):
    """What came of it."""

    LEVERS_USED = "levers_used"
    NO_LEVER = "no_lever"
    DECLINED = "declined"
    """The prosecutor does not take it."""


class EnforcementState(StrEnum):
    """`referred` -> `taken` -> `closed`; `withdrawn` where its ground is gone."""

    REFERRED = "referred"
    TAKEN = "taken"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Enforcement(Data):
    """Common fields."""

    enforcement_id: str
    pair_id: str
    offender_id: Identifier
    by: str = "system"
    """The person's user name, or `system`."""


@event_type("ipvi.enforcement.referred.v1")
class EnforcementReferred(Enforcement):
    """To be looked at for every lever, at once; said again where what is charged has changed."""

    levers: list[Lever]
    """Those the county's policy names."""
    statutes: list[str] = []
    """Charged ones only."""
    arrested_at: Timestamp | None = None
    agency: Ori | None = None
    in_custody: bool = False
    hearing_at: Timestamp | None = None
    conflict_of_interest: bool = False


@event_type("ipvi.enforcement.taken.v1")
class EnforcementTaken(Enforcement):
    """A prosecutor works on it."""


@event_type("ipvi.enforcement.closed.v1")
class EnforcementClosed(Enforcement):
    """Done."""

    outcome: EnforcementOutcome
    levers: list[Lever] = []
    """Those that were used."""


@event_type("ipvi.enforcement.withdrawn.v1")
class EnforcementWithdrawn(Enforcement):
    """Its ground is gone."""

    reason: CancelReason


@event_type("ipvi.enforcement.escalated.v1")
class EnforcementEscalated(Enforcement):
    """Not taken, or not closed, in time: the role named is called."""

    role: DutyRole
    escalation: Annotated[int, Field(ge=1)]
    due_at: Timestamp
