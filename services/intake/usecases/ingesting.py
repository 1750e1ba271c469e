"""From units to a sink, some at a time, and the count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Protocol

from schemas.mapping import Mapping
from services.common.database import Database
from services.intake.domain import (
    AsOf,
    Feed,
    FeedPausedError,
    IngestSummary,
    Reject,
    RejectLimit,
    SourcePausedError,
    Terms,
    Unit,
)
from services.intake.mapped.changes import Changes
from services.intake.mapped.snapshot import Snapshot
from services.intake.usecases.sending import Sender
from services.intake.usecases.taking import take, take_snapshot

_AT_ONCE: Final = 256
"""Units read in one go, in a thread, and taken in one transaction: what shares the event loop must not wait for a file."""


class Sink(Protocol):
    """Where units go. Order is kept."""

    async def take(self, units: Sequence[Unit]) -> None:
        """Some units, in order."""
        ...

    async def finish(self) -> None:
        """Returns when all of them are where they go."""
        ...


class StreamSink:
    """To the stream, by way of the database. One batch goes out while the next is being taken."""

    def __init__(self, database: Database, sender: Sender, feed: Feed, terms: Terms, as_of: AsOf = AsOf.NOW) -> None:
        self._database = database
        self._sender = sender
        self._feed = feed
        self._as_of = as_of
        self._terms = terms
        self._sending: asyncio.Task[None] | None = None
        self.repeated = 0
        """Events that were on the stream before."""

    async def take(self, units: Sequence[Unit]) -> None:
        """Raises `StreamError` for this batch or the one before, `FeedPausedError` where too much was refused."""
        taken = await take(self._database, units, self._feed, self._as_of, datetime.now(UTC), self._terms)
        self.repeated += taken.said.repeated
        await self.finish()
        self._sending = asyncio.create_task(self._sender.deliver(taken.upto))
        if taken.paused is not None:
            await self.finish()
            raise FeedPausedError(*taken.paused, expunges=taken.waits)

    async def take_snapshot(self, snapshot: Snapshot, mapping: Mapping, at: datetime) -> Changes | None:
        """A roster as it was `at`; returns when all that follows is on the stream. None: an older one than the last."""
        taken, found = await take_snapshot(self._database, snapshot, mapping, at, datetime.now(UTC), self._terms)
        await self._sender.deliver(taken.upto)
        return found

    async def finish(self) -> None:
        if self._sending is not None:
            await self._sending


async def ingest(
    units: Iterable[Unit],
    sink: Sink,
    *,
    name: str,
    limit: RejectLimit | None = None,
    on_reject: Callable[[Reject], None] | None = None,
    progress: Callable[[IngestSummary], None] | None = None,
    at_once: int = _AT_ONCE,
) -> IngestSummary:
    """Hand every unit of the feed `name` to `sink`, in order.

    Ids depend on the feed alone, so it may be killed at any time and run again from the start. `on_reject` is told of each
    reject, `progress` after each unit how far it is.

    Raises:
        InputError: reading broke off.
        SourcePausedError: more units were refused than `limit` allows; what went before is with the sink.
    """
    summary, limit = IngestSummary(), limit or RejectLimit()
    async for some in _read(units, at_once):
        for number, unit in enumerate(some, start=1):
            summary = summary.plus(unit)
            if unit.reject and on_reject:
                on_reject(unit.reject)
            if progress:
                progress(summary)
            if limit.passed(summary):
                await sink.take(some[:number])
                await sink.finish()
                raise SourcePausedError(name, summary, limit)
        await sink.take(some)
    await sink.finish()
    return summary


async def _read(units: Iterable[Unit], at_once: int) -> AsyncIterator[list[Unit]]:
    iterator: Iterator[Unit] = iter(units)
    while some := await asyncio.to_thread(lambda: list(islice(iterator, at_once))):
        yield some
