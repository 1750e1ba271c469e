"""An XML submission, unit by unit: events, or the first thing wrong with the report and its original bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, tzinfo
from typing import Final

from schemas.envelope import Data, Event
from schemas.rejects import RejectCode
from services.intake.domain import Reject, Unit
from services.intake.lines import KEPT, Source
from services.intake.nibrs.events import (
    RELATED,
    Identity,
    ZoneOf,
    group_b_events,
    incident_events,
    retractions,
    revision_of,
)
from services.intake.nibrs.reports import Report, Run, plan_of, reports
from services.intake.nibrs.segments import Key, SegmentError
from services.intake.nibrs.xml.elements import (
    arrestees_of,
    day_and_hour,
    head_of,
    incident_of,
    month_of,
)
from services.intake.nibrs.xml.fields import wrong
from services.intake.nibrs.xml.parsing import Element
from services.intake.nibrs.xml.pieces import Piece, pieces

_REPLACES: Final = "DR"


def read_nibrs_xml(source: Source, zone_of: ZoneOf) -> Iterator[Unit]:
    """One unit per incident, Group B arrest report or zero report, as of the flat file.

    The file is read twice, in bounded memory. Raises `InputError` if reading breaks off; whatever the file holds, nothing else.
    """
    named: dict[Key, set[int]] = {}
    for report in reports(_runs(source), plan_of(_runs(source))):
        line = report.lines[0].line
        try:
            yield Unit(line, _events(report, named, zone_of))
        except SegmentError as failed:
            yield Unit(line, reject=_reject(source, report, failed))


def _runs(source: Source) -> Iterator[Run[Piece]]:
    """Without a head: a piece that is no report, or one of which it cannot be told where it belongs."""
    for piece in pieces(source):
        try:
            head = head_of(piece.report) if piece.report else None
        except SegmentError:
            head = None
        yield Run(head, [piece])


def _reject(source: Source, report: Report[Piece], failed: SegmentError) -> Reject:
    raw = b"\n".join(piece.raw for piece in report.lines)
    size = sum(piece.size + 1 for piece in report.lines) - 1
    return Reject(source.name, failed.line, failed.code, failed.field, raw[:KEPT], size)


def _events(report: Report[Piece], named: dict[Key, set[int]], zone_of: ZoneOf) -> tuple[Event[Data], ...]:
    """`named`: of reports that repeat in this file, the numbers of the offenders named last."""
    elements = [_whole(piece) for piece in report.lines]
    heads = [head_of(element) for element in elements]
    kind, ori, number = heads[0].key
    if kind == "zero":
        return ()
    identity, zone = Identity(ori, number, revision_of(month_of(elements[0]), report.ordinal)), zone_of(ori)
    deletes = [element for element, head in zip(elements, heads, strict=True) if head.action in _REPLACES]
    inserts = [element for element, head in zip(elements, heads, strict=True) if head.action != "D"]
    events, numbers = _inserted(kind, inserts, identity, zone)
    if deletes:
        before = named.get(report.key, set()) if report.key else set()
        gone = _deleted(kind, deletes, before, bool(inserts)) - numbers
        events += retractions(gone, identity, _day(kind, deletes[0], zone), zone)
    if report.repeats and report.key:
        named[report.key] = numbers
    return events


def _whole(piece: Piece) -> Element:
    if piece.report is None:
        raise SegmentError(piece.line, piece.code)
    head_of(piece.report)
    return piece.report


def _inserted(
    kind: str, elements: list[Element], identity: Identity, zone: tzinfo
) -> tuple[tuple[Event[Data], ...], set[int]]:
    """The events of what is reported, and the numbers of the offenders it names."""
    if not elements:
        return (), set()
    if kind == "arrest":
        arrestees = [arrestee for element in elements for arrestee in arrestees_of(element, zone)]
        if not arrestees:
            raise wrong(elements[0], "Arrestee", RejectCode.MISSING_FIELD)
        return group_b_events(arrestees, identity, zone), {arrestee.number for arrestee in arrestees}
    incident = incident_of(elements[-1], zone)
    return incident_events(incident, identity, zone), {offender.number for offender in incident.offenders}


def _deleted(kind: str, elements: Iterable[Element], named: set[int], inserted: bool) -> set[int]:
    """Whom a delete is about: the arrestee it gives the number of, those named before, else whoever there can be."""
    given: set[int] = set()
    for element in elements:
        for arrestee in element.all("Arrestee") if kind == "arrest" else ():
            text = arrestee.get("ArrestSequenceID")
            if text:
                if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= 99):
                    raise wrong(arrestee, "ArrestSequenceID")
                given.add(int(text))
    return given or named or (set() if inserted else set(range(1, RELATED + 1)))


def _day(kind: str, element: Element, zone: tzinfo) -> date:
    activity = element.first("Incident" if kind == "incident" else "Arrest")
    if activity is None:
        raise wrong(element, "ActivityDate", RejectCode.MISSING_FIELD)
    return day_and_hour(activity, zone)[0]
