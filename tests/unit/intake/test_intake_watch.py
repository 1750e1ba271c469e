"""Watched folders: what has its name is whole, stays until all of it is on the stream, and is then moved on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.topics import Topic
from services.common.errors import ConfigurationError
from services.intake.domain import FeedPausedError, RejectLimit, Terms
from services.intake.settings import WatchedFolder, read_feeds
from services.intake.usecases import StreamError
from services.intake.watch import Watcher
from tests.harness import feed
from tests.harness.intake import Bench, bench


@pytest.fixture
async def intake(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


def watcher(intake: Bench, folder: Path, **more: Any) -> Watcher:
    watched = WatchedFolder.model_validate({"folder": folder, "format": "cloudevents", **more})
    return Watcher(
        watched, intake.database, intake.sender, Terms(feed.seal, RejectLimit(0.5, 4)), lambda _: ZoneInfo("UTC")
    )


def put(folder: Path, name: str, *lines: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def line(number: str, **data: Any) -> bytes:
    return feed.line(feed.incident(number=number, **data))


async def test_files_are_taken_in_order_and_moved(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    watching = watcher(intake, folder)
    assert not await watching.look(), "the folder is made"
    put(folder, "2.jsonl", line("2"))
    put(folder, "1.jsonl", line("1"), b"{")
    put(folder, ".3.jsonl", line("3"))
    put(folder, "4.jsonl.part", line("4"))
    while await watching.look():
        pass
    assert sorted(path.name for path in (folder / "done").iterdir()) == ["1.jsonl", "2.jsonl"]
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [".3.jsonl", "4.jsonl.part"]
    assert [event.data.incident_id for event in intake.stream.events(Topic.INCIDENTS)] == ["ZZ0010000:1", "ZZ0010000:2"]  # type: ignore[attr-defined]
    put(folder, "1.jsonl", line("5"))
    await watching.look()
    assert (folder / "done" / "1.jsonl.1").exists(), "nothing in done/ is overwritten"


async def test_what_is_no_such_file_fails_with_its_reason(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    put(folder, "x.csv", b"a,b")
    await watcher(intake, folder, format="csv", mapping="broward").look()
    assert "no column" in (folder / "failed" / "x.csv.reason").read_text()
    assert (folder / "failed" / "x.csv").exists()


async def test_a_file_stays_until_it_is_on_the_stream(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    path = put(folder, "1.jsonl", *(line(str(n)) for n in range(600)))
    intake.stream.broken = True
    with pytest.raises(StreamError):
        await watcher(intake, folder).look()
    assert path.exists()
    intake.stream.broken = False
    await watcher(intake, folder).look()
    assert len(intake.stream.events(Topic.INCIDENTS)) == 600


async def test_another_agencys_records_in_ones_folder(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    other = feed.line(feed.incident(number="2"), source="/agencies/ZZ0020000")
    put(folder, "1.jsonl", line("1"), other)
    await watcher(intake, folder, agency=feed.ORI).look()
    assert len(intake.stream.events(Topic.INCIDENTS)) == 1
    assert len([topic for topic, _ in intake.stream.rows if topic == Topic.INTAKE_REJECTS]) == 1


async def test_a_paused_feed_waits_in_its_folder(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    path = put(folder, "1.jsonl", b"{1", b"{2", b"{3", line("1"))
    with pytest.raises(FeedPausedError):
        await watcher(intake, folder).look()
    assert path.exists()


async def test_rosters_are_compared_by_when_they_were_written(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    watching = watcher(intake, folder, format="roster", mapping="roster")
    header = b"booking,person,name,booked,facility,hearing,status,charge"
    rows = [b"B%d,P%d,,2025-01-10 22:15,Jail 1,,in," % (n, n) for n in range(3)]
    for name, at, shown in (
        ("1.csv", 1_000, rows),
        ("2.csv", 2_000, rows[1:]),
        ("3.csv", 1_500, rows),
        ("4.csv", 3_000, []),
    ):
        os.utime(put(folder, name, header, *shown), (at, at))
        await watching.look()
    changes = [(event.data.booking_id, event.data.change) for event in intake.stream.events(Topic.INCIDENTS)]  # type: ignore[attr-defined]
    assert changes == [
        ("ZZ0000000:B0", "booked"),
        ("ZZ0000000:B1", "booked"),
        ("ZZ0000000:B2", "booked"),
        ("ZZ0000000:B0", "released"),
    ]
    assert len(list((folder / "done").iterdir())) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("feeds: []", "feeds"),
        ("feeds: [{folder: a, format: csv, mapping: nowhere}]", "no such mapping"),
        ("feeds: [{folder: a, format: cloudevents}, {folder: a, format: csv}]", "share a folder"),
        ("feeds: [{folder: a, format: pdf}]", "format"),
        ("feeds: [{folder: a, format: cloudevents, time_zone: Mars}]", "no such time zone"),
    ],
)
def test_a_feeds_file_that_is_wrong_says_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        read_feeds(file)


def test_paths_are_relative_to_the_feeds_file(tmp_path: Path) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text("feeds: [{folder: in/jail, format: roster, mapping: roster}]")
    [found] = read_feeds(file)
    assert found.folder == tmp_path / "in" / "jail"
    assert read_feeds(None) == []
