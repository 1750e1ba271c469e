"""An input topic deleted and made again under its name: offsets of the old one say nothing of the new, so lanes refuse."""

from __future__ import annotations

from schemas.topics import Topic
from tests.harness.operators import recreate
from tests.harness.replicas import Bench


def test_while_it_runs_and_after(bench: Bench) -> None:
    replica = bench.start(metadata_max_age_ms="500")
    bench.feed(40)
    bench.wait_settled()
    before = bench.traces()

    recreate(bench.bootstrap, Topic.INCIDENTS, bench.lanes)
    bench.feed(20)
    replica.wait_said("lane.refused", bench.lanes)
    replica.wait_said(
        "lane.refused", 2 * bench.lanes
    )  # while it is gone half a lane is missing; then it is another topic
    assert replica.said("lane.refused")[-1]["code"] == "topic_recreated"
    assert bench.traces() == before
    replica.kill()

    again = bench.start()
    again.wait_dead()
    assert "topic_recreated" in again.tail()
    assert bench.traces() == before
