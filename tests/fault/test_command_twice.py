"""A form sent twice, its answer lost, its lane at another replica or being claimed: one effect, and the true answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer

from schemas.commands import Fail, Role
from schemas.notification import FailureReason
from schemas.topics import Topic
from services.common.database import Database, database_url
from services.common.desk import LogDesk, Reply, Standing
from services.common.inbox import inbox_reader, lane_refusal
from services.common.records import lane_of
from tests.harness import kafka
from tests.harness.operators import move_group
from tests.harness.postgres import PostgresServer
from tests.harness.probe import REFUSED, Probe
from tests.harness.proxy import Api, KafkaProxy
from tests.harness.replicas import GROUP, Bench, ReplicaProcess, proxied_bench

PATIENCE_S = 2.0
COMMANDS = Topic.NOTIFIER_COMMANDS
Both = tuple[Bench, KafkaProxy]


@pytest.fixture(scope="module")
def both(postgres: PostgresServer) -> Iterator[Both]:
    """Replicas reach the broker directly, the desk by way of the proxy."""
    url = postgres.create_database()
    with proxied_bench(url) as made:
        yield made
    postgres.drop_database(url)


@pytest.fixture
def owner(both: Both) -> Iterator[ReplicaProcess]:
    """Has every lane; the desk is always another process's."""
    started = both[0].start()
    started.wait_said("lane.claimed", both[0].lanes)
    yield started
    started.kill()


def send(both: Both, offender: str, *, form: str = "first", by: str = "m.ortiz", times: int = 1) -> list[Reply]:
    """One form about the offender, `times` at once, at the desk of an API that has just started."""
    command = Fail(offender_id=offender, by=by, role=Role.OFFICER, notification_id="N-1", reason=FailureReason.REFUSED)

    async def hand_in() -> list[Reply]:
        bench, proxy = both
        database = Database(database_url(bench.settings(), Probe.name), Probe.name)
        producer = AIOKafkaProducer(
            bootstrap_servers=proxy.bootstrap_servers, enable_idempotence=True, request_timeout_ms=4_000
        )
        await producer.start()
        desk = LogDesk(Probe.name, COMMANDS, bench.lanes, producer, inbox_reader(database), lane_refusal(database))
        try:
            sent = (desk.submit(command, form_id=f"{offender}-{form}", offender_id=offender) for _ in range(times))
            return list(await asyncio.gather(*sent))
        finally:
            await producer.stop()
            await database.close()

    return asyncio.run(hand_in())


def acts(both: Both, offender: str) -> int:
    """How often it took effect."""
    return sum(row.acts for row in both[0].rows("SELECT * FROM counts") if row.offender_id == offender)


def test_sent_twice(both: Both, owner: ReplicaProcess) -> None:
    replies = send(both, "twice", times=2) + send(both, "twice")
    assert [reply.standing for reply in replies] == [Standing.APPLIED] * 3
    assert len({reply.command_id for reply in replies}) == 1
    assert acts(both, "twice") == 1


def test_two_people_or_two_forms_are_not_one(both: Both, owner: ReplicaProcess) -> None:
    replies = send(both, "three") + send(both, "three", form="second") + send(both, "three", by="j.king")
    assert len({reply.command_id for reply in replies}) == 3
    assert acts(both, "three") == 3


def test_a_refusal_is_told_every_time(both: Both, owner: ReplicaProcess) -> None:
    replies = send(both, "refused", by=REFUSED) + send(both, "refused", by=REFUSED)
    assert [(reply.standing, reply.code) for reply in replies] == [(Standing.REFUSED, "not_open")] * 2
    assert acts(both, "refused") == 0


@pytest.mark.parametrize("way", ["lose_answer", "lose_request"])
def test_produce_unanswered(both: Both, owner: ReplicaProcess, way: str) -> None:
    """The client asks again under the same sequence number; if it gives up, the person does, with the same form."""
    fault = getattr(both[1], way)(Api.PRODUCE)
    replies = send(both, way) + send(both, way)
    assert fault.fired.is_set()
    assert replies[-1].standing is Standing.APPLIED
    assert acts(both, way) == 1


def test_log_unreachable_and_back(both: Both, owner: ReplicaProcess) -> None:
    """Nobody knows whether it was taken; the same form again is the same command, though the first comes late."""
    fault = both[1].hold_request(Api.PRODUCE, cut=False)
    (first,) = send(both, "late")
    (second,) = send(both, "late")
    fault.release()
    assert fault.delivered.wait(10)
    both[0].wait_settled()
    assert (first.standing, first.code, second.standing) == (Standing.UNAVAILABLE, "log_unreachable", Standing.APPLIED)
    assert acts(both, "late") == 1


def test_lane_mid_claim(both: Both) -> None:
    """Past the desk's patience it says what is true: accepted, for it is in the log. Later the same form has the outcome."""
    bench = both[0]
    started = bench.start(failpoints="claim.epoch=hang:6~1")
    started.wait_said("replica.started")
    replies = send(both, "claimed")
    started.wait_said("lane.claimed", bench.lanes)
    replies += send(both, "claimed")
    assert [reply.standing for reply in replies] == [Standing.ACCEPTED, Standing.APPLIED]
    assert acts(both, "claimed") == 1
    started.kill()


def test_lane_refused(both: Both) -> None:
    """Said at once where nobody may work; what has taken effect is answered all the same."""
    bench = both[0]
    place = (str(COMMANDS), lane_of("known", bench.lanes))
    started = bench.start(session_timeout_ms="1000")
    started.wait_said("lane.claimed", bench.lanes)
    assert send(both, "known")[0].standing is Standing.APPLIED
    bench.wait_settled()
    started.stop()
    offset, _ = kafka.committed(bench.bootstrap, GROUP)[place]
    move_group(bench.bootstrap, GROUP, {place: 0})
    started = bench.start(session_timeout_ms="1000")
    started.wait_said("lane.refused")

    before = time.monotonic()
    (new,), (known,) = send(both, "known", form="second"), send(both, "known")
    assert time.monotonic() - before < PATIENCE_S
    assert (new.standing, new.code) == (Standing.UNAVAILABLE, "offset_below_published")
    assert known.standing is Standing.APPLIED

    started.stop()
    move_group(bench.bootstrap, GROUP, {place: offset})
