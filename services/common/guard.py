"""What is checked before a replica joins its group: that this database belongs to this cluster, and neither has changed.

A copied database must be refused here, before its producers could fence production's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from sqlalchemy import insert, select

from services.common.database import Database
from services.common.errors import ConfigurationError, LaneRefusedError
from services.common.producer import offset_metadata
from services.common.tables import deployment

_TIMEOUT_S = 15.0


async def check(database: Database, bootstrap: str, group: str, topics: Sequence[str], partitions: int) -> str:
    """Returns the database's id. Raises `LaneRefusedError` (a code of the runbook) or `ConfigurationError`."""
    identity = await database.identity()
    cluster = await asyncio.to_thread(_cluster_facts, bootstrap, group, list(topics))
    for topic, (_, count) in cluster.topics.items():
        if count != partitions:
            raise LaneRefusedError("partition_count", f"{topic} has {count} partitions, not {partitions}: keys would move")
    if any(metadata and metadata != offset_metadata(identity) for metadata in cluster.metadata):
        raise LaneRefusedError("another_database", f"the offsets of group {group} were committed from another database")
    facts = {"partitions": str(partitions)} | {f"topic:{topic}": id_ for topic, (id_, _) in cluster.topics.items()}
    async with database.write() as conn:
        recorded = {name: value for name, value in await conn.execute(select(deployment.c.name, deployment.c.value))}
        for name, value in facts.items():
            if name not in recorded:
                await conn.execute(insert(deployment).values(name=name, value=value))
            elif recorded[name] != value:
                raise LaneRefusedError(
                    "partition_count" if name == "partitions" else "topic_recreated",
                    f"{name} is {value}, but this database was worked with {recorded[name]}",
                )
    return identity


class _Facts:
    def __init__(self, topics: dict[str, tuple[str, int]], metadata: list[str]) -> None:
        self.topics = topics
        self.metadata = metadata


def _cluster_facts(bootstrap: str, group: str, topics: list[str]) -> _Facts:
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0, "socket.timeout.ms": int(_TIMEOUT_S * 1000)})
    try:
        described = admin.describe_topics(TopicCollection(topics), request_timeout=_TIMEOUT_S)
        found = {topic: (str(future.result().topic_id), len(future.result().partitions)) for topic, future in described.items()}
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=_TIMEOUT_S)
        offsets = [place for future in asked.values() for place in future.result().topic_partitions]
    except KafkaException as error:
        raise ConfigurationError(f"Kafka at {bootstrap} does not give the topics: {error.args[0].name()}") from None
    return _Facts(found, [place.metadata or "" for place in offsets])
