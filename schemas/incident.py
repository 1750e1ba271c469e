"""What agencies report: incidents, retractions, expunctions, merges, splits, custody, orders, dispositions.

Topic `ipvi.restricted.incidents.v1`, keyed by offender. Times are RFC 3339 with a zone.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.envelope import Data, Timestamp, event_type
from schemas.nibrs import ArrestTypeCode, ForceCode, OffenseCode, RelationshipCode

Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""Without control characters: PostgreSQL keeps no NUL, and a log line must stay one line."""
Ori = Annotated[str, Field(pattern=r"^[A-Z0-9]{9}$")]
Revision = Annotated[int, Field(ge=1, le=999_999_999_999_999)]
"""Room for milliseconds since 1970; no more than every database and every JSON reader holds exactly."""
VictimNo = Annotated[int, Field(ge=1, le=999_999_999)]
IncidentId = Annotated[str, Field(pattern=r"^[A-Z0-9]{9}:.{1,100}$")]


class ProhibitedBehavior(StrEnum):
    """A breach of what he was told not to do; charged or not."""

    PROTECTIVE_ORDER = "protective_order"
    PRETRIAL_CONDITION = "pretrial_condition"
    NO_CONTACT = "no_contact"
    PROBATION = "probation"
    NOTICE_TERMS = "notice_terms"


class Disposition(StrEnum):
    """What became of a charge."""

    PENDING = "pending"
    CONVICTED = "convicted"
    DISMISSED = "dismissed"
    ACQUITTED = "acquitted"


class Offender(Data):
    """The person this event is about, as the agency knows him."""

    offender_id: Identifier
    birth_date: date | None = None
    age: Annotated[int, Field(ge=0, le=120)] | None = None
    """Years at the time of the incident; null where not known."""
    tried_as_adult: bool = False
    conflict_of_interest: bool = False
    """A sworn officer or the like: same tier, other route."""


class Victim(Data):
    """One victim of the incident, in relation to this offender."""

    victim_no: VictimNo | None = None
    """Stable over revisions; absent means the place in the list, from 1."""
    victim_id: Identifier | None = None
    """Null: not identified."""
    relationship: RelationshipCode
    """NIBRS code of what the victim was to this offender."""
    child_in_common: bool = False
    offenses: list[OffenseCode] = []
    """Codes of the offences against this victim; empty means not known."""


class Offense(Data):
    """One offence of the incident."""

    code: OffenseCode
    charged: bool
    force: list[ForceCode] = []
    statute: Annotated[str, Field(max_length=80)] | None = None
    disposition: Disposition | None = None


class Arrest(Data):
    """One `arrest_id` is one charge, whoever reports it and however many incidents it clears."""

    arrest_id: Identifier
    arrested_at: Timestamp
    type: ArrestTypeCode


@event_type("ipvi.incident.reported.v1")
class IncidentReported(Data):
    """One event per offender of an incident; a higher revision amends, an equal or lower one is ignored."""

    incident_id: IncidentId
    revision: Revision
    agency: Ori
    occurred_at: Timestamp
    reported_at: Timestamp
    offender: Offender
    victims: list[Victim]
    offenses: list[Offense]
    prohibited_behavior: list[ProhibitedBehavior] = []
    probable_cause: bool | None = None
    """Null: not known, which is not no."""
    offender_informed: bool | None = None
    """Whether police spoke with him about this incident; null: not known."""
    arrest: Arrest | None = None
    arrestee_unmatched: bool = False
    """The report holds an arrest that could not be matched to one offender (NIBRS links none)."""
    bulk: bool = False
    """Part of a history load."""


@event_type("ipvi.incident.retracted.v1")
class IncidentRetracted(Data):
    """Takes back every revision up to its own, in any order of arrival; without one it is final."""

    incident_id: IncidentId
    offender_id: Identifier
    agency: Ori
    revision: Revision | None = None


@event_type("ipvi.incident.expunged.v1")
class IncidentExpunged(Data):
    """A court's order: the incident leaves no trace. Always final."""

    incident_id: IncidentId
    offender_id: Identifier
    agency: Ori


@event_type("ipvi.offender.merged.v1")
class OffenderMerged(Data):
    """Two records are one person: `merged_offender_id` folds into `offender_id`, later events for it too."""

    offender_id: Identifier
    merged_offender_id: Identifier


@event_type("ipvi.offender.split.v1")
class OffenderSplit(Data):
    """One record was two persons: these incidents move to `new_offender_id`."""

    offender_id: Identifier
    new_offender_id: Identifier
    incident_ids: Annotated[list[IncidentId], Field(min_length=1)]


class CustodyChange(StrEnum):
    """What happened to a booking."""

    BOOKED = "booked"
    HEARING_SET = "hearing_set"
    RELEASED = "released"


@event_type("ipvi.custody.changed.v1")
class CustodyChanged(Data):
    """A jail's record of one booking."""

    offender_id: Identifier
    booking_id: Identifier
    change: CustodyChange
    at: Timestamp
    """Booking or release: when it happened; `hearing_set`: when the hearing is."""
    facility: Annotated[str, Field(max_length=120)] | None = None


class OrderChange(StrEnum):
    """What happened to an order."""

    ISSUED = "issued"
    AMENDED = "amended"
    LIFTED = "lifted"


@event_type("ipvi.order.changed.v1")
class OrderChanged(Data):
    """A court order or condition that binds the offender. Proves no partnership by itself."""

    offender_id: Identifier
    order_id: Identifier
    kind: ProhibitedBehavior
    from_: Timestamp = Field(alias="from")
    until: Timestamp | None = None
    change: OrderChange


@event_type("ipvi.case.disposed.v1")
class CaseDisposed(Data):
    """A court's disposition of one charge of one arrest."""

    offender_id: Identifier
    arrest_id: Identifier
    charge: OffenseCode
    disposition: Disposition


class RecordedTier(StrEnum):
    """The list a notice was given for."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


@event_type("ipvi.notification.recorded.v1")
class NotificationRecorded(Data):
    """A notice served before this system was there; counts as served."""

    offender_id: Identifier
    notification_id: Identifier
    tier: RecordedTier
    served_at: Timestamp
