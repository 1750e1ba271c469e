"""What is checked before a replica joins its group: that this database belongs to this cluster, and neither has changed.

A copied database must be refused here, before its producers could fence production's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from services.common.cluster import Cluster
from services.common.database import Database
from services.common.errors import ConfigurationError, LaneRefusedError
from services.common.offsets import group_offsets
from services.common.producer import offset_metadata

T = TypeVar("T")

_TIMEOUT_S = 15.0


async def check(
    database: Database, cluster: Cluster, admin: AIOKafkaAdminClient, group: str, topics: Sequence[str], partitions: int
) -> str:
    """Returns the database's id. Raises `LaneRefusedError` (a code of the runbook) or `ConfigurationError`."""
    identity = await database.identity()
    await check_place(database, admin, group)
    for place in (await _group_offsets(admin, group, topics, partitions)).values():
        if place.metadata not in ("", offset_metadata(identity)):
            raise LaneRefusedError(
                "another_database", f"the offsets of group {group} were committed from another database"
            )
    await check_topics(database, cluster, topics, partitions)
    return identity


async def check_topics(database: Database, cluster: Cluster, topics: Sequence[str], partitions: int) -> None:
    """That they are those this database was worked with from the first. Raises as `check`; at run time before each claim."""
    found = await topic_facts(cluster, topics)
    for topic, (_, count) in found.items():
        if count != partitions:
            raise LaneRefusedError(
                "partition_count", f"{topic} has {count} partitions, not {partitions}: keys would move"
            )
    await _compare(
        database, {"partitions": str(partitions)} | {f"topic:{topic}": id_ for topic, (id_, _) in found.items()}
    )


async def check_key(database: Database, mark: str, *, only_look: bool = False) -> None:
    """That the key of the hashes is the one from the first. Raises `ConfigurationError`.

    With another, what was expunged would come in again, and what partners were sent could not be taken back. `only_look`: of
    a database that has no mark yet, the first is to be that of whoever works it.
    """
    recorded = await database.recorded("key") if only_look else await database.deployed("key", mark)
    if recorded not in (None, mark):
        raise ConfigurationError(
            "this database was worked with another key: give the one that is kept with its backups (IPVI_SEAL_KEY, of"
            " partners IPVI_PARTNERS_KEY), or IPVI_HOME where it lies"
        )


async def take_name(database: Database, replica: str, process: str) -> None:
    """From now on `process` bears the name: a restart takes over at once, whatever has become of the one before it."""
    name = f"replica:{replica}"
    if await database.deployed(name, process) != process:
        await database.deploy(name, process)


async def check_name(database: Database, replica: str, process: str) -> None:
    """Two processes of one name are one static member to Kafka: each would throw the other out for as long as both live."""
    if await database.deployed(f"replica:{replica}", process) != process:
        raise LaneRefusedError("name_taken", f"another process has started as replica {replica}")


async def check_place(database: Database, admin: AIOKafkaAdminClient, group: str) -> None:
    """A copy has its original's id: it is told by where it lies. It may take over (a restored backup) when nobody works."""
    place = await database.place()
    recorded = await database.deployed("place", place)
    if recorded == place:
        return
    if await members(admin, group):
        raise LaneRefusedError(
            "another_database", f"this database is a copy, and group {group} has members that may work on the original"
        )
    await database.deploy("place", place)


async def members(admin: AIOKafkaAdminClient, group: str) -> int:
    """How many members the group has; one that was killed counts until its session has timed out."""

    async def ask() -> int:
        code, *_, found = (await admin.describe_consumer_groups([group]))[0].groups[0][:6]
        if code:
            raise for_code(code)
        return len(found)

    return await _insist(ask, f"the members of {group}")


async def _compare(database: Database, facts: Mapping[str, str]) -> None:
    """With what was recorded at the first start; record what is new."""
    for name, value in facts.items():
        recorded = await database.deployed(name, value)
        if recorded != value:
            raise LaneRefusedError(
                "partition_count" if name == "partitions" else "topic_recreated",
                f"{name} is {value}, but this database was worked with {recorded}",
            )


async def topic_facts(cluster: Cluster, topics: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Id and partition count of each topic (aiokafka's admin client does not give ids). Raises `ConfigurationError`."""
    return await asyncio.to_thread(_topic_facts, cluster, list(topics))


def _topic_facts(cluster: Cluster, topics: list[str]) -> dict[str, tuple[str, int]]:
    admin = AdminClient({**cluster.admin(), "socket.timeout.ms": int(_TIMEOUT_S * 1000)})
    try:
        described = admin.describe_topics(TopicCollection(topics), request_timeout=_TIMEOUT_S)
        return {
            topic: (str(future.result().topic_id), len(future.result().partitions))
            for topic, future in described.items()
        }
    except KafkaException as error:
        raise ConfigurationError(f"Kafka at {cluster} does not give the topics: {error.args[0].name()}") from None


async def _group_offsets(
    admin: AIOKafkaAdminClient, group: str, topics: Sequence[str], partitions: int
) -> dict[TopicPartition, OffsetAndMetadata]:
    wanted = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
    return await _insist(lambda: group_offsets(admin, group, wanted), f"the offsets of {group}")


async def _insist(ask: Callable[[], Awaitable[T]], what: str) -> T:
    """A broker that has just started still loads its coordinators."""
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            return await ask()
        except KafkaError as error:
            if time.monotonic() > deadline:
                raise ConfigurationError(f"Kafka does not give {what}: {type(error).__name__}") from None
            await asyncio.sleep(0.2)
