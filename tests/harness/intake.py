"""Intake over a database of its own, with a stream in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.errors import KafkaError

from schemas.envelope import Data, Event, Message, decode
from services.cli.serve import migrate_all
from services.common.database import Database, database_url
from services.common.settings import CommonSettings
from services.intake.sinks import NAME
from services.intake.store.outbox import Waiting
from services.intake.usecases import Sender


@dataclass
class Stream:
    """What the broker has; `broken` makes it take nothing."""

    rows: list[tuple[str, Message]] = field(default_factory=list)
    broken: bool = False
    starts: int = 0

    async def start(self) -> None:
        self.starts += 1
        if self.broken:
            raise KafkaError

    async def publish(self, rows: Sequence[Waiting]) -> None:
        if self.broken:
            raise KafkaError
        self.rows += [(row.topic, row.message) for row in rows]

    async def close(self) -> None:
        """Nothing to close."""

    def events(self, topic: str) -> list[Event[Data]]:
        """Without tombstones."""
        return [decode(message) for name, message in self.rows if name == topic and message.value is not None]

    def data(self, topic: str) -> list[Data]:
        return [event.data for event in self.events(topic)]


@dataclass
class Bench:
    """A database with intake's tables, and a sender to a stream in memory."""

    database: Database
    stream: Stream
    sender: Sender


@asynccontextmanager
async def bench(folder: Path, url: str | None = None) -> AsyncIterator[Bench]:
    settings = CommonSettings(home=folder, DATABASE_URL=url) if url else CommonSettings(home=folder)
    await migrate_all(settings, [NAME])
    database, stream = Database(database_url(settings, NAME), NAME), Stream()
    try:
        yield Bench(database, stream, Sender(database, lambda: stream, patience=1.0))
    finally:
        await database.close()
