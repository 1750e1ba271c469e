"""One lane in this process, on SQLite and a Kafka made of lists: what it is offered, and when a step fails, is the test's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from aiokafka import ConsumerRecord

from schemas.envelope import encode
from schemas.topics import Topic
from services.common.database import Database, database_url
from services.common.lane import Lane, LaneStatus
from services.common.lane_tools import LaneTools
from services.common.ledger import Batch
from services.common.offsets import GroupOffsets
from services.common.producer import JournalRow, LaneProducer
from services.common.settings import CommonSettings
from tests.harness.probe import Count, Probe, at, make_tables
from tests.harness.replicas import incident

LANE = 0
INCIDENTS = str(Topic.INCIDENTS)
COMMANDS = next(str(topic) for topic in Probe.inputs if topic.is_commands)
TIMEOUT_S = 5


def record(offset: int, offender: str = "O") -> ConsumerRecord[bytes, bytes]:
    """The report at `offset`, which is also its number."""
    message = encode(incident(offender, offset))
    stamp = int(at(offset).timestamp() * 1000)
    return ConsumerRecord(
        INCIDENTS, LANE, offset, stamp, 1, message.key, message.value, None, 0, 0, tuple(message.headers)
    )


@dataclass
class FakeKafka:
    """Input log, consumer, group offsets and output of one lane. `fail` is called at each step, by its name."""

    log: list[ConsumerRecord[bytes, bytes]] = field(default_factory=list)
    position: dict[str, int] = field(default_factory=dict)
    group: dict[str, int | None] = field(default_factory=lambda: {str(topic): None for topic in Probe.inputs})
    out: list[JournalRow] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    """Where the logs of the other topics end, if not at 0."""
    epoch: int = 0
    fail: Callable[[str], object] = lambda step: None
    meanwhile: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """What others do, once, between the answer of a step and the lane's hearing of it."""

    @property
    def end(self) -> int:
        return self.log[-1].offset + 1 if self.log else 0

    # the lane's source

    async def fit(self, lane: int) -> None:
        pass

    def pause(self, lane: int, topic: str | None = None) -> None:
        self.fail(f"pause {topic or 'all'}")

    def resume(self, lane: int, topic: str | None = None) -> None:
        self.fail(f"resume {topic or 'all'}")

    def seek(self, lane: int, nexts: Mapping[str, int]) -> None:
        self.fail("seek")
        self.position.update(nexts)

    async def positions(self, lane: int) -> dict[str, int]:
        return dict(self.position)

    # its group's offsets

    async def starts(self, lane: int) -> dict[str, int]:
        await self._after("starts")
        return dict.fromkeys(self.group, 0)

    async def ends(self, lane: int) -> dict[str, int]:
        found = {topic: self.end if topic == INCIDENTS else self.others.get(topic, 0) for topic in self.group}
        await self._after("ends")
        return found

    async def committed(self, lane: int) -> dict[str, int | None]:
        found = dict(self.group)
        await self._after("committed")
        return found

    async def _after(self, step: str) -> None:
        self.fail(step)
        if (others := self.meanwhile.pop(step, None)) is not None:
            await others()


class FakeProducer:
    """Fences the one before it; a transaction takes effect as a whole."""

    def __init__(self, kafka: FakeKafka) -> None:
        self._kafka = kafka
        self._epoch = 0

    async def start(self) -> None:
        self._kafka.epoch += 1
        self._epoch = self._kafka.epoch
        self._kafka.fail("start")

    async def publish(self, rows: Sequence[JournalRow], ends: Mapping[str, int]) -> None:
        self._kafka.fail("publish")
        await asyncio.sleep(0)
        assert self._epoch == self._kafka.epoch, "fenced"
        self._kafka.out += rows
        self._kafka.group.update(ends)
        self._kafka.fail("published")

    async def close(self) -> None:
        pass


class OneLane:
    """The lane, its Kafka and its database."""

    def __init__(self, kafka: FakeKafka, database: Database, cached_states: int) -> None:
        self.kafka = kafka
        self.database = database
        self.swallow = 0
        self.handle: Callable[[Batch[Count]], Awaitable[None]] = Batch.handle
        """What runs inside the middlewares."""
        self.lane: Lane[Count] = Lane(
            LANE,
            LaneTools(
                service=Probe(),
                database=database,
                source=kafka,
                offsets=cast(GroupOffsets, kafka),
                producer=lambda _: cast(LaneProducer, FakeProducer(kafka)),
                process=self._process,
                partitions=1,
                max_batch=3,
                cached_states=cached_states,
            ),
        )

    async def _process(self, batch: Batch[Count]) -> None:
        self.swallow -= 1
        if self.swallow != 0:
            await self.handle(batch)

    def poll(self) -> None:
        """What a consumer does: hand over what lies at the position, and move it on."""
        polled = [one for one in self.kafka.log if one.offset >= self.kafka.position[INCIDENTS]]
        self.kafka.position[INCIDENTS] = self.kafka.end
        self.lane.offer(INCIDENTS, polled)

    @property
    def said(self) -> list[tuple[int, int]]:
        """What has been published, in order: the offset that caused it, and the running number it says."""
        return [(row.in_offset, int(json.loads(row.value or b"")["policy_version"])) for row in self.kafka.out]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while not condition():  # noqa: ASYNC110 (any state of the lane, not an event it gives)
                await asyncio.sleep(0.01)

    async def until_running(self) -> None:
        await self.until(lambda: self.lane.status is LaneStatus.RUNNING)


@asynccontextmanager
async def one_lane(folder: Path, cached_states: int = 500) -> AsyncIterator[OneLane]:
    settings = CommonSettings(home=folder, partitions=1)
    await make_tables(settings)
    database = Database(database_url(settings, Probe.name), Probe.name)
    made = OneLane(FakeKafka(), database, cached_states)
    try:
        yield made
    finally:
        await made.lane.release(asyncio.get_running_loop().time() + 1)
        await database.close()
