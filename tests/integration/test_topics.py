"""Creating the contract's topics on a real broker: once, twice, twice at a time, and beside topics that differ."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource

from schemas.topics import Topic, spec
from services.cli.topics import TopicsError, create_topics
from tests.harness import kafka


@pytest.fixture
def bootstrap() -> Iterator[str]:
    """A broker of its own for each test: these are the only tests that need the topics' real names absent."""
    with kafka.embedded_broker() as node:
        yield node.bootstrap_servers


def settings(bootstrap: str, topic: Topic) -> dict[str, str]:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic.value)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    (answer,) = admin.describe_configs([resource]).values()
    return {name: entry.value for name, entry in answer.result(kafka.TIMEOUT).items()}


def test_topics_come_once_with_their_settings_and_a_leader_each(bootstrap: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: create_topics(bootstrap, 3), range(2))
    assert sorted([*first, *second]) == sorted(Topic)
    assert create_topics(bootstrap, 3) == []
    for topic in Topic:
        assert spec(topic).configs.items() <= settings(bootstrap, topic).items()
    found = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=kafka.TIMEOUT).topics
    leaders = {topic: [part.leader for part in found[topic].partitions.values()] for topic in Topic}
    assert leaders == {topic: [1, 1, 1] for topic in Topic}


def test_another_number_of_partitions_is_refused(bootstrap: str) -> None:
    kafka.create_topics(bootstrap, {str(Topic.TIERS): 2}, spec(Topic.TIERS).configs)
    with pytest.raises(TopicsError, match=r"tiers\.v1 has 2 partitions, not 3"):
        create_topics(bootstrap, 3)


def test_a_clock_of_the_writers_is_refused(bootstrap: str) -> None:
    odd = spec(Topic.INCIDENTS).configs | {"message.timestamp.type": "CreateTime"}
    kafka.create_topics(bootstrap, {str(Topic.INCIDENTS): 3}, odd)
    with pytest.raises(TopicsError, match=r"message\.timestamp\.type is CreateTime, not LogAppendTime"):
        create_topics(bootstrap, 3)


def test_no_broker_is_one_clear_line() -> None:
    with pytest.raises(TopicsError, match=r"^no Kafka broker answers at 127\.0\.0\.1:1$"):
        create_topics("127.0.0.1:1", 3, timeout=1)
