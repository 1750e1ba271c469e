"""Watched folders: a file that is moved into one is taken, and then moved on to `done/` or `failed/`.

Whoever writes there writes under another name (`.name`, or ending in `.part` or `.tmp`) or elsewhere on the same file system,
and renames: what has its name is whole. A file stays where it is until all of it is on the stream; a process that is killed
begins it again, and what was taken is passed over. Files are taken in the order of their names: date them. One at which intake
itself fails, however often it tries, is put aside in `failed/`, so that the others go on.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from schemas.mapping import Mapping
from schemas.mapping_file import MappingError, load_mapping
from services.common.database import Database
from services.common.errors import ConfigurationError
from services.intake import checking
from services.intake.domain import (
    MAPPED,
    NOBODYS,
    Feed,
    FeedPausedError,
    Format,
    IngestSummary,
    InputError,
    Reject,
    RejectLimit,
    Terms,
    Unit,
)
from services.intake.folders import DONE, FAILED, files, move
from services.intake.lines import Source, UnreadError, stamp_of
from services.intake.mapped.snapshot import read_snapshot
from services.intake.nibrs.events import ZoneOf
from services.intake.reading import feed_of, fitting, read_units
from services.intake.settings import WatchedFolder
from services.intake.usecases import Sender, StreamError, StreamSink, ingest

log = structlog.get_logger(__name__)

_LOOK_S: Final = 0.5
_AGAIN_S: Final = 5.0
_AHEAD_S: Final = 3600.0
_TRIES: Final = 5
_WAITS: Final = (
    StreamError,
    KafkaError,
    SQLAlchemyError,
    sqlite3.OperationalError,
    OSError,
    TimeoutError,
    UnreadError,
    MappingError,
    ConfigurationError,
)
"""Not the file's fault, nor ours: a broker, a database or a disk that fails, a mapping file that is just being saved."""
_A_DAY: Final = timedelta(days=1)
_NEVER: Final = RejectLimit(1.0)
"""Here the feed is paused by its own count, which outlives the file."""


def mapping_of(watched: WatchedFolder) -> Mapping | None:
    """How its files are read, where they need to be told."""
    if watched.format not in MAPPED:
        return None
    return fitting(watched.format, load_mapping(watched.mapping) if watched.mapping else None)


def feed_of_folder(watched: WatchedFolder) -> Feed:
    """What its files are counted as."""
    found = feed_of(watched.format, mapping_of(watched))
    return Feed(found.name, watched.agency or found.agency)


class Silence:
    """How long each feed may say nothing before a person should ask: as its folder has it, else a day."""

    def __init__(self, folders: Iterable[WatchedFolder]) -> None:
        self._after = {
            (each.agency or NOBODYS, feed_of_folder(each).name): timedelta(minutes=each.expect_every_minutes)
            for each in folders
        }

    def after(self, agency: str, feed: str) -> timedelta:
        """Of a folder that says no agency, for every agency whose records lie in it."""
        return self._after.get((agency, feed)) or self._after.get((NOBODYS, feed)) or _A_DAY


