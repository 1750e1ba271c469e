"""A partner's credentials open its own topic and nothing else, on a real broker with a real authorizer."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.partner_file import FOLDER, load_partners
from schemas.topics import Topic
from services.cli.acls import Acl, acls, create
from services.cli.broker import EmbeddedBroker
from services.cli.topics import create_topics
from tests.harness import kafka

PARTNERS = load_partners(FOLDER)[0]
OWN, OTHER, *_ = (each.topic for each in PARTNERS)
WHO = f"partner-{PARTNERS[0].id}"
DENIED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}


@pytest.fixture(scope="module")
def node() -> Iterator[EmbeddedBroker]:
    users = {WHO: "s3cret", "ipvi-partners": "s3cret", "ipvi-notifier": "s3cret", "nobody": "s3cret"}
    with tempfile.TemporaryDirectory(prefix="ipvi-acls-", ignore_cleanup_errors=True) as folder:
        broker = EmbeddedBroker(Path(folder), passwords=users)
        broker.start()
        try:
            create_topics(broker.bootstrap_servers, 2, [each.topic for each in PARTNERS])
            create(broker.bootstrap_servers, acls(PARTNERS))
            create(broker.bootstrap_servers, acls(PARTNERS))
            kafka.produce(broker.bootstrap_servers, OWN, [(0, b"k", b"yours", ())])
            kafka.produce(broker.bootstrap_servers, OTHER, [(0, b"k", b"another's", ())])
            yield broker
        finally:
            broker.kill()


def config(node: EmbeddedBroker, user: str) -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": node.secured_servers,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": user,
        "sasl.password": "s3cret",
        "log_level": 0,
    }


def read(node: EmbeddedBroker, user: str, topic: str, group: str) -> bytes:
    """One record, in a group as a consumer would. Raises `KafkaException` where it is refused."""
    more = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer({**config(node, user), **more})
    try:
        consumer.subscribe([topic])
        deadline = time.monotonic() + kafka.TIMEOUT
        while time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is None:
                continue
            if (error := message.error()) is not None:
                raise KafkaException(error)
            consumer.commit(message=message, asynchronous=False)
            return message.value() or b""
        raise TimeoutError(f"{topic}: neither read nor refused")
    finally:
        consumer.close()


def write(node: EmbeddedBroker, user: str, topic: str) -> None:
    failed: list[KafkaError] = []
    producer = Producer({**config(node, user), "enable.idempotence": False})
    producer.produce(topic, b"x", on_delivery=lambda error, _: failed.append(error) if error else None)
    assert producer.flush(kafka.TIMEOUT) == 0
    if failed:
        raise KafkaException(failed[0])


def refused(raised: pytest.ExceptionInfo[KafkaException]) -> bool:
    return raised.value.args[0].code() in DENIED


def test_it_reads_its_own_topic_in_its_own_group(node: EmbeddedBroker) -> None:
    assert read(node, WHO, OWN, f"ipvi.partner.{PARTNERS[0].id}.app") in (b"yours", b"x"), "whichever comes first"


@pytest.mark.parametrize("topic", [OTHER, *map(str, Topic)])
def test_it_is_refused_on_every_other_topic(node: EmbeddedBroker, topic: str) -> None:
    with pytest.raises(KafkaException) as raised:
        read(node, WHO, topic, f"ipvi.partner.{PARTNERS[0].id}.curious")
    assert refused(raised)


@pytest.mark.parametrize(
    "group",
    [f"ipvi-{PARTNERS[0].service}", f"ipvi.partner.{PARTNERS[1].id}.app", "ipvi-notifier", "ipvi.partner.", "app"],
)
def test_it_is_refused_in_every_other_group(node: EmbeddedBroker, group: str) -> None:
    with pytest.raises(KafkaException) as raised:
        read(node, WHO, OWN, group)
    assert refused(raised)


def test_it_writes_nowhere_and_makes_nothing(node: EmbeddedBroker) -> None:
    for topic in (OWN, OTHER, str(Topic.DECISIONS), str(Topic.PARTNERS_COMMANDS)):
        with pytest.raises(KafkaException) as raised:
            write(node, WHO, topic)
        assert refused(raised)
    admin = AdminClient(config(node, WHO))
    more = [Acl(f"User:{WHO}", "topic", OTHER, "read").binding()]
    for asked in (admin.create_acls(more), admin.create_topics([NewTopic("its-own", 1, 1)])):
        with pytest.raises(KafkaException) as raised:
            next(iter(asked.values())).result(kafka.TIMEOUT)
        assert refused(raised)
    assert set(admin.list_topics(timeout=kafka.TIMEOUT).topics) == {OWN}, "it does not even see the others"


def test_it_begins_no_transaction(node: EmbeddedBroker) -> None:
    producer = Producer({**config(node, WHO), "transactional.id": f"ipvi-{PARTNERS[0].service}.0"})
    with pytest.raises(KafkaException) as raised:
        producer.init_transactions(kafka.TIMEOUT)
    assert refused(raised)


def test_this_service_writes_partners_topics_and_no_other_service_does(node: EmbeddedBroker) -> None:
    write(node, "ipvi-partners", OTHER)
    for user in ("ipvi-notifier", "nobody"):
        with pytest.raises(KafkaException) as raised:
            write(node, user, OTHER)
        assert refused(raised)
    with pytest.raises(KafkaException) as raised:
        read(node, "ipvi-partners", str(Topic.VICTIMS), f"ipvi-{PARTNERS[0].service}")
    assert refused(raised)


def test_its_lanes_may_open_their_transactions(node: EmbeddedBroker) -> None:
    producer = Producer({**config(node, "ipvi-partners"), "transactional.id": f"ipvi-{PARTNERS[0].service}.0"})
    producer.init_transactions(kafka.TIMEOUT)
    producer.begin_transaction()
    producer.produce(OWN, b"x", partition=1)
    producer.commit_transaction(kafka.TIMEOUT)
