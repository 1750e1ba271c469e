"""A real broker for tests, and what tests ask of one. Everything is bounded in time."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from services.cli.broker import EmbeddedBroker

TIMEOUT = 20.0
"""Seconds that any one of these helpers may take."""

Headers = Sequence[tuple[str, bytes]]
Outgoing = tuple[int, bytes | None, bytes | None, Headers]
"""Partition, key, value, headers."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in the topic; `timestamp` in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@contextmanager
def broker() -> Iterator[str]:
    """Bootstrap servers: those of `KAFKA_BOOTSTRAP_SERVERS`, else of an embedded broker that keeps nothing."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
        return
    with embedded_broker() as node:
        yield node.bootstrap_servers


@contextmanager
def embedded_broker(
    *, proxied_port: int | None = None, advertised_proxy_port: int | None = None
) -> Iterator[EmbeddedBroker]:
    """An embedded broker whatever the environment says: for tests that restart it or put a proxy before it."""
    with tempfile.TemporaryDirectory(prefix="ipvi-kafka-", ignore_cleanup_errors=True) as folder:
        node = EmbeddedBroker(
            Path(folder), proxied_port=proxied_port, advertised_proxy_port=advertised_proxy_port, brief=True
        )
        node.start()
        try:
            yield node
        finally:
            node.kill()


def unique(prefix: str) -> str:
    """A name no other test has."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def create_topics(bootstrap: str, topics: Mapping[str, int], config: Mapping[str, str] | None = None) -> None:
    """Create topics with the given partition counts and wait until every partition has a leader."""
    admin = _admin(bootstrap)
    wanted = [NewTopic(name, count, 1, config=dict(config or {})) for name, count in topics.items()]
    _all(admin.create_topics(wanted, operation_timeout=TIMEOUT).values())
    deadline = time.monotonic() + TIMEOUT
    while not all(_led(admin, name, count) for name, count in topics.items()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"no leaders for {sorted(topics)}")
        time.sleep(0.01)


def delete_topics(bootstrap: str, topics: Iterable[str]) -> None:
    admin = _admin(bootstrap)
    _all(admin.delete_topics(list(topics), operation_timeout=TIMEOUT).values())


def produce(bootstrap: str, topic: str, records: Iterable[Outgoing]) -> None:
    """Write the records in order, without a transaction, and wait until the broker has them all."""
    failures: list[object] = []
    settings = {"linger.ms": 1, "enable.idempotence": True, "message.max.bytes": 2 * 1024 * 1024, "log_level": 0}
    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for partition, key, value, headers in records:
        producer.produce(
            topic,
            value=value,
            key=key,
            partition=partition,
            headers=list(headers),
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
        producer.poll(0)
    if producer.flush(TIMEOUT) or failures:
        raise RuntimeError(f"not all records written to {topic}: {failures[:3]}")


def end_offsets(
    bootstrap: str, topics: Collection[str], isolation: str = "read_uncommitted"
) -> dict[tuple[str, int], int]:
    """Per partition the offset after the last record; with `read_committed`, before the first open transaction."""
    consumer = _consumer(bootstrap, isolation)
    try:
        return {
            (name, partition): _ends(consumer, name, partition)[1]
            for name in topics
            for partition in range(_partitions(consumer, name))
        }
    finally:
        consumer.close()


def read_all(bootstrap: str, topic: str, isolation: str = "read_committed", timeout: float = TIMEOUT) -> list[Record]:
    """Every record from the start to the end as of now, by partition and offset.

    Raises:
        TimeoutError: the end was not reached; with `read_committed`, "end" stops before an open transaction.
    """
    consumer = _consumer(bootstrap, isolation)
    deadline = time.monotonic() + timeout
    try:
        ends = {}
        for partition in range(_partitions(consumer, topic)):
            low, high = _ends(consumer, topic, partition)
            if low < high:
                ends[partition] = (low, high)
        consumer.assign([TopicPartition(topic, partition, low) for partition, (low, _) in ends.items()])
        records: list[Record] = []
        while not _reached(consumer, topic, {partition: high for partition, (_, high) in ends.items()}):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic} was not read to its end: {len(records)} records in {timeout} s")
            records += [_record(message) for message in consumer.consume(1_000, timeout=0.05) if not message.error()]
    finally:
        consumer.close()
    inside = (record for record in records if record.offset < ends[record.partition][1])
    return sorted(inside, key=lambda record: (record.partition, record.offset))


def committed(bootstrap: str, group: str) -> dict[tuple[str, int], tuple[int, str]]:
    """Per topic and partition the group's committed offset and its metadata; partitions without one are left out.

    Raises:
        KafkaError: aiokafka's, if the coordinator refuses for more than `TIMEOUT` seconds.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, _committed(bootstrap, group)).result(TIMEOUT)


async def _committed(bootstrap: str, group: str) -> dict[tuple[str, int], tuple[int, str]]:
    """confluent-kafka reads metadata past its end; aiokafka's public method takes a refusal for "no offsets"."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        deadline = time.monotonic() + TIMEOUT
        while True:
            coordinator = await admin.find_coordinator(group)
            answer = await admin._send_request(OffsetFetchRequest(group, None), coordinator)
            refusal = for_code(answer.error_code)
            if refusal is NoError:
                break
            # The first question about any group makes the coordinator's topic, which then loads.
            if not refusal.retriable or time.monotonic() > deadline:
                raise refusal
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
    return {
        (topic, partition): (offset, metadata or "")
        for topic, partitions in answer.topics
        for partition, offset, metadata, _ in partitions
    }


def _admin(bootstrap: str) -> AdminClient:
    """To be kept in a variable while an answer is awaited: futures of a collected client never end."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def _consumer(bootstrap: str, isolation: str) -> Consumer:
    """A reader outside all groups: its group name is required by the client and never used."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": unique("reader"),
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": isolation,
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }
    )


def _all(futures: Iterable[Future[None]]) -> None:
    done, late = wait(futures, timeout=TIMEOUT)
    for future in done:
        future.result()
    if late:
        raise TimeoutError(f"{len(late)} topics not done in {TIMEOUT} s")


def _led(admin: AdminClient, topic: str, count: int) -> bool:
    found = admin.list_topics(topic, timeout=TIMEOUT).topics[topic]
    return len(found.partitions) == count and all(partition.leader >= 0 for partition in found.partitions.values())


def _partitions(consumer: Consumer, topic: str) -> int:
    found = consumer.list_topics(topic, timeout=TIMEOUT).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return len(found.partitions)


def _ends(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT)
        except KafkaException as error:  # a topic just made has a leader before the leader knows
            if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return low, high


def _reached(consumer: Consumer, topic: str, ends: Mapping[int, int]) -> bool:
    """Whether the position, which also passes transaction markers and aborted records, is at every end."""
    positions = consumer.position([TopicPartition(topic, partition) for partition in ends])
    return all(position.offset >= ends[position.partition] for position in positions)


def _record(message: Message) -> Record:
    return Record(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(cast("list[tuple[str, bytes]]", message.headers() or [])),
    )
