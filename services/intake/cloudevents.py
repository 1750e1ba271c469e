"""CloudEvents, structured mode, one event a line: each line is a unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.envelope import Data, Event, from_json_line
from schemas.incident import IncidentReported, OffenderMerged, OffenderSplit
from schemas.person import OffenderDescribed, VictimsDescribed
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic, allowed
from services.intake.domain import Reject, Unit
from services.intake.lines import Line, Source

MAX_EVENT: Final = 256 * 1024
"""Bytes of one event, as it stands in the line."""
TOPICS: Final = (Topic.INCIDENTS, Topic.OFFENDERS, Topic.VICTIMS)


def read_events(source: Source) -> Iterator[Unit]:
    """One unit per line, in order; a line that cannot be read is a reject and the rest goes on."""
    for line in source.lines():
        try:
            yield Unit(line.number, (event_of(line),))
        except InvalidRecord as invalid:
            yield Unit(line.number, reject=_reject(source, line, invalid))


def _reject(source: Source, line: Line, invalid: InvalidRecord) -> Reject:
    return Reject(source.name, line.number, invalid.code, invalid.field, line.raw, line.size)


def topic_of(event_type: str) -> Topic:
    """Where intake writes events of this type. Raises `InvalidRecord` for types that are not a source's to send."""
    for topic in TOPICS:
        if allowed(topic, event_type):
            return topic
    raise InvalidRecord(RejectCode.NOT_ON_THIS_TOPIC, "type")


def event_of(line: Line) -> Event[Data]:
    """The event of one line, as a source may send it. Raises `InvalidRecord`."""
    if line.size > MAX_EVENT:
        raise InvalidRecord(RejectCode.TOO_LARGE)
    if line.is_blank:
        raise InvalidRecord(RejectCode.EMPTY_VALUE)
    return event_in(line.raw)


def event_in(raw: bytes) -> Event[Data]:
    """One event, whichever way it came. Raises `InvalidRecord`."""
    if len(raw) > MAX_EVENT:
        raise InvalidRecord(RejectCode.TOO_LARGE)
    event = from_json_line(raw)
    topic_of(event.type)
    if event.subject != _offender_of(event.data):
        raise InvalidRecord(RejectCode.KEY_MISMATCH, "subject")
    check_victims(event.data)
    return event


def check_victims(data: Data) -> None:
    """Raises `InvalidRecord` for two victims of one number, as whoever reads the stream would: one would hide the other."""
    if not isinstance(data, IncidentReported):
        return
    seen: set[int] = set()
    for place, victim in enumerate(data.victims):
        number = victim.victim_no or place + 1
        if number in seen:
            raise InvalidRecord(RejectCode.OUT_OF_RANGE, f"victims.{place}.victim_no")
        seen.add(number)


_NOT_AN_AGENCYS: Final = (OffenderMerged, OffenderSplit, OffenderDescribed)
"""Who is who, and the whole record of a man, is not one agency's to say."""
_ORI_FIRST: Final = re.compile(r"([A-Z]{2}[A-Z0-9]{7}):")
"""Of a booking as a roster names it: the jail's, and its number there."""


def check_agency(event: Event[Data], agency: str) -> None:
    """That it is this agency's own record. Raises `InvalidRecord` with the field that is another's."""
    if event.source != f"/agencies/{agency}" and not event.source.startswith(f"/agencies/{agency}/"):
        raise InvalidRecord(RejectCode.ANOTHER_AGENCY, "source")
    if isinstance(event.data, _NOT_AN_AGENCYS):
        raise InvalidRecord(RejectCode.ANOTHER_AGENCY, "type")
    if getattr(event.data, "agency", agency) != agency:
        raise InvalidRecord(RejectCode.ANOTHER_AGENCY, "agency")
    incidents = [getattr(event.data, "incident_id", None)]
    if isinstance(event.data, VictimsDescribed):
        incidents = [victim.incident_id or "" for victim in event.data.victims] or [""]  # an empty one would end all
    if any(incident is not None and not incident.startswith(f"{agency}:") for incident in incidents):
        raise InvalidRecord(RejectCode.ANOTHER_AGENCY, "incident_id")
    if (named := _ORI_FIRST.match(getattr(event.data, "booking_id", ""))) and named[1] != agency:
        raise InvalidRecord(RejectCode.ANOTHER_AGENCY, "booking_id")


def _offender_of(data: Data) -> str:
    """The offender a record is about, which must be its subject; of a merge the one who stays."""
    nested = getattr(data, "offender", None)
    return str(nested.offender_id if nested is not None else getattr(data, "offender_id", ""))
