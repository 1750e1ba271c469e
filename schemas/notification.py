"""Notifications: contacts with the offender. Topic `ipvi.internal.notifications.v1`; nothing of any victim."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.classification import Tier
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier, Ori


class NotificationState(StrEnum):
    """`prepared` -> `held` -> `released` -> `served` | `failed` | `cancelled` | `corrected`."""

    PREPARED = "prepared"
    HELD = "held"
    RELEASED = "released"
    SERVED = "served"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CORRECTED = "corrected"


class HoldReason(StrEnum):
    """Why a notification waits. Offender-side pages say *waiting* and never which of these."""

    GATE = "gate"
    BULK = "bulk"
    BREAKER = "breaker"
    CONFLICT = "conflict"
    MUTUAL = "mutual"
    UNANNOUNCED = "unannounced"
    CHALLENGED = "challenged"
    """He, or his counsel, disputes the listing."""
    ALSO_VICTIM = "also_victim"
    """He has himself been hurt by a partner: two people look at it first."""
    UNSIGNED_TEMPLATE = "unsigned_template"
    """The wording it would be made from is not signed off, or is no longer what was signed."""
    MERGE_PENDING = "merge_pending"
    """Two records are being made one, and what he was given under the other is not known yet."""


class Channel(StrEnum):
    """How a notice is given."""

    CUSTODY_VISIT = "custody_visit"
    LETTER_IN_HAND = "letter_in_hand"
    FACE_TO_FACE = "face_to_face"
    PHONE = "phone"
    MAIL = "mail"
    CALL_IN = "call_in"
    PROVIDER_REFERRAL = "provider_referral"


class FailureReason(StrEnum):
    """Why a service did not succeed; it may be tried again."""

    REFUSED = "refused"
    NOT_FOUND = "not_found"
    MISSED_VISIT = "missed_visit"


class CancelReason(StrEnum):
    """Why a notification will not be given."""

    RETRACTED = "retracted"
    EXPUNGED = "expunged"
    SUPERSEDED = "superseded"
    TIER_LOWERED = "tier_lowered"
    MERGED = "merged"
    ALREADY_SERVED = "already_served"
    BY_PERSON = "by_person"


class ServiceMistake(StrEnum):
    """Why a service was recorded that was none."""

    WRONG_PERSON = "wrong_person"
    """It was given to another."""
    WRONG_NOTICE = "wrong_notice"
    """He was given another notice of his."""
    NOT_GIVEN = "not_given"
    """Nobody was given anything."""


class Proof(StrEnum):
    """How the service is proved."""

    SIGNATURE = "signature"
    BODY_CAMERA = "body_camera"
    OFFICER_STATEMENT = "officer_statement"
    CALL_IN_ROSTER = "call_in_roster"
    PROVIDER_RECORD = "provider_record"


class Place(StrEnum):
    """Where it was given or tried. Never an address."""

    JAIL = "jail"
    POLICE_STATION = "police_station"
    COURT = "court"
    PROBATION_OFFICE = "probation_office"
    WORKPLACE = "workplace"
    PUBLIC_PLACE = "public_place"
    CALL_IN = "call_in"
    HOME = "home"
    """Any home: hers may be the same."""


class Notification(Data):
    """Common fields of every change of a notification."""

    notification_id: str
    pair_id: str
    offender_id: Identifier
    tier: Tier
    channel: Channel
    language: str = "en"
    template: str
    """Id and version of the template the text is made from."""
    template_sha256: str | None = None
    """Of the wording; null where no county's letters are set up."""
    by: str = "system"
    """The person's user name, or `system`."""


@event_type("ipvi.notification.prepared.v1")
class NotificationPrepared(Notification):
    """Made from a template by tier, channel and language."""

    statutes: list[str] = []
    in_custody: bool = False


@event_type("ipvi.notification.held.v1")
class NotificationHeld(Notification):
    """Waits, for these reasons."""

    reasons: list[HoldReason]


@event_type("ipvi.notification.released.v1")
class NotificationReleased(Notification):
    """May be given now."""

    serve_by: Timestamp | None = None
    """When it is planned to have been given: before then she hears of it first."""
    agency: Ori | None = None
    """Whose officer gives it, where that is another's than the incident's."""


@event_type("ipvi.notification.planned.v1")
class NotificationPlanned(Notification):
    """The delivery round it is to be given on was set, or moved; nulls: there is none now. It may be waiting still."""

    planned_from: Timestamp | None = None
    planned_until: Timestamp | None = None
    """Null of a call-in: that begins at its time."""


@event_type("ipvi.notification.served.v1")
class NotificationServed(Notification):
    """Was given."""

    served_at: Timestamp
    proof: Proof
    served_by: str | None = None
    """Who gave it, where that is not who recorded it."""
    place: Place | None = None
    counsel_present: bool | None = None
    letter_sha256: str | None = None
    """Of the letter that was given, as it was printed."""
    unplanned: bool = False
    """Outside jail and outside any round or call-in that was planned: she could not be told of the day before."""


@event_type("ipvi.notification.failed.v1")
class NotificationFailed(Notification):
    """Could not be given this time."""

    reason: FailureReason
    attempted_at: Timestamp | None = None
    place: Place | None = None
    attempt: Annotated[int, Field(ge=1)] | None = None
    """How many times it has been tried."""


@event_type("ipvi.notification.cancelled.v1")
class NotificationCancelled(Notification):
    """Will not be given; counts as never given."""

    reason: CancelReason


@event_type("ipvi.notification.corrected.v1")
class NotificationCorrected(Notification):
    """Was served, then the facts changed: a person decides what to tell him."""

    reason: CancelReason


@event_type("ipvi.notification.withdrawn.v1")
class NotificationWithdrawn(Notification):
    """What was said to have been given does not stand: it was taken back from him, or was recorded by mistake."""

    served_at: Timestamp
    """As the service said that does not stand."""
    withdrawn_at: Timestamp | None = None
    """When he was told so: its terms bound him until then. Null: they never did."""
    mistake: ServiceMistake | None = None
    """Null: it had been given."""
