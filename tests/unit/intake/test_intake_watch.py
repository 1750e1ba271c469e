"""Watched folders: what has its name is whole, stays until all of it is on the stream, and is then moved on."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from schemas.mapping_file import FOLDERS, MappingError
from schemas.topics import Topic
from services.common.errors import ConfigurationError
from services.intake import serving, watch
from services.intake.domain import FeedPausedError, Format, RejectLimit, Terms, Unit
from services.intake.folders import files, forget_done
from services.intake.lines import Source, UnreadError
from services.intake.mapped import reader
from services.intake.reading import read_units
from services.intake.repeats import repeats
from services.intake.serving import IntakeService
from services.intake.settings import IntakeSettings, WatchedFolder, read_feeds
from services.intake.store.feeds import resume
from services.intake.store.tables import feeds
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


@asynccontextmanager
async def running(watching: Watcher) -> AsyncIterator[None]:
    task = asyncio.create_task(watching.run())
    try:
        async with asyncio.timeout(30):
            yield
    finally:
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)


async def gone(path: Path) -> None:
    while path.exists():  # noqa: ASYNC110 (a file has no event)
        await asyncio.sleep(0.01)


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


async def test_whatever_fails_the_folder_goes_on(
    intake: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    watching = watcher(intake, folder)
    paths = [put(folder, f"{number}.jsonl", line(str(number))) for number in range(2)]

    def broken(source: Source, *_: Any) -> Iterator[Unit]:
        if source.name == "0.jsonl":
            raise ValueError("Ann Lee")
        return read_units(source, Format.CLOUDEVENTS, lambda _: ZoneInfo("UTC"))

    monkeypatch.setattr(watch, "read_units", broken)
    monkeypatch.setattr(watch, "_AGAIN_S", 0.0)
    async with running(watching):
        await gone(paths[1])
    assert (folder / "done" / "1.jsonl").exists()
    assert (folder / "failed" / "0.jsonl").exists()
    assert (folder / "failed" / "0.jsonl.reason").read_text().startswith("ValueError: intake itself fails")
    assert "Ann" not in (folder / "failed" / "0.jsonl.reason").read_text()


@pytest.mark.parametrize("error", [MappingError("being saved"), sqlite3.OperationalError("disk is full")])
async def test_what_passes_by_itself_puts_no_file_aside(
    intake: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    folder = tmp_path / "in"
    path, failures = put(folder, "1.jsonl", line("1")), [error] * 9

    def waits(source: Source, *_: Any) -> Iterator[Unit]:
        if failures:
            raise failures.pop()
        return read_units(source, Format.CLOUDEVENTS, lambda _: ZoneInfo("UTC"))

    monkeypatch.setattr(watch, "read_units", waits)
    monkeypatch.setattr(watch, "_AGAIN_S", 0.0)
    async with running(watcher(intake, folder)):
        await gone(path)
    assert (folder / "done" / "1.jsonl").exists()


async def test_a_mapping_that_is_being_saved_is_waited_for(
    intake: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping, folder = tmp_path / "jail.yaml", tmp_path / "in"
    whole = (FOLDERS[0] / "roster.yaml").read_text()
    mapping.write_text(whole)
    watching = watcher(intake, folder, format="roster", mapping=str(mapping))
    path = put(folder, "1.csv", b"booking,person,name,booked,facility,hearing,status,charge")
    mapping.write_text(whole[:200])
    monkeypatch.setattr(watch, "_AGAIN_S", 0.0)
    async with running(watching):
        await asyncio.sleep(0.2)
        assert path.exists()
        mapping.write_text(whole)
        await gone(path)
    assert (folder / "done" / "1.csv").exists()


async def test_names_that_are_not_utf_8_or_as_long_as_can_be(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    odd = folder / os.fsdecode(b"m\xfcller.jsonl")
    put(folder, odd.name, line("1"), b"{")
    await watcher(intake, folder).look()
    assert (folder / "done" / odd.name).exists()
    long = "a" * 251 + ".csv"
    for _ in range(2):
        put(folder, long, b"a,b")
        put(folder, odd.name, b"a,b")
        for _ in range(2):
            await watcher(intake, folder, format="csv", mapping="broward").look()
    failed = sorted(path.name for path in (folder / "failed").iterdir())
    assert len(failed) == 8
    cut = {name for name in failed if name.startswith("a")}
    assert cut == {long, long[:248] + ".reason", long[:253] + ".1", long[:246] + ".1.reason"}
    assert all("no column" in path.read_text() for path in (folder / "failed").glob("*.reason"))


async def test_a_file_that_comes_under_the_name_of_the_one_in_hand_is_taken_next(
    intake: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    path, watching = put(folder, "calls.jsonl", line("1")), watcher(intake, folder)
    deliver, news = intake.sender.deliver, [line("2"), b""]

    async def slow(upto: int) -> None:
        if news:
            put(folder, ".calls", news.pop(0)).rename(path)
        await deliver(upto)

    monkeypatch.setattr(intake.sender, "deliver", slow)
    while await watching.look():
        pass
    assert [event.data.incident_id for event in intake.stream.events(Topic.INCIDENTS)] == ["ZZ0010000:1", "ZZ0010000:2"]  # type: ignore[attr-defined]
    assert [(found.name, found.read_bytes()) for found in (folder / "done").iterdir()] == [("calls.jsonl", b"\n")]


async def test_one_that_comes_as_the_one_in_hand_is_moved_is_put_back(
    intake: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    path = put(folder, "calls.jsonl", line("1"))
    replaces, news = Path.replace, [line("2")]

    def late(self: Path, goal: Path) -> Path:
        if self == path and news:
            replaces(put(folder, ".calls", news.pop()), path)
        return replaces(self, goal)

    monkeypatch.setattr(Path, "replace", late)
    watching = watcher(intake, folder)
    while await watching.look():
        pass
    assert [event.data.incident_id for event in intake.stream.events(Topic.INCIDENTS)] == ["ZZ0010000:1", "ZZ0010000:2"]  # type: ignore[attr-defined]


async def test_one_that_is_replaced_between_two_readings_is_read_again(
    intake: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, header = tmp_path / "in", b"inc,occ,chg,man"
    mapping = tmp_path / "calls.yaml"
    mapping.write_text(
        "{name: calls, kind: incidents, agency: ZZ0010000, time_zone: UTC, charges: [{text: assault, code: 13B}],"
        " columns: {incident: inc, occurred: occ, charge: chg, person: man}}"
    )
    path = put(folder, "1.csv", header, *[b"1,2025-01-10,assault,M1"] * 2)
    watching = watcher(intake, folder, format="csv", mapping=str(mapping))
    counted: list[object] = []

    def swapped(found: Any) -> dict[Any, str]:
        marks = repeats(found)
        if not counted:
            put(folder, ".1.csv", header, b"1,2025-01-10,assault,M1", b"2,2025-01-11,assault,M2").rename(path)
        counted.append(marks)
        return marks

    monkeypatch.setattr(reader, "repeats", swapped)
    with pytest.raises(UnreadError, match="another file came in its place"):
        await watching.look()
    assert path.exists()
    await watching.look()
    assert {event.data.incident_id for event in intake.stream.events(Topic.INCIDENTS)} == {"ZZ0010000:1", "ZZ0010000:2"}  # type: ignore[attr-defined]


async def test_a_disk_that_fails_puts_no_file_aside(
    intake: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    path = put(folder, "1.jsonl", line("1"))
    opened: list[Path] = []

    def once(self: Path, *args: Any, **more: Any) -> Any:
        opened.append(self)
        if opened.count(path) == 2:
            raise OSError(errno.EIO, "Input/output error")
        return real(self, *args, **more)

    real = Path.open
    monkeypatch.setattr(Path, "open", once)
    with pytest.raises(UnreadError, match="Input/output error"):
        await watcher(intake, folder).look()
    assert path.exists()
    await watcher(intake, folder).look()
    assert (folder / "done" / "1.jsonl").exists()


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


async def test_a_folder_with_kinds_takes_nothing_else(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    order = {"offender_id": "O1", "order_id": "R1", "kind": "protective_order", "change": "issued"}
    other = feed.line({**order, "from": "2025-01-12T02:00:00Z"}, "ipvi.order.changed.v1")
    put(folder, "1.jsonl", line("1"), other)
    await watcher(intake, folder, kinds=["orders"]).look()
    assert [event.type for event in intake.stream.events(Topic.INCIDENTS)] == ["ipvi.order.changed.v1"]
    assert len([topic for topic, _ in intake.stream.rows if topic == Topic.INTAKE_REJECTS]) == 1


async def test_who_is_to_be_booked_yet_is_told_in_time_and_is_not_gone_meanwhile(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    watching = watcher(intake, folder, format="roster", mapping="roster")
    header = b"booking,person,name,booked,facility,hearing,status,charge"
    rows = [b"B%d,P%d,,2025-01-10 22:15,Jail 1,,in," % (n, n) for n in range(2)]
    ahead = [b"B1,P1,,2099-01-10 22:15,Jail 1,,in,", b"B2,P2,,2099-01-10 22:15,Jail 1,,in,"]
    in_time = b"B2,P2,,2025-01-10 22:15,Jail 1,,in,"
    for number, shown in enumerate((rows, [rows[0], *ahead], [*rows, in_time]), start=1):
        os.utime(put(folder, f"{number}.csv", header, *shown), (number * 1_000, number * 1_000))
        await watching.look()
    changes = [(event.data.booking_id, event.data.change) for event in intake.stream.events(Topic.INCIDENTS)]  # type: ignore[attr-defined]
    assert changes == [(f"ZZ0000000:B{n}", "booked") for n in range(3)]
    assert len([topic for topic, _ in intake.stream.rows if topic == Topic.INTAKE_REJECTS]) == 2


async def test_what_was_taken_is_closed_to_others_and_goes_in_time(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "done").mkdir(parents=True, mode=0o755)
    put(folder, "1.jsonl", line("1"))
    put(folder, "2.csv", b"no such table")
    await watcher(intake, folder).look()
    await watcher(intake, folder).look()
    (folder / "failed").mkdir(exist_ok=True)
    (folder / "failed" / "3.jsonl").write_bytes(b"?")
    (folder / "done" / "link").symlink_to(folder / "failed" / "3.jsonl")
    taken = [path.name for path in (folder / "done").iterdir() if not path.is_symlink()]
    assert stat.S_IMODE((folder / "done").stat().st_mode) == 0o700
    assert forget_done(folder, time.time() - 86400) == 0
    assert forget_done(folder, time.time() + 86400) == len(taken) > 0
    assert [path.name for path in (folder / "done").iterdir()] == ["link"]
    assert (folder / "failed" / "3.jsonl").exists()
    (folder / "done" / "link").unlink()
    (folder / "done").rmdir()
    (folder / "done").symlink_to(folder / "failed")
    assert forget_done(folder, time.time() + 86400) == 0
    assert (folder / "failed" / "3.jsonl").exists()


async def test_a_folder_that_cannot_be_tidied_holds_no_other_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "feeds.yaml"
    file.write_text("feeds: [{folder: a, format: cloudevents}, {folder: b, format: cloudevents}]")
    service = IntakeService(IntakeSettings(home=tmp_path / "home", feeds_file=file, policy="high-point-practice"))
    tidied: list[str] = []

    def forget(folder: Path, _: float) -> int:
        if folder.name == "a":
            raise PermissionError
        tidied.append(folder.name)
        return 1

    monkeypatch.setattr(serving, "forget_done", forget)
    await service._tidy()
    assert tidied == ["b"]
    await service.database.close()


def test_what_another_has_removed_meanwhile_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two replicas tidy one folder."""
    (tmp_path / "done").mkdir()
    for name in ("1", "2"):
        (tmp_path / "done" / name).touch()
    unlink = Path.unlink

    def twice(path: Path) -> None:
        unlink(path)
        unlink(path)

    monkeypatch.setattr(Path, "unlink", twice)
    forget_done(tmp_path, time.time() + 86400)
    assert not list((tmp_path / "done").iterdir())


