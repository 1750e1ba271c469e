"""The two places an ingest can write to: the stream, through a transactional producer, or lines, with no broker at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import BinaryIO, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError

from schemas.envelope import to_json_line
from schemas.topics import Topic
from services.common import guard
from services.common.cluster import Cluster
from services.common.database import Database, database_url
from services.common.errors import ConfigurationError, LaneRefusedError
from services.common.producer import heard
from services.common.seal import NOBODYS, Seal
from services.common.settings import CommonSettings
from services.intake.cloudevents import TOPICS
from services.intake.domain import AsOf, Feed, Terms, Unit
from services.intake.saying import recorded
from services.intake.store import outbox
from services.intake.store.outbox import Waiting
from services.intake.usecases import Sender, StreamError, StreamSink

NAME: Final = "intake"
TRANSACTIONAL_ID: Final = "ipvi-intake.outbox"
_MAX_REQUEST: Final = 2 * 1024 * 1024
_RETRY_BACKOFF_MS: Final = 5
"""aiokafka's 100 ms would be most of an incident's way to the stream."""
_LINGER_MS: Final = 1
_TRANSACTION_MS: Final = 30_000


class OutboxProducer:
    """Rows in one transaction; keyed by offender, on the partition Kafka's default (murmur2) gives that key."""

    def __init__(self, cluster: Cluster, timeout: float = 40.0) -> None:
        self._timeout = timeout
        self._producer = AIOKafkaProducer(
            **cluster.client(),
            transactional_id=TRANSACTIONAL_ID,
            transaction_timeout_ms=_TRANSACTION_MS,
            acks="all",
            linger_ms=_LINGER_MS,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
            max_request_size=_MAX_REQUEST,
            request_timeout_ms=int(timeout * 1000),
        )

    async def start(self) -> None:
        async with asyncio.timeout(self._timeout):
            await self._producer.start()

    async def publish(self, rows: Sequence[Waiting]) -> None:
        """Returns only when the broker has answered that it committed."""
        async with asyncio.timeout(self._timeout), self._producer.transaction():
            answers = [
                heard(
                    await self._producer.send(
                        row.topic, row.message.value, row.message.key, headers=list(row.message.headers)
                    )
                )
                for row in rows
            ]
            await asyncio.gather(*answers)

    async def close(self) -> None:
        """Never raises: it may be fenced, or its broker gone."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(self._timeout):
                await self._producer.stop()


@asynccontextmanager
async def stream(
    settings: CommonSettings, feed: Feed, terms: Terms, as_of: AsOf = AsOf.NOW
) -> AsyncIterator[StreamSink]:
    """The stream of these settings, for this feed; what an earlier process left in the outbox goes out first.

    Raises `StreamError` where no broker answers or it is not the one this database was worked with, `ConfigurationError`
    where the tables are not there.
    """
    await check_broker(settings.kafka)
    database = Database(database_url(settings, NAME), NAME)
    sender = Sender(database, lambda: OutboxProducer(settings.kafka), patience=120.0)
    try:
        await check_database(database, settings, terms.seal)
        async with database.read() as conn:
            left = await outbox.last(conn)
        await sender.deliver(left)
        yield StreamSink(database, sender, feed, terms, as_of)
        await sender.close()
    except (KafkaError, OSError) as failed:
        raise StreamError(f"the broker at {settings.kafka} failed ({type(failed).__name__}); run it again") from failed
    finally:
        await database.close()


async def check_broker(cluster: Cluster) -> None:
    """Raises `StreamError` where no broker answers, or one without our topics."""
    client = AIOKafkaProducer(**cluster.client())
    try:
        await client.start()
        found = await client.client.fetch_all_metadata()
    except (KafkaError, OSError) as failed:
        raise StreamError(cluster.unreachable) from failed
    finally:
        await client.stop()
    missing = sorted({*TOPICS, Topic.INTAKE_REJECTS} - found.topics())
    if missing:
        raise StreamError(f"the broker at {cluster} has no topic {missing[0]}: run `ipvi migrate` first")


async def check_database(database: Database, settings: CommonSettings, seal: Seal) -> None:
    """That the tables are there, and that seal key and topics are those which this database was worked with from the first.

    What it says it has taken is on those topics; on others it would be missing for good.
    """
    try:
        async with database.read() as conn:
            await outbox.first(conn)
    except DBAPIError:
        raise ConfigurationError("intake's tables are not there: run `ipvi migrate` first") from None
    topics = [str(topic) for topic in (*TOPICS, Topic.INTAKE_REJECTS)]
    try:
        await guard.check_topics(database, settings.kafka, topics, settings.partitions)
    except LaneRefusedError as refused:
        raise ConfigurationError(f"intake: {refused}") from None
    await guard.check_key(database, seal(NOBODYS))


class LinesSink:
    """Structured CloudEvents, one a line.

    Records of people are left out: they follow again when the lines are ingested. So are rejects.
    """

    def __init__(self, file: BinaryIO, as_of: AsOf = AsOf.NOW) -> None:
        self._file = file
        self._as_of = as_of

    async def take(self, units: Sequence[Unit]) -> None:
        for unit in units:
            for event in unit.events:
                self._file.write(to_json_line(recorded(event, self._as_of, event)) + b"\n")

    async def finish(self) -> None:
        """Whoever opened the file closes it."""
