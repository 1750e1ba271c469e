"""Yesterday's dump restored: what Kafka has is worked again without a word; where the log is too short the lanes refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer

from schemas.commands import Fail, Role
from schemas.envelope import Event, encode
from schemas.notification import FailureReason
from schemas.topics import Topic
from services.cli.rebase import rebase
from tests.harness import kafka
from tests.harness.operators import delete_records, wait_empty
from tests.harness.postgres import PostgresServer
from tests.harness.probe import Probe, at
from tests.harness.replicas import GROUP, Bench, incident

COMMANDS = Topic.NOTIFIER_COMMANDS
ANSWERED = "SELECT offender_id, reports_before_act FROM counts ORDER BY offender_id"


@pytest.fixture(scope="module")
def restored(postgres: PostgresServer) -> Iterator[list[str]]:
    """Databases made by these tests."""
    urls: list[str] = []
    yield urls
    for url in urls:
        postgres.drop_database(url)


@pytest.fixture
def yesterday(shared_bench: Bench, postgres: PostgresServer, restored: list[str]) -> str:
    """A restored backup; work went on after it was taken, and was stopped."""
    bench = shared_bench
    assert bench.url is not None
    replica = bench.start(session_timeout_ms="1000")
    bench.feed(60)
    bench.wait_settled()
    backup = postgres.dump(bench.url)
    feed_in_transactions(bench, 60)
    bench.wait_settled()
    answer(bench)
    bench.wait_settled()
    feed_in_transactions(bench, 40)
    bench.wait_settled()
    replica.stop()
    wait_empty(bench.bootstrap, GROUP)
    restored.append(postgres.restore(backup))
    return restored[-1]


def test_restore_old_db(shared_bench: Bench, yesterday: str) -> None:
    bench = shared_bench
    answered = bench.rows(ANSWERED)
    bench.url = yesterday
    assert answered != bench.rows(ANSWERED)
    feed_in_transactions(bench, 20)
    bench.start(failpoints="sql.committed=kill@3", max_batch="5").wait_dead()
    replica = bench.start(max_batch="5")
    bench.wait_settled()
    bench.judge()
    assert bench.rows(ANSWERED) == answered  # no answer has overtaken what it answers
    replica.kill()


def test_older_than_the_log(shared_bench: Bench, yesterday: str) -> None:
    """It refuses; and goes on without what is gone if an operator says so."""
    bench, today = shared_bench, shared_bench.url
    ends = kafka.end_offsets(bench.bootstrap, [str(Topic.INCIDENTS)])
    delete_records(bench.bootstrap, {place: end - 1 for place, end in ends.items()})
    bench.url = yesterday
    before = bench.traces()
    replica = bench.start()
    replica.wait_said("lane.refused", bench.lanes)
    assert {line["code"] for line in replica.said("lane.refused")} == {"below_log_start"}
    assert bench.traces() == before
    replica.stop()

    wait_empty(bench.bootstrap, GROUP)
    assert len(asyncio.run(rebase(bench.settings(), Probe.name, apply=True))) == bench.lanes
    told = len(kafka.read_all(bench.bootstrap, Topic.TIERS))
    replica = bench.start(session_timeout_ms="1000")
    bench.feed(12, prefix="L", offenders=12)
    bench.wait_settled()
    assert len(kafka.read_all(bench.bootstrap, Topic.TIERS)) == told + 12  # what Kafka had is not told again
    replica.kill()
    bench.url = today


def answer(bench: Bench) -> None:
    """A form about each offender."""
    records = []
    for n in range(20):
        form = Fail(
            offender_id=f"O{n}", by="m.ortiz", role=Role.OFFICER, notification_id="N-1", reason=FailureReason.REFUSED
        )
        message = encode(
            Event(
                id=kafka.unique("form"),
                source="/tests/forms",
                subject=form.offender_id,
                time=at(n),
                data=form,
                dataclassification=COMMANDS.classification,
            )
        )
        records.append((n % bench.lanes, message.key, message.value, message.headers))
    kafka.produce(bench.bootstrap, str(COMMANDS), records)


def feed_in_transactions(bench: Bench, count: int) -> None:
    """As another service of ours writes: each transaction leaves its marker in the log, which takes an offset."""
    producer = Producer(
        {"bootstrap.servers": bench.bootstrap, "transactional.id": kafka.unique("feed"), "log_level": 0}
    )
    producer.init_transactions(kafka.TIMEOUT)
    for n in range(count):
        offender = f"O{n % 20}"
        bench.sent[offender] += 1
        message = encode(incident(offender, bench.sent[offender]))
        producer.begin_transaction()
        producer.produce(
            str(Topic.INCIDENTS),
            key=message.key,
            value=message.value,
            partition=n % 20 % bench.lanes,
            headers=list(message.headers),
        )
        producer.commit_transaction(kafka.TIMEOUT)
