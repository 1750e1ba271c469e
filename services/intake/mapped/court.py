"""Court exports and past notices: one row, one event."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.incident import (
    CaseDisposed,
    NotificationRecorded,
    OrderChange,
    OrderChanged,
    ProhibitedBehavior,
    RecordedTier,
)
from schemas.mapping import Kind
from schemas.rejects import RejectCode
from services.intake.identity import Identifiers, Sighting, offender_id
from services.intake.mapped.charges import charge_of, disposition_in
from services.intake.mapped.values import Values
from services.intake.people import Facts, OffenderFacts


def order_of(values: Values) -> tuple[Data, datetime, Identifiers | None]:
    """A court order or a condition. `lifted` and `amended` count from when the row says it was changed."""
    order, begins = values.number("order"), values.needed_moment("from")
    him = values.identifiers(order)
    own = {str(kind): kind for kind in ProhibitedBehavior}
    kind = values.one_of("order_kind", {**own, **values.mapping.order_kinds})
    if kind is None:
        raise values.wrong("order_kind", RejectCode.MISSING_FIELD)
    change = values.one_of("change", {**{str(one): one for one in OrderChange}, **values.mapping.order_changes})
    until = values.moment("until")
    if until is not None and until < begins:
        raise values.wrong("until", RejectCode.ROW_CONFLICT)
    data = OrderChanged(
        offender_id=offender_id(him) if him else "-",
        order_id=f"{values.agency}:{order}",
        kind=kind,
        **{"from": begins},
        until=until,
        change=change or OrderChange.ISSUED,
    )
    return data, values.moment("updated") or begins, him


def disposition_of(values: Values) -> tuple[Data, datetime, Identifiers | None]:
    """What became of one charge of one arrest."""
    arrest = values.number("arrest")
    him = values.identifiers(arrest)
    charge = charge_of(values)
    if charge is None:
        raise values.wrong("charge", RejectCode.MISSING_FIELD)
    disposition = disposition_in(values)
    if disposition is None:
        raise values.wrong("disposition", RejectCode.MISSING_FIELD)
    data = CaseDisposed(
        offender_id=offender_id(him) if him else "-",
        arrest_id=f"{values.ori('arrest_agency') or values.agency}:{arrest}",
        charge=charge.code,
        disposition=disposition,
    )
    when = values.moment("disposed")
    if when is None:
        raise values.wrong("disposed", RejectCode.MISSING_FIELD)
    return data, when, him


def notice_of(values: Values) -> tuple[Data, datetime, Identifiers | None]:
    """A notice that was served before this system; counts as served. `offender_id` may be given as it is."""
    number = values.number("notice")
    him = values.identifiers(number)
    given = values.short("offender_id")
    tier = values.one_of("tier", {**{str(one): one for one in RecordedTier}, **values.mapping.tiers})
    if tier is None:
        raise values.wrong("tier", RejectCode.MISSING_FIELD)
    served = values.needed_moment("served")
    who = given or (offender_id(him) if him else "-")
    data = NotificationRecorded(
        offender_id=who,
        notification_id=deterministic_id("recorded notice", values.agency, number),
        tier=tier,
        served_at=served,
    )
    if given:
        him = him or Identifiers(values.agency, number, agency_person=given)
    return data, served, him


OF_A_ROW: Final[dict[Kind, Callable[[Values], tuple[Data, datetime, Identifiers | None]]]] = {
    Kind.ORDERS: order_of,
    Kind.DISPOSITIONS: disposition_of,
    Kind.NOTICES: notice_of,
}


def row_event(values: Values) -> tuple[Event[Data], tuple[Facts, ...], Sighting] | None:
    """The event of one row, what it holds of him and who he is; None where nobody is named. Raises `RowError`."""
    data, when, him = OF_A_ROW[values.mapping.kind](values)
    if him is None:
        return None
    who = str(getattr(data, "offender_id", ""))
    content = hashlib.sha256(data.canonical()).hexdigest()
    event = Event(
        id=deterministic_id("mapped", data.TYPE, who, content, when.astimezone(UTC).isoformat()),
        source=f"/agencies/{values.agency}/{values.mapping.name}",
        subject=who,
        time=when,
        data=data,
        dataclassification=Classification.RESTRICTED,
    )
    facts = OffenderFacts(who, name=him.name, birth_date=him.birth_date)
    sighting = Sighting(who, him, arrest_id=getattr(data, "arrest_id", None))
    return event, (facts,) if him.name or him.birth_date else (), sighting