@dataclass(slots=True)
class Watcher:
    """One folder. `run` until it is cancelled."""

    watched: WatchedFolder
    database: Database
    sender: Sender
    terms: Terms
    zone_of: ZoneOf
    name: str = field(init=False)
    """Of its feed, whatever becomes of the mapping file."""
    _tries: Counter[str] = field(init=False, default_factory=Counter)
    _waiting: set[str] = field(init=False, default_factory=set)
    """Names of files with expunctions that wait for a person's word."""

    def __post_init__(self) -> None:
        self.name = self.feed.name

    async def run(self) -> None:
        """Never ends by a file, a broker or a database that fails: what is in hand stays and is tried again."""
        while True:
            pause = _LOOK_S
            try:
                if await self.look():
                    continue
            except _WAITS as failed:
                log.warning("intake.folder_waits", feed=self.name, error=type(failed).__name__)
                pause = _AGAIN_S
            except FeedPausedError as paused:
                log.warning("intake.feed_paused", agency=paused.agency, feed=paused.feed)
                pause = _AGAIN_S
            except Exception as fault:  # noqa: BLE001 (the other folders go on, and this one behind its file)
                log.error("intake.folder_fault", feed=self.name, error=type(fault).__name__)
                pause = _AGAIN_S
            await asyncio.sleep(pause)

    @property
    def feed(self) -> Feed:
        return feed_of_folder(self.watched)

    @property
    def mapping(self) -> Mapping | None:
        return mapping_of(self.watched)

    async def look(self) -> bool:
        """Take the first file, if there is one. False where there is none.

        Raises whatever fails, and the file stays. One at which intake itself fails (not `_WAITS`) is put aside at last. One
        with expunctions that wait for a person's word is tried after all others: those go on.
        """
        found = await asyncio.to_thread(files, self.watched.folder)
        self._waiting &= {path.name for path in found}
        stopped: FeedPausedError | None = None
        for path in sorted(found, key=lambda path: path.name in self._waiting):
            try:
                await self._work(path)
            except FeedPausedError as paused:
                if not paused.expunges:
                    raise
                self._waiting.add(path.name)
                stopped = paused
            else:
                self._waiting.discard(path.name)
                return True
        if stopped is not None:
            raise stopped
        return False

    async def _work(self, path: Path) -> None:
        """Take it, and move it on."""
        stamp = stamp_of(await asyncio.to_thread(path.stat))
        to, reason = DONE, None
        try:
            summary = await self._take(path)
        except (*_WAITS, FeedPausedError):
            raise
        except InputError as wrong:
            log.warning("intake.file_failed", feed=self.name)
            to, reason = FAILED, f"{wrong}\n"
        except Exception as fault:
            self._tries[path.name] += 1
            if self._tries[path.name] < _TRIES:
                raise
            log.error("intake.file_failed", feed=self.name, error=type(fault).__name__)
            to = FAILED
            reason = f"{type(fault).__name__}: intake itself fails at this file; mend intake, then put the file back\n"
        else:
            log.info("intake.file_done", feed=self.name, units=summary.units, rejected=summary.rejected)
        del self._tries[path.name]
        if not await asyncio.to_thread(move, path, stamp, to, reason):
            log.info("intake.file_replaced", feed=self.name)

    async def _take(self, path: Path) -> IngestSummary:
        sink = StreamSink(self.database, self.sender, self.feed, self.terms)
        if self.watched.format is Format.ROSTER:
            return await take_roster(path, self._mapped(), sink)
        units = read_units(Source(path), self.watched.format, self.zone_of, self.mapping)
        checked = (self._own(unit) for unit in units)
        return await ingest(checked, sink, name=path.name, limit=_NEVER)

    def _mapped(self) -> Mapping:
        mapping = self.mapping
        assert mapping is not None  # of a format that needs one
        return mapping

    def _own(self, unit: Unit) -> Unit:
        """A record of another agency, or of a kind that is not to come from here, is refused, here as over HTTP."""
        sender = checking.Sender(self.watched.agency, self.watched.kinds)
        return checking.checked(unit, sender, datetime.now(UTC), self.feed.name)


async def take_roster(
    path: Path,
    mapping: Mapping,
    sink: StreamSink,
    *,
    on_fault: Callable[[str], None] | None = None,
    on_reject: Callable[[Reject], None] | None = None,
) -> IngestSummary:
    """A roster file as it was when it was written (its modification time), and not later than now: a clock that is ahead would
    make all that come after it older. Raises `InputError`, `FeedPausedError`.
    """
    source = await asyncio.to_thread(Source, path)
    now = datetime.now(UTC)
    at = datetime.fromtimestamp(min(source.modified, now.timestamp()), UTC)
    if source.modified - now.timestamp() > _AHEAD_S:
        log.warning("intake.snapshot_ahead", feed=mapping.name)
    snapshot = await asyncio.to_thread(read_snapshot, source, mapping)
    found = await sink.take_snapshot(snapshot, mapping, at)
    summary = IngestSummary()
    if found is None:
        log.warning("intake.snapshot_older", feed=mapping.name)
        return summary
    for unit in found.units:
        if unit.events or unit.reject:
            summary = summary.plus(unit)
        if unit.reject and on_reject:
            on_reject(unit.reject)
    if found.fault is not None:
        log.error("intake.snapshot_fault", feed=mapping.name, fault=str(found.fault))
        if on_fault:
            on_fault(str(found.fault))
    return summary
