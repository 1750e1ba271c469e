"""Creates the topics of the contract, or says in which way those that exist differ from it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigEntry, ConfigResource, NewTopic

from schemas.topics import Topic, partner_topic_configs, spec
from services.common.cluster import Cluster
from services.common.errors import ConfigurationError

MAX_REPLICAS: Final = 3
RELIED_ON: Final = ("cleanup.policy", "message.timestamp.type")
"""Settings without which lanes would decide wrongly; the others are an operator's to change."""
REQUEST_S: Final = 10.0


class TopicsError(ConfigurationError):
    """The topics cannot be created, or are not those of the contract."""


def create_topics(
    where: Cluster | str, partitions: int, partners: Iterable[str] = (), timeout: float = 60.0
) -> list[str]:
    """Create what is missing, check what is there, wait (up to `timeout` seconds) until every partition has a leader.

    `partners`: names of partners' own topics, created besides. Replication factor is 3, or the number of brokers if that is
    less. Safe to repeat, and to run twice at once.

    Returns:
        The names of the topics that were created by this call.

    Raises:
        TopicsError: no broker answers, a topic has another number of partitions (24 stays 24: another count sends an
            offender's next record to another lane), or a setting the lanes rely on differs.
    """
    cluster = Cluster.of(where)
    admin = AdminClient(cluster.admin())
    deadline = time.monotonic() + timeout
    try:
        found = _found(admin, cluster, min(REQUEST_S, timeout))
        wanted = {topic.value: spec(topic).configs for topic in Topic}
        wanted |= {name: partner_topic_configs() for name in partners}
        missing = {name: configs for name, configs in wanted.items() if name not in found.topics}
        created = _create(admin, missing, partitions, replicas=min(MAX_REPLICAS, len(found.brokers)))
        _check_partitions(_led(admin, cluster, deadline, wanted), partitions)
        _check_settings(admin, {name: configs for name, configs in wanted.items() if name not in created})
    except KafkaException as failed:
        raise TopicsError(f"topics cannot be created at {cluster}: {failed.args[0]}") from failed
    return created


def _found(admin: AdminClient, cluster: Cluster, timeout: float = REQUEST_S) -> ClusterMetadata:
    try:
        return admin.list_topics(timeout=timeout)
    except KafkaException as failed:
        raise TopicsError(cluster.unreachable) from failed


def _create(admin: AdminClient, missing: Mapping[str, Mapping[str, str]], partitions: int, replicas: int) -> list[str]:
    if not missing:
        return []
    # One replica may be down without stopping writers; with one broker there is none to spare.
    safe = {"min.insync.replicas": str(max(1, replicas - 1))}
    wanted = [NewTopic(name, partitions, replicas, config={**configs, **safe}) for name, configs in missing.items()]
    answers = admin.create_topics(wanted, operation_timeout=REQUEST_S, request_timeout=REQUEST_S)
    return [name for name, answer in answers.items() if _was_created(answer)]


def _was_created(answer: Future[None]) -> bool:
    """False where another process was first."""
    try:
        answer.result(REQUEST_S)
    except KafkaException as failed:
        if failed.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        return False
    return True


def _led(admin: AdminClient, cluster: Cluster, deadline: float, wanted: Collection[str]) -> dict[str, int]:
    """Partition counts, once every partition of every topic has a leader."""
    while time.monotonic() < deadline:
        found = _found(admin, cluster).topics
        partitions = {name: found[name].partitions for name in wanted if name in found}
        if len(partitions) == len(wanted) and all(
            part.leader >= 0 for parts in partitions.values() for part in parts.values()
        ):
            return {name: len(parts) for name, parts in partitions.items()}
        time.sleep(0.05)
    raise TopicsError("the topics have no leaders yet: is a broker down?")


def _check_partitions(counts: Mapping[str, int], partitions: int) -> None:
    for name, count in counts.items():
        if count != partitions:
            raise TopicsError(f"{name} has {count} partitions, not {partitions}: the number is fixed at the start")


def _check_settings(admin: AdminClient, topics: Mapping[str, Mapping[str, str]]) -> None:
    resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in topics]
    if not resources:
        return
    for resource, answer in admin.describe_configs(resources, request_timeout=REQUEST_S).items():
        found: dict[str, ConfigEntry] = answer.result(REQUEST_S)
        wanted = topics[resource.name]
        for name in RELIED_ON:
            if found[name].value != wanted[name]:
                raise TopicsError(f"{resource.name}: {name} is {found[name].value}, not {wanted[name]}")
