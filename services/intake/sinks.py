"""The two places an ingest can write to.

The stream, through an idempotent producer, or lines, with no broker at all.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.envelope import Data, Event, deterministic_id, encode, to_json_line
from schemas.person import VictimsDescribed
from schemas.topics import Topic
from services.common.errors import IpviError
from services.intake.cloudevents import TOPICS
from services.intake.domain import Reject
from services.intake.lines import KEPT

_MAX_REQUEST: Final = 2 * 1024 * 1024
_RETRY_BACKOFF_MS: Final = 5
"""aiokafka's 100 ms would be most of an incident's way to the stream."""
_LINGER_MS: Final = 2


class StreamError(IpviError):
    """The stream cannot be written to; nothing is lost: ingest the file again from its start."""


class KafkaSink:
    """Writes with `acks=all` and an idempotent producer, so a retry inside it doubles nothing; keyed by offender, on
    the partition Kafka's default (murmur2) gives that key.
    """

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._failed: BaseException | None = None

    async def event(self, topic: Topic, event: Event[Data]) -> None:
        message = encode(event)
        await self._send(topic, None if _ends_record(event) else message.value, message.key, list(message.headers))

    record = event

    async def reject(self, reject: Reject) -> None:
        """The dead letter. Its value is what came, cut off only where the topic could not take it."""
        headers = {
            "ce_specversion": "1.0",
            "ce_type": "ipvi.record.rejected.v1",
            "ce_source": "/intake",
            "ce_id": deterministic_id(
                "rejected", reject.file, reject.line, reject.code, hashlib.sha256(reject.raw).hexdigest()
            ),
            "reject-code": str(reject.code),
            "reject-field": reject.field or "",
            "reject-file": reject.file,
            "reject-line": str(reject.line),
            "reject-mend": reject.mend,
        }
        value = reject.raw[:KEPT]
        if len(value) < reject.size:
            headers["reject-cut-from"] = str(reject.size)
        # Whose record it was cannot be told; its id as key keeps a repeat on the same partition.
        key = headers["ce_id"].encode()
        pairs = [(name, value.encode()) for name, value in headers.items()]
        await self._send(Topic.INTAKE_REJECTS, value, key, pairs)

    async def _send(
        self, topic: Topic, value: bytes | None, key: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        """Waits only while the producer's batch is full. A failure is raised by the next call, or by `finish`."""
        self._raise()
        answer = await self._producer.send(topic, value, key, headers=headers)
        answer.add_done_callback(self._answered)

    def _answered(self, answer: asyncio.Future[object]) -> None:
        if not answer.cancelled() and answer.exception() is not None:
            self._failed = self._failed or answer.exception()

    def _raise(self) -> None:
        if self._failed:
            raise StreamError(f"the broker did not take a record ({type(self._failed).__name__}); {_AGAIN}")

    async def finish(self) -> None:
        """Returns when the broker has everything. Raises `StreamError`."""
        await self._producer.flush()
        self._raise()


_AGAIN: Final = "ingest the file again from its start, nothing is doubled by that"


def _ends_record(event: Event[Data]) -> bool:
    """No victims left: a tombstone, so that compaction takes the last record away too."""
    return isinstance(event.data, VictimsDescribed) and not event.data.victims


@asynccontextmanager
async def kafka_sink(bootstrap: str, timeout: float = 40.0) -> AsyncIterator[KafkaSink]:
    """A sink on a broker; leaves only when the broker has everything.

    Raises `StreamError`; `timeout` (s) is for each request.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=_LINGER_MS,
        retry_backoff_ms=_RETRY_BACKOFF_MS,
        max_request_size=_MAX_REQUEST,
        request_timeout_ms=int(timeout * 1000),
    )
    try:
        await producer.start()
    except (KafkaError, OSError) as failed:
        await producer.stop()
        raise StreamError(f"no Kafka broker answers at {bootstrap}") from failed
    try:
        await _check_topics(producer, bootstrap)
        sink = KafkaSink(producer)
        yield sink
        await sink.finish()
    except KafkaError as failed:
        raise StreamError(f"the broker at {bootstrap} failed ({type(failed).__name__}); {_AGAIN}") from failed
    finally:
        await producer.stop()


async def _check_topics(producer: AIOKafkaProducer, bootstrap: str) -> None:
    cluster = await producer.client.fetch_all_metadata()
    missing = sorted({*TOPICS, Topic.INTAKE_REJECTS} - cluster.topics())
    if missing:
        raise StreamError(
            f"the broker at {bootstrap} has no topic {missing[0]}: create the topics first (`ipvi topics`)"
        )


class LinesSink:
    """Structured CloudEvents, one a line.

    Records of people are left out: they follow again when the lines are ingested.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def event(self, topic: Topic, event: Event[Data]) -> None:
        self._file.write(to_json_line(event) + b"\n")

    async def record(self, topic: Topic, event: Event[Data]) -> None:
        """Not written."""

    async def reject(self, reject: Reject) -> None:
        """Rejects are reported by whoever runs the ingest; lines hold events alone."""
