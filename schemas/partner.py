"""What partners are sent: redacted copies of offender-side events, under ids that are each partner's own.

Topic `ipvi.partner.<id>.v1`, one a partner. A field is sent only where the partner's file names it (`partner_file`), so in a
copy *absent* means not shared, and null means there is none. What stands in no model here leaves for nobody: a new field of
an event is not sendable until somebody writes it down here and says to whom. `docs/partners.md` says why each is as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from schemas.classification import Change, OffenderDecided, Tier, TierCurrent
from schemas.envelope import Data, Timestamp
from schemas.incident import IncidentId, Ori
from schemas.notification import (
    Channel,
    FailureReason,
    NotificationCancelled,
    NotificationCorrected,
    NotificationFailed,
    NotificationPrepared,
    NotificationServed,
    NotificationWithdrawn,
    Proof,
)


class PartnerKind(StrEnum):
    """What a partner is, by which it is settled what it may be sent at most."""

    LAW_ENFORCEMENT = "law_enforcement"
    """The only one that may be sent D (28 CFR 23.20)."""
    PROSECUTION = "prosecution"
    COURT = "court"
    PROBATION = "probation"
    SERVICE_PROVIDER = "service_provider"
    """Of help to offenders. What a victim's advocate needs never comes this way."""
    NEIGHBOURING_COUNTY = "neighbouring_county"
    RESEARCHER = "researcher"


EVERYBODY = frozenset(PartnerKind)
BY_NAME_OF_LAW = frozenset({PartnerKind.LAW_ENFORCEMENT, PartnerKind.PROSECUTION, PartnerKind.COURT})
"""Who has the incident's number already, or will be given it with the file."""
JUSTICE = BY_NAME_OF_LAW | {PartnerKind.PROBATION}
COUNTIES = JUSTICE | {PartnerKind.NEIGHBOURING_COUNTY}
NO_RESEARCHER = EVERYBODY - {PartnerKind.RESEARCHER}
"""Times tell an offender from others, and research can do without."""


@dataclass(frozen=True, slots=True)
class To:
    """Marker of a field: to which kinds of partner it may be sent. A field without it may be sent to none.

    `sealed`: it is an id of ours and goes out as the partner's own pseudonym of that kind, never as it is. `with_d`: it can
    tell of D whatever the list, so only whoever is shown D may be sent it.
    """

    kinds: frozenset[PartnerKind]
    sealed: str | None = None
    with_d: bool = False


PseudonymText = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class PartnerCopy(Data):
    """Common to all copies: what is not given is not written."""

    @model_serializer(mode="wrap")
    def _given_only(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if name in self.model_fields_set}


C = TypeVar("C", bound=PartnerCopy)

_TYPES: dict[str, type[PartnerCopy]] = {}


def partner_type(name: str) -> Callable[[type[C]], type[C]]:
    """Register a model as the data of the CloudEvents type `name` on partners' topics."""

    def register(model: type[C]) -> type[C]:
        model.TYPE = name
        _TYPES[name] = model
        return model

    return register


def partner_types() -> Mapping[str, type[PartnerCopy]]:
    """Every type that partners are sent, by name."""
    return dict(sorted(_TYPES.items()))


class PartnerEvent(PartnerCopy):
    """What a partner subscribes to."""

    SOURCES: ClassVar[tuple[type[Data], ...]] = ()
    """What it is a copy of."""


@partner_type("ipvi.partner.decided.v1")
class PartnerDecided(PartnerEvent):
    """A tier decision, as far as it is this partner's business. Lists outside its file's `tiers` show as null.

    Under the same `incident_id` a later one replaces the earlier.
    """

    SOURCES = (OffenderDecided,)

    decision_id: Annotated[PseudonymText, To(EVERYBODY, "decision")] = ""
    offender_id: Annotated[PseudonymText, To(EVERYBODY, "offender")] = ""
    pair_id: Annotated[PseudonymText | None, To(EVERYBODY, "pair")] = None
    """Of offender and incident. Null: of no incident that this partner may know of."""
    incident_id: Annotated[PseudonymText | None, To(EVERYBODY, "incident")] = None
    incident_number: Annotated[IncidentId | None, To(BY_NAME_OF_LAW)] = None
    """The agency's own: ORI, colon, number."""
    tier: Annotated[Tier | None, To(EVERYBODY)] = None
    previous_tier: Annotated[Tier | None, To(EVERYBODY)] = None
    change: Annotated[Change | None, To(EVERYBODY)] = None
    """Between the two as this partner is shown them."""
    rules: Annotated[list[str], To(frozenset({PartnerKind.LAW_ENFORCEMENT}), with_d=True)] = []
    """Ids of the policy's rows that gave the list, and of those of D that were met besides."""
    evidence: Annotated[list[PseudonymText], To(BY_NAME_OF_LAW, "incident")] = []
    """The incidents that count, of those this partner may know of, in the order they happened."""
    charged: Annotated[bool, To(EVERYBODY)] = False
    """Whether this incident carries a charge. A charge is no finding of guilt."""
    statutes: Annotated[list[str], To(COUNTIES)] = []
    """Charged ones only, and of an agency's text only what is a citation and no more."""
    arrested_at: Annotated[Timestamp | None, To(COUNTIES)] = None
    occurred_at: Annotated[Timestamp | None, To(COUNTIES)] = None
    decided_at: Annotated[Timestamp | None, To(NO_RESEARCHER)] = None
    agency: Annotated[Ori | None, To(EVERYBODY)] = None
    bulk: Annotated[bool, To(EVERYBODY)] = False
    """Part of a history load, or one of many decided again."""
    policy_id: Annotated[str, To(EVERYBODY)] = ""
    policy_version: Annotated[str, To(EVERYBODY)] = ""


