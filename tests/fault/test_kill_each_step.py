"""kill -9 at each numbered step of the loop, and restart: each event takes effect once."""

from __future__ import annotations

import os

import pytest

from services.common.failpoints import POINTS
from tests.harness.replicas import LANES, Bench

SEEDS = int(os.environ.get("IPVI_FAULT_SEEDS", "2"))
PASSES = 8
"""So many batches there are at the least: 150 reports, at most 17 a batch."""


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("point", POINTS)
def test_killed_at(shared_bench: Bench, point: str, seed: int) -> None:
    bench = shared_bench
    hit = seed % LANES + 1 if point.startswith("claim") else 1 + seed * 3 % PASSES
    first = bench.start(IPVI_FAILPOINTS=f"{point}=kill@{hit}", IPVI_MAX_BATCH="17")
    bench.feed(150)
    first.wait_dead()
    bench.feed(50)
    second = bench.start()
    bench.wait_settled()
    bench.judge()
    second.kill()
