"""A partner's credentials open its own topic and nothing else, on a real broker with a real authorizer and TLS; and with the
ACLs they get, our own services do their work."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from schemas.partner_file import FOLDER, load_partners
from schemas.topics import Topic
from services.cli.acls import Acl, acls, create
from services.cli.broker import EmbeddedBroker
from services.cli.registry import SERVICES
from services.cli.run import SAMPLE
from services.cli.topics import create_topics
from services.common.cluster import Cluster
from tests.harness import kafka
from tests.harness.command import ipvi
from tests.harness.partners import partner
from tests.harness.pipeline import Pipeline
from tests.harness.replicas import ReplicaProcess

PARTNERS = load_partners(FOLDER)[0]
OWN, OTHER, *_ = (each.topic for each in PARTNERS)
NEXT = partner(id="next")
"""Whose copies our own service makes here."""
LANES = 2
PASSWORD = "s3cret-of-the-brokers"
WHO = f"partner-{PARTNERS[0].id}"
DENIED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}


@pytest.fixture(scope="module")
def node() -> Iterator[EmbeddedBroker]:
    users = dict.fromkeys(
        (WHO, "nobody", "ipvi-intake", "ipvi-partners", *(f"ipvi-{name}" for name in SERVICES)), PASSWORD
    )
    with tempfile.TemporaryDirectory(prefix="ipvi-acls-", ignore_cleanup_errors=True) as folder:
        broker = EmbeddedBroker(Path(folder), passwords=users, certificate=certified(Path(folder)), brief=True)
        broker.start()
        try:
            create_topics(broker.bootstrap_servers, LANES, [each.topic for each in (*PARTNERS, NEXT)])
            create(Cluster(broker.bootstrap_servers), acls([*PARTNERS, NEXT]))
            create(Cluster(broker.bootstrap_servers), acls([*PARTNERS, NEXT]))
            kafka.produce(broker.bootstrap_servers, OWN, [(0, b"k", b"yours", ())])
            kafka.produce(broker.bootstrap_servers, OTHER, [(0, b"k", b"another's", ())])
            yield broker
        finally:
            broker.kill()


def certified(folder: Path) -> Path:
    """The broker's key and certificate, as Kafka reads them; `ca.pem` beside it is its authority's."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    path = folder / "broker.pem"
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain)
    return path


def config(node: EmbeddedBroker, user: str) -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": node.secured_servers,
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(node.data_dir / "ca.pem"),
        "sasl.mechanism": "PLAIN",
        "sasl.username": user,
        "sasl.password": PASSWORD,
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


# our own services ----------------------------------------------------------------------------------------------------

MAY_BE_SAID = {"duty.nobody_told", "seal.key_made"}
"""Nobody is on duty here, and the keys are this test's."""


@pytest.fixture
def county(node: EmbeddedBroker, tmp_path: Path) -> Iterator[Pipeline]:
    """The services' tables and the judge, who may do everything; the services come in by the secured listener."""
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text(f"{PASSWORD}\n")
    made = Pipeline(node.bootstrap_servers, None, tmp_path, "high-point-practice", LANES, ("intake", *SERVICES), [NEXT])
    made.services.remove("intake")  # it has no lanes
    yield made
    made.close()


def login(node: EmbeddedBroker, county: Pipeline, user: str, **other: str) -> dict[str, str]:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": node.secured_servers,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_USERNAME": user,
        "KAFKA_PASSWORD_FILE": str(county.folder / "password"),
        "KAFKA_CA_FILE": str(node.data_dir / "ca.pem"),
        **other,
    }


def test_our_services_do_their_work_with_their_own_credentials(node: EmbeddedBroker, county: Pipeline) -> None:
    def start(service: str) -> ReplicaProcess:
        return county.start(service, **login(node, county, f"ipvi-{service}", IPVI_TICKS="true"))

    started = {service: start(service) for service in (*SERVICES, "partners")}
    more = {"IPVI_HOME": str(county.folder), "IPVI_PARTITIONS": str(LANES)}
    words = ("ingest", "--as-of", "reported", "--format", "cloudevents", str(SAMPLE))
    said = ipvi(*words, env=login(node, county, "ipvi-intake", **more))
    assert said.code == 0, said.err
    county.wait_settled(90)
    assert county.received(NEXT) != []
    assert county.summary()["pairs"]["incomplete"] == 0
    for service, process in started.items():
        found = [line for line in process.lines() if line.get("level") in ("warning", "error")]
        assert {line["event"] for line in found} <= MAY_BE_SAID, f"{service}: {found}"
        assert PASSWORD not in process.log.read_text()
        process.stop()
    county.judge_delivery()


@pytest.mark.parametrize(
    "wrong",
    [{"KAFKA_PASSWORD_FILE": "wrong"}, {"KAFKA_USERNAME": "stranger"}, {"KAFKA_CA_FILE": ""}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_log_in_that_is_refused(node: EmbeddedBroker, county: Pipeline, wrong: dict[str, str]) -> None:
    (county.folder / "wrong").touch(mode=0o600)
    (county.folder / "wrong").write_text("another-s3cret")
    if "KAFKA_PASSWORD_FILE" in wrong:
        wrong = {"KAFKA_PASSWORD_FILE": str(county.folder / "wrong")}
    more = {"IPVI_HOME": str(county.folder), "IPVI_PARTITIONS": str(LANES)}
    said = ipvi(
        "ingest", "--format", "cloudevents", str(SAMPLE), env=login(node, county, "ipvi-intake", **more, **wrong)
    )
    assert said.code == 2
    assert f"no Kafka broker answers at {node.secured_servers}, or it does not take SASL_SSL" in said.err
    assert "s3cret" not in said.err + said.out
    assert "Traceback" not in said.err
