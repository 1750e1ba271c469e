"""From units to a sink, whatever the sink is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.envelope import encode
from schemas.rejects import RejectCode
from schemas.topics import Topic
from services.intake.cloudevents import read_events
from services.intake.domain import AsOf, IngestSummary, InputError, Reject, RejectLimit, SourcePausedError, Unit
from services.intake.lines import KEPT, Source, UnreadError
from services.intake.usecases import ingest
from tests.harness import feed, nibrs


def source(path: Path, *lines: bytes) -> Source:
    return Source(nibrs.written(path / "feed.jsonl", lines, end=b"\n"))


async def run(path: Path, *lines: bytes, as_of: AsOf = AsOf.NOW) -> tuple[feed.Kept, IngestSummary]:
    kept = feed.Kept(as_of)
    return kept, await ingest(read_events(source(path, *lines)), kept, name="feed.jsonl")


async def test_events_records_rejects_and_the_sum(tmp_path: Path) -> None:
    kept, summary = await run(tmp_path, feed.line(feed.incident()), b"{", feed.line(feed.incident("O2")))
    assert summary == IngestSummary(units=3, events=2, rejected=1)
    assert [event.subject for event in kept.events] == ["O1", "O2"]
    assert [(record.type, record.subject) for record in kept.records] == [
        ("ipvi.victims.described.v1", "O1"),
        ("ipvi.victims.described.v1", "O2"),
    ]
    assert [(reject.line, reject.code) for reject in kept.rejects] == [(2, RejectCode.BROKEN_JSON)]


async def test_the_same_feed_gives_the_same_ids(tmp_path: Path) -> None:
    lines = [feed.line(feed.incident(number=f"25-00{n}")) for n in range(3)]
    once, _ = await run(tmp_path, *lines)
    again, _ = await run(tmp_path, *lines)
    assert once == again
    ids = [record.id for record in once.records]
    assert len(set(ids)) == 3


async def test_a_record_that_returns_to_what_it_was_is_news(tmp_path: Path) -> None:
    taken = {"incident_id": "ZZ0010000:25-001", "offender_id": "O1", "agency": feed.ORI, "revision": 1}
    kept, _ = await run(
        tmp_path,
        feed.line(feed.incident()),
        feed.line(taken, "ipvi.incident.retracted.v1"),
        feed.line(feed.incident(revision=2)),
    )
    first, _, last = kept.records
    assert first.data == last.data
    assert first.id != last.id


async def test_record_time_is_the_brokers_or_the_reports(tmp_path: Path) -> None:
    line = feed.line(feed.incident(), recordedtime="1999-01-01T00:00:00Z")
    now, _ = await run(tmp_path, line)
    assert [event.recordedtime for event in now.events + now.records] == [None, None]
    assert "ce_recordedtime" not in dict(encode(now.events[0]).headers)
    reported, _ = await run(tmp_path, line, as_of=AsOf.REPORTED)
    at = datetime(2025, 1, 10, 22, tzinfo=UTC)
    assert [event.recordedtime for event in reported.events + reported.records] == [at, at]


async def test_a_type_without_a_report_time_is_recorded_at_its_own(tmp_path: Path) -> None:
    jail = {"offender_id": "O1", "booking_id": "B", "change": "booked", "at": "2025-01-01T00:00:00Z"}
    line = feed.line(jail, "ipvi.custody.changed.v1", time="2025-01-02T00:00:00Z")
    kept, _ = await run(tmp_path, line, as_of=AsOf.REPORTED)
    assert kept.events[0].recordedtime == datetime(2025, 1, 2, tzinfo=UTC)


async def test_classification_is_that_of_the_topic(tmp_path: Path) -> None:
    him = {"offender_id": "O1", "name": "Offender 1"}
    described = feed.line(him, "ipvi.offender.described.v1", dataclassification="shared")
    kept, _ = await run(tmp_path, described, feed.line(feed.incident()))
    assert [event.dataclassification for event in kept.events + kept.records] == [
        Topic.INCIDENTS.classification,
        Topic.OFFENDERS.classification,
        Topic.VICTIMS.classification,
    ]


async def test_too_many_rejects_pause_the_source() -> None:
    kept = feed.Kept()
    told: list[Reject] = []
    bad = Reject("feed", 1, RejectCode.BROKEN_JSON, None, b"{", 1)
    units = [Unit(n, reject=bad) for n in range(7)] + [Unit(n) for n in range(90)]
    with pytest.raises(SourcePausedError) as paused:
        await ingest(units, kept, name="feed", limit=RejectLimit(0.5, 10), on_reject=told.append)
    assert paused.value.so_far == IngestSummary(units=10, rejected=7, no_offender=3)
    assert len(kept.rejects) == len(told) == 7


@pytest.mark.parametrize(("rejected", "units", "passed"), [(9, 9, False), (5, 10, False), (6, 10, True)])
def test_reject_limit(rejected: int, units: int, passed: bool) -> None:
    assert RejectLimit(0.5, 10).passed(IngestSummary(units=units, rejected=rejected)) is passed
    assert not RejectLimit(1.0, 1).passed(IngestSummary(units=units, rejected=units))


# lines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["feed.txt", "feed.txt.gz", "feed.gz"])
def test_lines_plain_and_packed(tmp_path: Path, name: str) -> None:
    path = nibrs.written(tmp_path / name, [b"one", b"", b"t\xc3\xa9o"])
    read = Source(path)
    assert [(line.number, line.raw) for line in read.lines()] == [(1, b"one"), (2, b""), (3, b"t\xc3\xa9o")]
    assert len(list(read.lines())) == 3, "from its start as often as needed"
    assert read.read == 2 * read.size


def test_a_line_without_end_is_cut_and_its_length_known(tmp_path: Path) -> None:
    path = nibrs.written(tmp_path / "feed", [b"a" * (3 * KEPT), b"b"], end=b"\n")
    long, short = Source(path).lines()
    assert (len(long.raw), long.size >= 3 * KEPT, short.raw, short.number) == (KEPT, True, b"b", 2)


def test_what_is_read_again_must_be_the_same_file(tmp_path: Path) -> None:
    path = nibrs.written(tmp_path / "feed", [b"one"])
    read = Source(path)
    nibrs.written(tmp_path / "next", [b"two"]).rename(path)
    for reading in (read.lines(), read.chunks()):
        with pytest.raises(UnreadError, match="another file came in its place"):
            next(reading)


def test_packed_data_that_breaks_off(tmp_path: Path) -> None:
    path = nibrs.written(tmp_path / "feed.gz", [b"%d" % n for n in range(5000)])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="gzip data is damaged or breaks off after line"):
        list(Source(path).lines())


@pytest.mark.parametrize("missing", ["nothing.jsonl", "."])
def test_no_such_file(tmp_path: Path, missing: str) -> None:
    with pytest.raises(InputError, match=r"No such file|Is a directory"):
        Source(tmp_path / missing)
