"""The end of a Kafka transaction with its answer lost: it may have ended, not have ended, or end later. Never asked twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.proxy import Api, KafkaProxy
from tests.harness.replicas import GROUP, Bench, ReplicaProcess, proxied_bench

LANE = f"{GROUP}.0".encode()
"""The transactional id of the lane that is fed."""


@pytest.fixture(scope="module")
def both(postgres: PostgresServer) -> Iterator[tuple[Bench, KafkaProxy]]:
    url = postgres.create_database()
    with proxied_bench(url) as made:
        made[0].start().wait_said("lane.claimed", made[0].lanes)
        made[0].wait_settled()
        made[0].close()
        yield made
    postgres.drop_database(url)


def start(both: tuple[Bench, KafkaProxy], name: str = "0", **environment: str) -> ReplicaProcess:
    """A replica behind the proxy."""
    bench, proxy = both
    started = bench.start(name, KAFKA_BOOTSTRAP_SERVERS=proxy.bootstrap_servers, **environment)
    started.wait_said("lane.claimed")
    return started


def test_cut_off(both: tuple[Bench, KafkaProxy]) -> None:
    """Before the request reaches the broker, and after."""
    bench, proxy = both
    replica = start(both)
    for api in (Api.PRODUCE, Api.ADD_OFFSETS_TO_TXN, Api.TXN_OFFSET_COMMIT, Api.END_TXN):
        for lose in (proxy.lose_answer, proxy.lose_request):
            fault = lose(api, containing=LANE)
            bench.feed_until(fault.fired.is_set, "a request lost")
    bench.wait_settled()
    bench.judge()
    replica.kill()


@pytest.mark.parametrize(
    ("api", "frozen_at"), [(Api.END_TXN, "kafka.produced"), (Api.TXN_OFFSET_COMMIT, "kafka.offsets")]
)
def test_comes_when_the_next_transaction_is_open(both: tuple[Bench, KafkaProxy], api: Api, frozen_at: str) -> None:
    """It must not end that one, nor move its offsets back: a client that just asks again leaves the first request alive."""
    bench, proxy = both
    replica = start(both, failpoints=f"{frozen_at}=stop@2;kafka.done=kill@2")
    fault = proxy.hold_request(api, containing=LANE)
    bench.feed(5, offenders=1)
    assert fault.fired.wait(20)
    bench.feed(5, offenders=1)
    replica.wait_frozen()
    fault.release()
    assert fault.delivered.wait(20)
    if api is Api.END_TXN:
        replica.kill()
    else:
        replica.thaw()
        replica.wait_dead()
    second = start(both)
    bench.wait_settled()
    bench.judge()
    second.kill()


def test_comes_before_the_claim_fences(both: tuple[Bench, KafkaProxy]) -> None:
    """What the group had committed before that is out of date: it is asked after InitProducerId, never before."""
    bench, proxy = both
    replica = start(both)
    end = proxy.hold_request(Api.END_TXN, containing=LANE)
    fence = proxy.hold_request(Api.INIT_PRODUCER_ID, containing=LANE, cut=False)
    bench.feed(5, offenders=1)
    assert end.fired.wait(20) and fence.fired.wait(20)
    end.release()
    assert end.delivered.wait(20)
    fence.release()
    bench.wait_settled()
    bench.judge()
    replica.kill()


def test_cancelled_at_its_deadline(both: tuple[Bench, KafkaProxy]) -> None:
    """A rebalance does not wait for the answer; the request arrives when the lane has its next owner."""
    bench, proxy = both
    replica = start(both, session_timeout_ms="6000")
    fault = proxy.hold_request(Api.END_TXN, containing=LANE, cut=False)
    bench.feed(5, offenders=1)
    assert fault.fired.wait(20)
    second = bench.start("second")
    second.wait_said("lane.claimed", bench.lanes // 2)
    bench.feed(20)
    fault.release()
    bench.wait_settled()
    bench.judge()
    replica.kill()
    second.kill()
