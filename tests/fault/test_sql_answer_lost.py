"""COMMIT of a batch with its answer lost: it may have happened, not have happened, or happen later. It is never repeated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.postgres import PostgresServer, through
from tests.harness.proxy import COMMIT, PostgresProxy
from tests.harness.replicas import Bench, ReplicaProcess


@pytest.fixture(scope="module")
def wire(postgres: PostgresServer) -> Iterator[PostgresProxy]:
    with PostgresProxy(postgres.host, postgres.port) as started:
        yield started


@pytest.fixture(scope="module")
def replica(shared_bench: Bench, wire: PostgresProxy) -> Iterator[ReplicaProcess]:
    assert shared_bench.url is not None
    started = shared_bench.start(DATABASE_URL=through(shared_bench.url, wire.port), max_batch="7")
    started.wait_said("lane.claimed", shared_bench.lanes)
    shared_bench.wait_settled()
    yield started
    started.kill()


@pytest.mark.parametrize("nth", [1, 4])
@pytest.mark.parametrize("way", ["lose_answer", "lose_request"])
def test_cut_off(shared_bench: Bench, wire: PostgresProxy, replica: ReplicaProcess, way: str, nth: int) -> None:
    """After COMMIT went through, and before."""
    claims = len(replica.said("lane.claimed"))
    fault = getattr(wire, way)(COMMIT, nth=nth)
    shared_bench.feed(80)
    assert fault.fired.wait(20)
    replica.wait_said("lane.claimed", claims + 1)
    shared_bench.wait_settled()
    shared_bench.judge()


def test_commits_while_the_lane_is_claimed_again(
    shared_bench: Bench, wire: PostgresProxy, replica: ReplicaProcess
) -> None:
    """The claim waits for it, and publishes what it wrote."""
    claims, again = len(replica.said("lane.claimed")), len(replica.said("lane.claim_again"))
    fault = wire.hold_request(COMMIT, seconds=2)
    shared_bench.feed(40)
    assert fault.fired.wait(20)
    replica.wait_said("lane.claim_again", again + 1)
    assert len(replica.said("lane.claimed")) == claims
    assert fault.delivered.wait(20)
    replica.wait_said("lane.claimed", claims + 1)
    shared_bench.wait_settled()
    shared_bench.judge()


def test_comes_after_the_next_claim(shared_bench: Bench, wire: PostgresProxy, replica: ReplicaProcess) -> None:
    """The server has ended the idle transaction by then; what it held is worked again."""
    claims = len(replica.said("lane.claimed"))
    fault = wire.hold_request(COMMIT)
    shared_bench.feed(40)
    assert fault.fired.wait(20)
    replica.wait_said("lane.claimed", claims + 1)
    fault.release()
    shared_bench.feed(40)
    shared_bench.wait_settled()
    shared_bench.judge()
