"""From units to a sink: the events, the records of people that follow, the dead letters, the count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final, Protocol

from schemas.envelope import Data, Event, deterministic_id
from schemas.topics import Topic
from services.intake.cloudevents import topic_of
from services.intake.domain import AsOf, IngestSummary, Reject, RejectLimit, SourcePausedError, Unit
from services.intake.people import People

_AT_ONCE: Final = 256
"""Units read in one go, in a thread: lanes that share the event loop must not wait for a file."""


class Sink(Protocol):
    """Where events and rejects go. Order is kept per offender."""

    async def event(self, topic: Topic, event: Event[Data]) -> None:
        """An event of the feed."""
        ...

    async def record(self, topic: Topic, event: Event[Data]) -> None:
        """A record of people that follows from an event of the feed."""
        ...

    async def reject(self, reject: Reject) -> None:
        """A unit that was refused."""
        ...


async def ingest(
    units: Iterable[Unit],
    sink: Sink,
    *,
    name: str,
    as_of: AsOf = AsOf.NOW,
    limit: RejectLimit | None = None,
    on_reject: Callable[[Reject], None] | None = None,
    progress: Callable[[IngestSummary], None] | None = None,
) -> IngestSummary:
    """Hand every unit of the feed `name` to `sink`, in order.

    Ids depend on the feed alone, so it may be killed at any time and run again from the start: consumers pass over what
    they have seen. `on_reject` is told of each reject, `progress` after each unit how far it is.

    Raises:
        InputError: reading broke off.
        SourcePausedError: more units were refused than `limit` allows; what went before is with the sink.
    """
    people, summary = People(), IngestSummary()
    limit = limit or RejectLimit()
    async for unit in _read(units):
        if unit.reject:
            await sink.reject(unit.reject)
            if on_reject:
                on_reject(unit.reject)
        for event in unit.events:
            for data in people.apply(event):
                record = _recorded(_record(event, data), as_of, event)
                await sink.record(topic_of(data.TYPE), record)
            await sink.event(topic_of(event.type), _recorded(event, as_of, event))
        summary = summary.plus(unit)
        if progress:
            progress(summary)
        if limit.passed(summary):
            raise SourcePausedError(name, summary, limit)
    return summary


async def _read(units: Iterable[Unit]) -> AsyncIterator[Unit]:
    iterator: Iterator[Unit] = iter(units)
    while some := await asyncio.to_thread(lambda: list(islice(iterator, _AT_ONCE))):
        for unit in some:
            yield unit


def _record(cause: Event[Data], data: Data) -> Event[Data]:
    """Its id is that of its cause, not of its content: a record that returns to what it was is news all the same."""
    topic = topic_of(data.TYPE)
    subject = str(getattr(data, "offender_id", cause.subject))
    return Event(
        id=deterministic_id(data.TYPE, cause.source, cause.id, subject),
        source="/intake",
        subject=subject,
        time=cause.time,
        data=data,
        dataclassification=topic.classification,
        correlationid=cause.correlationid if topic is Topic.VICTIMS else None,
        causationid=cause.id,
    )


def _recorded(event: Event[Data], as_of: AsOf, cause: Event[Data]) -> Event[Data]:
    """With the record time asked for, whatever a sender put there: that time is ours to give."""
    reported = getattr(cause.data, "reported_at", cause.time) if as_of is AsOf.REPORTED else None
    return replace(event, recordedtime=reported, dataclassification=topic_of(event.type).classification)
