"""Two replicas share the lanes; under load one is killed, one joins, one leaves in order."""

from __future__ import annotations

from tests.harness.replicas import Bench


def test_killed_joined_and_left(bench: Bench) -> None:
    first, second = bench.start("first", max_batch="5"), bench.start("second", max_batch="5")
    second.wait_said("lane.claimed", bench.lanes // 2)
    bench.feed(400)
    first.kill()
    third = bench.start("third", max_batch="5")
    bench.feed_until(lambda: len(third.said("lane.claimed")) >= bench.lanes // 2, "a third replica at work")
    second.stop()
    bench.feed(100)
    bench.wait_settled()
    bench.judge()