@partner_type("ipvi.partner.tier.v1")
class PartnerTier(PartnerEvent):
    """The list an offender is on now, as far as this partner is shown it."""

    SOURCES = (TierCurrent,)

    offender_id: Annotated[PseudonymText, To(EVERYBODY, "offender")] = ""
    tier: Annotated[Tier | None, To(EVERYBODY)] = None
    """Null: on none any more that this partner is shown."""
    since: Annotated[Timestamp | None, To(NO_RESEARCHER)] = None
    policy_version: Annotated[str | None, To(EVERYBODY)] = None


class NoticeState(StrEnum):
    """Where a notice to an offender stands. That it waits is said once, and never why or until when."""

    WAITING = "waiting"
    SERVED = "served"
    FAILED = "failed"
    CANCELLED = "cancelled"
    CORRECTED = "corrected"


@partner_type("ipvi.partner.notification.v1")
class PartnerNotification(PartnerEvent):
    """What became of a notice to an offender."""

    SOURCES = (
        NotificationPrepared,
        NotificationServed,
        NotificationFailed,
        NotificationCancelled,
        NotificationCorrected,
        NotificationWithdrawn,
    )

    notification_id: Annotated[PseudonymText, To(EVERYBODY, "notification")] = ""
    offender_id: Annotated[PseudonymText, To(EVERYBODY, "offender")] = ""
    pair_id: Annotated[PseudonymText | None, To(EVERYBODY, "pair")] = None
    """Null: of no incident that this partner has been told of."""
    tier: Annotated[Tier | None, To(EVERYBODY)] = None
    state: Annotated[NoticeState | None, To(EVERYBODY)] = None
    channel: Annotated[Channel | None, To(JUSTICE)] = None
    """How it was given or tried; null while it waits."""
    served_at: Annotated[Timestamp | None, To(JUSTICE)] = None
    proof: Annotated[Proof | None, To(BY_NAME_OF_LAW)] = None
    failure: Annotated[FailureReason | None, To(JUSTICE)] = None
    agency: Annotated[Ori | None, To(EVERYBODY)] = None
    """Of the incident."""


class PartnerNote(PartnerCopy):
    """Takes back what was sent. To be confirmed: `POST /v1/partners/{id}/confirmations` with the id of this event."""

    events: list[PseudonymText]
    """Ids of events that were sent."""
    mentions: list[PseudonymText] = []
    """Ids of events that were sent about other incidents and name this one in `evidence`: it is to be struck out there."""
    incident_id: PseudonymText | None = None
    """As it stands in those events; absent where the partner was never sent it."""


@partner_type("ipvi.partner.withdrawn.v1")
class PartnerWithdrawn(PartnerNote):
    """What these events say of their incident no longer stands: it was retracted, or is not what it seemed."""


@partner_type("ipvi.partner.erased.v1")
class PartnerErased(PartnerNote):
    """These events are to be erased, with everything made from them: an expunction, or the end of a D entry.

    Comes also when the subscription has lapsed.
    """


SUBSCRIBED: dict[str, type[PartnerEvent]] = {
    name: model for name, model in _TYPES.items() if issubclass(model, PartnerEvent)
}
"""What a file may ask for."""
NOTES: tuple[type[PartnerNote], ...] = (PartnerWithdrawn, PartnerErased)
"""What comes unasked."""


def marker(model: type[PartnerEvent], field: str) -> To | None:
    """To whom a field may be sent; None: to nobody, which is also said of a name that is no field."""
    if (found := model.model_fields.get(field)) is None:
        return None
    return next((each for each in found.metadata if isinstance(each, To)), None)


def sendable(model: type[PartnerEvent], kind: PartnerKind, *, sees_d: bool) -> tuple[str, ...]:
    """The fields of `model` that may be sent to a partner of this kind, in the model's order."""
    markers = ((name, marker(model, name)) for name in model.model_fields)
    return tuple(name for name, to in markers if to is not None and kind in to.kinds and (sees_d or not to.with_d))
