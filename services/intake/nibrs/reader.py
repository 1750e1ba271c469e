"""A flat file, unit by unit: events, or the first thing wrong with the report and its original lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Final

from schemas.envelope import Data, Event
from schemas.rejects import RejectCode
from services.intake.domain import Reject, Unit
from services.intake.lines import Line, Source
from services.intake.nibrs.events import (
    RELATED,
    Identity,
    ZoneOf,
    group_b_events,
    incident_events,
    retractions,
    revision_of,
)
from services.intake.nibrs.incident import group_b_arrestee, incident_of, month_of
from services.intake.nibrs.reports import Report, plan_of, reports, runs
from services.intake.nibrs.segments import Key, Segment, SegmentError, segment_of

_DAY: Final = {"incident": "incident_date", "arrest": "arrest_date"}
"""The date a delete bears, by kind of report."""


def read_nibrs(source: Source, zone_of: ZoneOf) -> Iterator[Unit]:
    """One unit per incident, Group B arrest report or zero report, in the order in which they are whole.

    The file is read twice, in bounded memory (see `reports`). `zone_of` gives the time zone of an agency by its ORI.
    Raises `InputError` if reading breaks off; whatever the file holds, nothing else.
    """
    named: dict[Key, set[int]] = {}
    for report in reports(runs(source.lines()), plan_of(runs(source.lines()))):
        line = report.lines[0].number
        try:
            yield Unit(line, _events(report, named, zone_of))
        except SegmentError as wrong:
            yield Unit(line, reject=_reject(source, report, wrong))


def _reject(source: Source, report: Report[Line], wrong: SegmentError) -> Reject:
    """Names the broken line, holds the whole report."""
    raw = b"\n".join(line.raw for line in report.lines)
    size = sum(line.size + 1 for line in report.lines) - 1
    return Reject(source.name, wrong.line, wrong.code, wrong.field, raw, size)


def _events(report: Report[Line], named: dict[Key, set[int]], zone_of: ZoneOf) -> tuple[Event[Data], ...]:
    """`named`: of reports that repeat in this file, the numbers of the offenders named last."""
    segments = [segment_of(line) for line in report.lines]
    first = segments[0]
    if report.key is None:  # its columns can be read one by one, yet where it belongs cannot be told
        raise SegmentError(first.line, RejectCode.NIBRS_SEGMENT, "segment_level@5-5")
    kind, ori, number = report.key
    if kind == "zero":
        return ()
    identity, zone = Identity(ori, number, revision_of(month_of(first), report.ordinal)), zone_of(ori)
    deletes = [segment for segment in segments if segment.action == "D"]
    inserts = [segment for segment in segments if segment.action != "D"]
    events, numbers = _inserted(kind, inserts, identity, zone)
    if deletes:
        gone = _deleted(kind, deletes, named.get(report.key, set()), bool(inserts)) - numbers
        events += retractions(gone, identity, first.day(_DAY[kind]), zone)
    if report.repeats:
        named[report.key] = numbers
    return events


def _inserted(
    kind: str, segments: Sequence[Segment], identity: Identity, zone: tzinfo
) -> tuple[tuple[Event[Data], ...], set[int]]:
    """The events of what is reported, and the numbers of the offenders it names."""
    if not segments:
        return (), set()
    if kind == "arrest":
        arrestees = [group_b_arrestee(segment) for segment in segments]
        return group_b_events(arrestees, identity, zone), {arrestee.number for arrestee in arrestees}
    incident = incident_of(segments)
    return incident_events(incident, identity, zone), {offender.number for offender in incident.offenders}


def _deleted(kind: str, segments: Iterable[Segment], named: set[int], inserted: bool) -> set[int]:
    """Whom a delete is about: the arrestee it gives the number of, those named before, else whoever there can be."""
    given = {
        segment.whole("sequence_number", 1, 99)
        for segment in segments
        if kind == "arrest" and segment.get("sequence_number")
    }
    return given or named or (set() if inserted else set(range(1, RELATED + 1)))
