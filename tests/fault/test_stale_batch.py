"""Records fetched before a claim's seek are never applied, and nothing that was in memory outlives a claim."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from sqlalchemy import update

from services.common.lane import Lane
from services.common.stream import Lanes
from tests.harness import kafka
from tests.harness.one_lane import INCIDENTS, OneLane, one_lane, record
from tests.harness.probe import counts


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[OneLane]:
    async with one_lane(tmp_path) as started:
        yield started


async def test_what_is_offered_before_the_seek_is_not_taken(made: OneLane) -> None:
    made.kafka.log = [record(offset) for offset in range(8)]
    steps = []

    def offer_the_end(step: str) -> None:
        steps.append(step)
        if step != "resume all":
            made.lane.offer(INCIDENTS, made.kafka.log[5:])

    made.kafka.fail = offer_the_end
    made.lane.start()
    await made.until_running()
    assert steps == ["pause all", "start", "starts", "committed", "ends", "publish", "published", "seek", "resume all"]
    made.kafka.fail = lambda _: None
    made.poll()
    await made.until(lambda: len(made.said) == 8)
    assert made.said == [(offset, offset + 1) for offset in range(8)]


@pytest.mark.parametrize("step", ["publish", "published"])
async def test_nothing_in_memory_outlives_a_claim(made: OneLane, step: str) -> None:
    """Neither states, which another owner may have changed, nor batches in hand, which the seek brings again."""
    made.kafka.log = [record(offset) for offset in range(20)]
    made.lane.start()
    await made.until_running()
    made.lane.offer(INCIDENTS, made.kafka.log[:3])
    await made.until(lambda: len(made.said) == 3)

    claimed = asyncio.Event()

    def fail_once(reached: str) -> None:
        if reached == step and not claimed.is_set():
            raise ConnectionError
        if reached == "start":
            claimed.set()

    made.kafka.fail = fail_once
    made.kafka.position[INCIDENTS] = 3
    made.poll()
    await claimed.wait()
    async with made.database.write() as conn:  # as another owner might have, between two claims
        await conn.execute(update(counts).values(reports=counts.c.reports + 100))
    await made.until_running()
    made.poll()
    await made.until(lambda: len(made.said) == 20)
    assert [offset for offset, _ in made.said] == list(range(20))
    numbers = [number for _, number in made.said]
    changed = next(n for n, number in enumerate(numbers) if number > 100)
    assert numbers == [*range(1, changed + 1), *range(changed + 101, 121)]


class Recorder:
    """In the place of a lane: what it was offered since the last seek."""

    def __init__(self) -> None:
        self.offsets: list[int] = []

    def offer(self, _: str, records: Sequence[ConsumerRecord]) -> None:
        self.offsets += [one.offset for one in records]


async def test_a_real_consumer_after_a_seek_hands_over_what_lies_there() -> None:
    """Whatever it had fetched, or was fetching: the next record offered is the one sought, and none is left out."""
    topic, count = kafka.unique("topic"), 400
    chance = random.Random(3)
    with kafka.embedded_broker() as broker:
        kafka.create_topics(broker.bootstrap_servers, {topic: 2})
        filler: list[kafka.Outgoing] = [(lane, None, bytes(2_000), []) for _ in range(count) for lane in (0, 1)]
        kafka.produce(broker.bootstrap_servers, topic, filler)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=broker.bootstrap_servers,
            auto_offset_reset="none",
            enable_auto_commit=False,
            isolation_level="read_committed",
            max_partition_fetch_bytes=50_000,
            fetch_max_wait_ms=20,
        )
        lanes: Lanes[Any] = Lanes("probe", [topic], lambda _: cast("Lane[Any]", Recorder()))
        lanes.subscriber = SimpleNamespace(consumer=consumer)
        recorders = [Recorder(), Recorder()]
        lanes.lanes = cast("dict[int, Lane[Any]]", dict(enumerate(recorders)))
        await consumer.start()
        consumer.assign([TopicPartition(topic, 0), TopicPartition(topic, 1)])
        for lane in (0, 1):
            lanes.seek(lane, {topic: 0})
        polling = asyncio.create_task(_poll_on(lanes, consumer))
        seen = 0
        try:
            for _ in range(150):
                await asyncio.sleep(chance.choice((0, 0.001, 0.01)))
                lane, sought = chance.choice((0, 1)), chance.randrange(count)
                lanes.pause(lane)
                await asyncio.sleep(chance.choice((0, 0.001)))
                lanes.seek(lane, {topic: sought})
                recorders[lane].offsets = []
                lanes.resume(lane)
                await asyncio.sleep(chance.choice((0, 0.001, 0.02)))
                offered = recorders[lane].offsets
                assert offered == list(range(sought, sought + len(offered)))
                seen += len(offered)
            assert seen > count
        finally:
            polling.cancel()
            await asyncio.wait([polling])
            await consumer.stop()


async def _poll_on(lanes: Lanes[Any], consumer: AIOKafkaConsumer) -> None:
    while True:
        await lanes.poll(consumer)
        await asyncio.sleep(0)
