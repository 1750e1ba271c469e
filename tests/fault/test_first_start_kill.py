"""Killed at the very first start, before Kafka has heard of any offset: it starts again, and nothing is lost or doubled."""

from __future__ import annotations

from tests.harness.replicas import Bench

POINTS = ("claim.recovery", "sql.committed", "kafka.produced", "sql.committed")
"""No offset in Kafka yet; then SQL ahead of Kafka, lane after lane."""


def test_first_start_kill(bench: Bench) -> None:
    bench.feed(120)
    for point in POINTS:
        bench.start(failpoints=f"{point}=kill", max_batch="7").wait_dead()
    assert bench.rows("SELECT sum(next_offset - published) AS n FROM positions")[0].n > 0
    bench.start()
    bench.wait_settled()
    bench.judge()
