"""Transaction n fails with the SQL of n+1 committed and that of n+2 in flight: order is kept, nothing is lost."""

from __future__ import annotations

import os

import pytest

from tests.harness.replicas import Bench

BATCH = 5
SEEDS = int(os.environ.get("IPVI_FAULT_SEEDS", "2"))


@pytest.fixture(autouse=True, scope="module")
def settled(shared_bench: Bench) -> None:
    """Every lane has its first offsets, so that only what a test feeds passes the failpoints of steps 4 and 5."""
    first = shared_bench.start()
    shared_bench.feed(shared_bench.lanes)
    shared_bench.wait_settled()
    first.kill()


@pytest.mark.parametrize(
    ("point", "unpublished"), [("kafka.offsets", {2}), ("kafka.end_txn", {1, 2}), ("kafka.done", {1})]
)
def test_fails_with_others_behind_it(shared_bench: Bench, point: str, unpublished: set[int]) -> None:
    bench = shared_bench
    bench.feed(10 * BATCH, offenders=1)
    replica = bench.start(
        failpoints=f"kafka.produced=hang:1@2;{point}=raise@2;sql.before_commit=hang:3@4", max_batch=str(BATCH)
    )
    replica.wait_said("lane.republished")
    assert replica.said("lane.republished")[0]["rows"] in {batches * BATCH for batches in unpublished}
    bench.wait_settled()
    bench.judge()
    replica.kill()


@pytest.mark.parametrize("seed", range(SEEDS // 2))
def test_fails_again_and_again(shared_bench: Bench, seed: int) -> None:
    bench = shared_bench
    bench.feed(1_000)
    points = ("sql.committed", "kafka.produced", "kafka.end_txn", "kafka.done", "claim.recovery")
    failpoints = ";".join(f"{point}=raise~0.04" for point in points)
    replica = bench.start(failpoints=failpoints, failpoints_seed=str(seed), max_batch="20")
    bench.wait_settled()
    bench.judge()
    assert len(replica.said("lane.claim_again")) > 4
    replica.kill()
