"""What operators do to a group, a topic or a database beneath the loop, meaning well."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from schemas.topics import Topic
from services.cli.topics import create_topics
from services.common.guard import members
from tests.harness import kafka
from tests.harness.kafka import TIMEOUT

Offsets = Mapping[tuple[str, int], int]
"""Topic and partition to offset."""


def wait_empty(bootstrap: str, group: str) -> None:
    """Until the group's members are gone: who was stopped or killed stays one for its session time-out."""
    deadline = time.monotonic() + TIMEOUT
    while asyncio.run(_members(bootstrap, group)):
        assert time.monotonic() < deadline, f"{group} still has members"
        time.sleep(0.1)


async def _members(bootstrap: str, group: str) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return await members(admin, group)
    finally:
        await admin.close()


def forget_group(bootstrap: str, group: str) -> None:
    """Delete the group's offsets, as a retention time that has run out does. Waits until its members are gone."""
    _insist(lambda admin: admin.delete_consumer_groups([group], request_timeout=TIMEOUT), bootstrap)


def move_group(bootstrap: str, group: str, offsets: Offsets) -> None:
    """Set committed offsets, as `kafka-consumer-groups.sh --reset-offsets` does. Waits until its members are gone."""
    places = [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
    wanted = [ConsumerGroupTopicPartitions(group, places)]
    _insist(lambda admin: admin.alter_consumer_group_offsets(wanted, request_timeout=TIMEOUT), bootstrap)


def delete_records(bootstrap: str, before: Offsets) -> None:
    """Cut the logs off below these offsets, as retention does."""
    places = [TopicPartition(topic, partition, offset) for (topic, partition), offset in before.items()]
    _insist(lambda admin: admin.delete_records(places, request_timeout=TIMEOUT), bootstrap)


def grow(bootstrap: str, topic: str, partitions: int) -> None:
    """More partitions: from now on keys move."""
    wanted = [NewPartitions(topic, partitions)]
    _insist(lambda admin: admin.create_partitions(wanted, request_timeout=TIMEOUT), bootstrap)


def recreate(bootstrap: str, topic: Topic, partitions: int) -> None:
    """The same name, another topic."""
    kafka.delete_topics(bootstrap, [topic])
    deadline = time.monotonic() + TIMEOUT
    while topic not in create_topics(bootstrap, partitions):  # until its deletion is known everywhere
        assert time.monotonic() < deadline, f"{topic} was not deleted"
        time.sleep(0.1)


def _insist(ask: Callable[[AdminClient], Mapping[Any, Future[Any]]], bootstrap: str) -> None:
    """A group with members refuses all of this: ask again until those that were killed have timed out."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            for future in ask(admin).values():
                _checked(future.result(TIMEOUT))
            return
        except KafkaException:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _checked(result: Any) -> None:
    """Some calls report errors within their result."""
    for place in getattr(result, "topic_partitions", ()):
        if place.error is not None:
            raise KafkaException(place.error)
