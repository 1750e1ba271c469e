"""Bodies of requests as units: CloudEvents in each of its HTTP modes, and plain JSON incidents. One event of a body is a unit.

HTTP binding of CloudEvents 1.0: `application/cloudevents+json` (structured), `application/cloudevents-batch+json` (batch), and
binary mode, with `ce-` headers and `application/json` as body. Plain JSON is the `data` of an incident, or a list of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import unquote

import orjson
from pydantic import Field

from schemas.envelope import Classification, Data, Event, deterministic_id, json_again, read
from schemas.incident import Identifier, IncidentReported
from schemas.rejects import InvalidRecord, RejectCode
from services.intake.cloudevents import MAX_EVENT, check_agency, check_victims, event_in
from services.intake.domain import Reject, Unit
from services.intake.identity import Identifiers, Sighting, offender_id
from services.intake.people import Facts, OffenderFacts

MAX_BODY: Final = 4 * 1024 * 1024
MOST_EVENTS: Final = 1_000
_STRUCTURED: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch+json"
_JSON: Final = "application/json"


class UnsupportedError(Exception):
    """This content type is none of those that are read."""


class NotABatchError(Exception):
    """The body is not JSON, not a list where it must be one, empty, or of more than `MOST_EVENTS`."""


class PlainIdentifiers(Data):
    """What the agency knows him by, in place of an `offender_id`. At least one that names somebody."""

    person: Identifier | None = None
    """The agency's own number of him."""
    state_id: Identifier | None = None
    fbi_number: Identifier | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    birth_date: date | None = None
    sex: Annotated[str, Field(max_length=1)] | None = None
    offender_no: Annotated[int, Field(ge=1, le=99)] | None = None
    """Which offender of the incident he is. Needed where no number is given: two men known by name alone are two."""


def units(
    body: bytes, content_type: str, headers: Mapping[str, str], agency: str, receipt_id: str
) -> tuple[list[Unit], bool]:
    """The units in order, and whether it was a single event. Every event is checked as one of a file is, and that it is the
    agency's own. Raises `UnsupportedError` or `NotABatchError`; what is wrong with one event is its reject.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _STRUCTURED:
        return [_unit(1, body, lambda: (event_in(body), (), ()), agency, receipt_id)], True
    if kind == _BATCH:
        parts = _list(body)
        return [_unit(n, part, _structured(part), agency, receipt_id) for n, part in enumerate(parts, start=1)], False
    if kind != _JSON:
        raise UnsupportedError
    if any(name.lower().startswith("ce-") for name in headers):
        return [_unit(1, body, lambda: (event_in(_binary(headers, body)), (), ()), agency, receipt_id)], True
    if body.lstrip()[:1] == b"[":
        parts = _list(body)
        return [
            _unit(n, part, _plain(part, agency), agency, receipt_id) for n, part in enumerate(parts, start=1)
        ], False
    return [_unit(1, body, _plain(body, agency), agency, receipt_id)], True


Reading = Callable[[], tuple[Event[Data], tuple[Facts, ...], tuple[Sighting, ...]]]


def _unit(place: int, raw: bytes, reading: Reading, agency: str, receipt_id: str) -> Unit:
    try:
        event, facts, sightings = reading()
        check_agency(event, agency)
    except InvalidRecord as wrong:
        return Unit(place, reject=Reject(f"receipt-{receipt_id}", place, wrong.code, wrong.field, raw, len(raw)))
    return Unit(place, (event,), facts=facts, sightings=sightings)


def _list(body: bytes) -> list[bytes]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotABatchError from None
    if not isinstance(found, list) or not 0 < len(found) <= MOST_EVENTS:
        raise NotABatchError
    try:
        return [json_again(each) for each in found]
    except InvalidRecord:
        raise NotABatchError from None


def _structured(raw: bytes) -> Reading:
    return lambda: (event_in(raw), (), ())


def _binary(headers: Mapping[str, str], body: bytes) -> bytes:
    """As structured, so that there is one way to read an event."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidRecord(RejectCode.BROKEN_JSON) from None
    attributes = {name.lower()[3:]: unquote(value) for name, value in headers.items() if name.lower().startswith("ce-")}
    return json_again({**attributes, "data": data})


def _plain(raw: bytes, agency: str) -> Reading:
    return lambda: _plain_incident(raw, agency)


def _plain_incident(raw: bytes, agency: str) -> tuple[Event[Data], tuple[Facts, ...], tuple[Sighting, ...]]:
    if len(raw) > MAX_EVENT:
        raise InvalidRecord(RejectCode.TOO_LARGE)
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise InvalidRecord(RejectCode.BROKEN_JSON) from None
    if not isinstance(found, dict):
        raise InvalidRecord(RejectCode.NOT_AN_EVENT)
    known = _identified(found, agency)
    data = read(IncidentReported, json_again(found))
    check_victims(data)
    who = data.offender.offender_id
    content = hashlib.sha256(data.canonical()).hexdigest()
    event = Event(
        id=deterministic_id("plain", data.TYPE, data.incident_id, data.revision, who, content),
        source=f"/agencies/{agency}/api",
        subject=who,
        time=data.reported_at,
        data=data,
        dataclassification=Classification.RESTRICTED,
        correlationid=data.incident_id,
    )
    if known is None:
        return event, (), ()
    arrest = data.arrest.arrest_id if data.arrest else None
    facts = OffenderFacts(who, name=known.name, birth_date=known.birth_date)
    return event, (facts,), (Sighting(who, known, data.incident_id, arrest),)


def _identified(found: dict[str, Any], agency: str) -> Identifiers | None:
    """Put the `offender_id` where the agency gave `identifiers`. Raises `InvalidRecord`."""
    offender = found.get("offender")
    if not isinstance(offender, dict) or "identifiers" not in offender:
        return None
    try:
        given = read(PlainIdentifiers, json_again(offender.pop("identifiers")))
    except InvalidRecord as wrong:
        raise InvalidRecord(wrong.code, f"offender.identifiers.{wrong.field}") from None
    if not any((given.person, given.state_id, given.fbi_number, given.name)):
        raise InvalidRecord(RejectCode.MISSING_FIELD, "offender.identifiers")
    if not any((given.person, given.state_id, given.fbi_number, given.offender_no)):
        raise InvalidRecord(RejectCode.MISSING_FIELD, "offender.identifiers.offender_no")
    known = Identifiers(
        agency,
        str(found.get("incident_id", "")).partition(":")[2],
        given.offender_no or 1,
        state_id=given.state_id,
        fbi_number=given.fbi_number,
        agency_person=given.person,
        name=given.name,
        birth_date=given.birth_date,
        sex=given.sex,
    )
    offender.setdefault("offender_id", offender_id(known))
    if given.birth_date is not None and offender.get("birth_date") is None:
        offender["birth_date"] = given.birth_date.isoformat()
    return known