async def test_a_paused_feed_waits_in_its_folder(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    path = put(folder, "1.jsonl", b"{1", b"{2", b"{3", line("1"))
    with pytest.raises(FeedPausedError):
        await watcher(intake, folder).look()
    assert path.exists()


async def test_what_waits_for_a_word_on_expunctions_lets_the_files_behind_it_by(intake: Bench, tmp_path: Path) -> None:
    """Else whoever has a feed's credential keeps an agency's incidents out, and with them her outreach."""
    folder = tmp_path / "in"
    watching = watcher(intake, folder)
    watching.terms = Terms(feed.seal, expunctions=1)

    def order(number: int) -> bytes:
        gone = {"incident_id": f"{feed.ORI}:{number}", "offender_id": "O1", "agency": feed.ORI}
        return feed.line(gone, "ipvi.incident.expunged.v1", source=f"/agencies/{feed.ORI}")

    first = put(folder, "1.jsonl", order(1), order(2))
    second = put(folder, "2.jsonl", order(3), order(4))
    put(folder, "3.jsonl", line("1"))
    assert await watching.look()
    assert [event.type for event in intake.stream.events(Topic.INCIDENTS)] == ["ipvi.incident.reported.v1"]
    with pytest.raises(FeedPausedError):
        await watching.look()
    assert first.exists() and second.exists()
    put(folder, "0.jsonl", order(5), order(6))
    put(folder, "4.jsonl", line("2"))
    assert await watching.look()
    assert len(intake.stream.events(Topic.INCIDENTS)) == 2
    async with intake.database.write() as conn:
        assert await resume(conn, (feed.ORI, watching.name), datetime.now(UTC), accept_short=False)
    for _ in range(3):
        assert await watching.look()
    assert not await watching.look()
    assert len(intake.stream.events(Topic.INCIDENTS)) == 8


async def test_a_feed_that_is_paused_for_its_rejects_lets_nothing_by(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    put(folder, "1.jsonl", b"{1", b"{2", b"{3", line("1"))
    put(folder, "2.jsonl", line("2"))
    watching = watcher(intake, folder)
    for _ in range(2):
        with pytest.raises(FeedPausedError):
            await watching.look()
    assert len(intake.stream.events(Topic.INCIDENTS)) == 1


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


async def test_a_clock_that_is_ahead_silences_no_jail(intake: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    watching = watcher(intake, folder, format="roster", mapping="roster")
    header = b"booking,person,name,booked,facility,hearing,status,charge"
    rows = [b"B%d,P%d,,2025-01-10 22:15,Jail 1,,in," % (n, n) for n in range(3)]
    ahead = time.time() + 40 * 365 * 86400
    os.utime(put(folder, "1.csv", header, *rows), (ahead, ahead))
    await watching.look()
    put(folder, "2.csv", header, *rows[1:])
    await watching.look()
    changes = [event.data.change for event in intake.stream.events(Topic.INCIDENTS)]  # type: ignore[attr-defined]
    assert changes == ["booked"] * 3 + ["released"]
    async with intake.database.write() as conn:
        await conn.execute(update(feeds).values(snapshot_at=datetime.now(UTC) + timedelta(days=9)))
    put(folder, "3.csv", header, rows[2])
    await watching.look()
    assert len(intake.stream.events(Topic.INCIDENTS)) == 5, "a last one of tomorrow is no last one"


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


async def test_a_link_is_no_file_of_the_feed(intake: Bench, tmp_path: Path) -> None:
    """Whoever may write into one folder has nothing read from elsewhere, and puts nothing into another feed's."""
    folder, other = tmp_path / "in", tmp_path / "jail"
    elsewhere = put(tmp_path / "elsewhere", "secret.jsonl", line("25-001"))
    folder.mkdir()
    (folder / "1.jsonl").symlink_to(elsewhere)
    assert files(folder) == []
    mine = put(folder, "2.jsonl", line("25-002"))
    other.mkdir()
    (folder / "done").symlink_to(other)
    with pytest.raises(OSError, match="link"):
        await watcher(intake, folder).look()
    assert mine.exists() and list(other.iterdir()) == []
