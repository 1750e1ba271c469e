"""Two replicas share the lanes; under load one is killed, one joins, one leaves in order."""

from __future__ import annotations

from datetime import datetime

from tests.harness.replicas import Bench


def test_killed_joined_and_left(shared_bench: Bench) -> None:
    bench = shared_bench
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
    bench.close()


def test_who_leaves_in_order_is_not_waited_for(shared_bench: Bench) -> None:
    """Its session would have lasted ten times as long."""
    bench = shared_bench
    leaver = bench.start("leaver", session_timeout_ms="20000")
    leaver.wait_said("lane.claimed")
    heir = bench.start("heir")
    heir.wait_said("lane.claimed")
    bench.wait_settled()
    claims = len(heir.said("lane.claimed"))
    leaver.stop()
    heir.wait_said("lane.claimed", claims + bench.lanes)
    left = datetime.fromisoformat(leaver.said("replica.stopped")[0]["timestamp"])
    taken_over = datetime.fromisoformat(heir.said("lane.claimed")[-1]["timestamp"])
    assert (taken_over - left).total_seconds() < 4
    bench.close()


def test_of_two_with_one_name_the_earlier_ends(shared_bench: Bench) -> None:
    """To Kafka they are one static member: left alone, each throws the other out for as long as both live."""
    bench = shared_bench
    earlier = bench.start("twin")
    earlier.wait_said("lane.claimed", bench.lanes)
    later = bench.start("twin")
    earlier.wait_dead()
    assert "another process has started as replica twin" in earlier.tail()
    bench.feed(100)
    bench.wait_settled()
    bench.judge()
    assert later.process.alive
    bench.close()
