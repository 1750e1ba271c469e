"""One input topic grows while the service runs: keys have moved, so every lane refuses, and a restart refuses to start."""

from __future__ import annotations

import time

from schemas.envelope import encode
from schemas.topics import Topic
from tests.harness import kafka
from tests.harness.operators import grow
from tests.harness.replicas import Bench, incident


def test_partition_added(bench: Bench) -> None:
    replica = bench.start(metadata_max_age_ms="500")
    bench.feed(40)
    bench.wait_settled()
    before = bench.traces()

    grow(bench.bootstrap, Topic.INCIDENTS, bench.lanes + 1)
    replica.wait_said("lane.refused", bench.lanes)
    for lane in range(bench.lanes + 1):
        message = encode(incident(f"N{lane}", 1))
        kafka.produce(bench.bootstrap, Topic.INCIDENTS, [(lane, message.key, message.value, message.headers)])
    time.sleep(1)
    assert {line["code"] for line in replica.said("lane.refused")} == {"partition_count"}
    refusals = bench.rows("SELECT lane, refusal FROM lanes ORDER BY lane")
    assert [row.refusal for row in refusals[: bench.lanes]] == ["partition_count"] * bench.lanes
    assert bench.traces() == before
    replica.kill()

    again = bench.start()
    again.wait_dead()
    assert "partition_count" in again.tail()
    assert bench.traces() == before
