"""A Kafka transaction held open beyond its time-out: the coordinator ends it; the lane is claimed again, nothing goes twice."""

from __future__ import annotations

from tests.harness.replicas import Bench


def test_held_too_long(bench: Bench) -> None:
    """With the records written, and again with the offsets written."""
    bench.feed(40)
    replica = bench.start(
        failpoints="kafka.produced=hang:3@6;kafka.offsets=hang:3@12", transaction_timeout_ms="1000", max_batch="5"
    )
    replica.wait_said("lane.claim_again")
    bench.feed_until(lambda: len(replica.said("lane.claim_again")) > 1, "a second time-out")
    bench.wait_settled()
    bench.judge()
    assert replica.process.alive
