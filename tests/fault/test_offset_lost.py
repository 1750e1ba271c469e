"""The group's offsets deleted: after a clean stop nothing is missing; after a kill the lanes refuse until they are mended."""

from __future__ import annotations

import asyncio

import pytest

from services.cli.group import OffsetsError
from services.cli.offsets import Mend, mend
from tests.harness import kafka
from tests.harness.operators import forget_group, wait_empty
from tests.harness.probe import Probe
from tests.harness.replicas import GROUP, Bench

BRIEF = {"session_timeout_ms": "1000"}
"""Whoever is killed or stopped stays a member for so long, and a group with members keeps its offsets."""


def test_after_a_clean_stop(shared_bench: Bench) -> None:
    bench = shared_bench
    bench.feed(40)
    first = bench.start(**BRIEF)
    bench.wait_settled()
    first.stop()
    forget_group(bench.bootstrap, GROUP)
    assert asyncio.run(mend(bench.settings(), Probe.name, apply=True)) == []
    second = bench.start()
    bench.feed(40)
    bench.wait_settled()
    bench.judge()
    second.kill()


@pytest.mark.parametrize(
    ("point", "published"),
    [("kafka.produced", False), ("kafka.done", True)],
    ids=["never published", "published, and not written down"],
)
def test_after_a_kill(shared_bench: Bench, point: str, published: bool) -> None:
    bench = shared_bench
    bench.feed(100, offenders=bench.lanes)
    past_first_offsets = bench.lanes + 4
    bench.start(failpoints=f"{point}=kill@{past_first_offsets}", max_batch="8", **BRIEF).wait_dead()
    forget_group(bench.bootstrap, GROUP)

    second = bench.start(**BRIEF)
    second.wait_said("lane.refused")
    assert {line["code"] for line in second.said("lane.refused")} == {"offset_lost"}
    with pytest.raises(OffsetsError, match="has members"):
        asyncio.run(mend(bench.settings(), Probe.name, apply=False))
    second.stop()

    wait_empty(bench.bootstrap, GROUP)
    seen = asyncio.run(mend(bench.settings(), Probe.name, apply=False))
    assert not kafka.committed(bench.bootstrap, GROUP).keys() & _places(seen)
    assert asyncio.run(mend(bench.settings(), Probe.name, apply=True)) == seen
    assert kafka.committed(bench.bootstrap, GROUP).keys() >= _places(seen)
    assert any(one.found > 0 if published else one.found < one.rows for one in seen)

    third = bench.start()
    bench.wait_settled()
    assert not third.said("lane.refused")
    bench.judge()
    third.kill()


def _places(mends: list[Mend]) -> set[tuple[str, int]]:
    return {(topic, one.lane) for one in mends for topic in one.offsets}
