"""One partition of a lane here and another elsewhere: nobody works it, until all are in one hand again.

(Unequal partition counts, which would split lanes as well: `test_partition_added.py`.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from schemas.topics import Topic
from tests.harness.operators import wait_empty
from tests.harness.probe import Probe
from tests.harness.replicas import GROUP, Bench


@asynccontextmanager
async def stranger(bench: Bench, assignor: type, *topics: str) -> AsyncIterator[None]:
    """A member of the group that is none of ours."""
    await asyncio.to_thread(wait_empty, bench.bootstrap, GROUP)
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=bench.bootstrap,
        group_id=GROUP,
        enable_auto_commit=False,
        partition_assignment_strategy=[assignor],
        heartbeat_interval_ms=200,
    )
    await consumer.start()
    try:
        yield
    finally:
        await consumer.stop()


async def test_another_assignor(shared_bench: Bench) -> None:
    async with stranger(shared_bench, RoundRobinPartitionAssignor, *Probe.inputs):
        replica = shared_bench.start()
        await asyncio.to_thread(replica.wait_dead)
        assert "lane_split: a member" in replica.tail()


async def test_half_a_lane_elsewhere(shared_bench: Bench) -> None:
    bench = shared_bench
    async with stranger(bench, RangePartitionAssignor, Topic.INCIDENTS):
        replica = bench.start(session_timeout_ms="1000")
        await asyncio.to_thread(replica.wait_said, "lane.claimed")
        await asyncio.to_thread(replica.wait_said, "lane.refused")
        bench.feed(40)
        split = {line["lane"] for line in replica.said("lane.refused")}
        whole = {line["lane"] for line in replica.said("lane.claimed")}
        assert {line["code"] for line in replica.said("lane.refused")} == {"lane_split"}
        assert split | whole == set(range(bench.lanes)) and not split & whole
        refusals = await asyncio.to_thread(bench.rows, "SELECT lane FROM lanes WHERE refusal = 'lane_split'")
        assert {row.lane for row in refusals} == split
        worked = await asyncio.to_thread(bench.rows, "SELECT DISTINCT lane FROM inbox")
        assert {row.lane for row in worked} <= whole
    await asyncio.to_thread(bench.wait_settled)
    await asyncio.to_thread(bench.judge)
    replica.kill()
