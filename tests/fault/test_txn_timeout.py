"""A Kafka transaction held open beyond its time-out: the coordinator ends it; the lane is claimed again, nothing goes twice."""

from __future__ import annotations

import pytest

from tests.harness.replicas import Bench


@pytest.mark.parametrize("point", ["kafka.produced", "kafka.offsets"])
def test_held_too_long(shared_bench: Bench, point: str) -> None:
    bench = shared_bench
    bench.feed(40)
    replica = bench.start(failpoints=f"{point}=hang:4@6", transaction_timeout_ms="1000", max_batch="5")
    replica.wait_said("lane.claim_again")
    bench.feed(40)
    bench.wait_settled()
    bench.judge()
    assert replica.process.alive
    replica.kill()
