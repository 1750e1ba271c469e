"""Owners frozen at each numbered step of the loop until another has taken over and worked: thawed, they change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.common.failpoints import POINTS
from tests.harness.replicas import Bench, ReplicaProcess

ROUNDS = 5


@pytest.fixture(scope="module")
def heir(shared_bench: Bench) -> Iterator[ReplicaProcess]:
    """Takes over whatever the frozen ones held."""
    started = shared_bench.start("heir")
    started.wait_said("lane.claimed", shared_bench.lanes)
    yield started
    started.kill()


@pytest.mark.parametrize("points", [POINTS[first::ROUNDS] for first in range(ROUNDS)], ids="+".join)
def test_frozen_at(shared_bench: Bench, heir: ReplicaProcess, points: tuple[str, ...]) -> None:
    """Several at once, each at a step of its own, to save the waiting."""
    bench = shared_bench
    zombies = [
        bench.start(f"zombie-{n}", failpoints=f"{point}=stop", session_timeout_ms="1000")  # the least a broker allows
        for n, point in enumerate(points)
    ]
    bench.feed_until(lambda: all(zombie.frozen for zombie in zombies), "frozen owners")
    bench.feed(40)
    bench.wait_settled()
    before = bench.traces()

    claims = [len(zombie.said("lane.claimed")) for zombie in zombies]
    for zombie in zombies:
        zombie.thaw()
    for zombie, claimed in zip(zombies, claims, strict=True):
        zombie.wait_said("lane.claimed", claimed + 1)  # a member again: whatever it had in hand is done with
    assert bench.traces() == before

    bench.feed(20)
    bench.wait_settled()
    bench.judge()
    for zombie in zombies:
        zombie.kill()
