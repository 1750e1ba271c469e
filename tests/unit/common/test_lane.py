"""What a lane does between its steps, on a Kafka made of lists: claims that race with other owners, restored databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.errors import LaneRefusedError
from services.common.lane import LaneStatus
from services.common.ledger import Batch
from services.common.tables import lanes, positions
from tests.harness.one_lane import COMMANDS, INCIDENTS, OneLane, one_lane, record
from tests.harness.probe import Count, CountStore, Probe


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[OneLane]:
    async with one_lane(tmp_path) as started:
        yield started


async def test_owner_at_work_during_the_claim(made: OneLane) -> None:
    """What it wrote to SQL lies past the end that the log had a moment ago; that is no reason to refuse."""

    async def others_work() -> None:
        made.kafka.log += [record(offset) for offset in range(5)]
        async with made.database.write() as conn:
            await conn.execute(
                update(positions).where(positions.c.topic == INCIDENTS).values(next_offset=5, published=5)
            )
        made.kafka.group[INCIDENTS] = 5

    made.lane.start()
    await made.until_running()
    made.kafka.meanwhile["starts"] = others_work
    made.lane.claim_again("test")
    await made.until(lambda: made.lane.status is not LaneStatus.CLAIMING)
    assert made.lane.status is LaneStatus.RUNNING


async def test_refusal_of_one_who_is_no_longer_the_owner(made: OneLane) -> None:
    """It must not stand in SQL, where every API reads it, while the owner works."""

    async def others_claim() -> None:
        async with made.database.write() as conn:
            await conn.execute(update(lanes).values(epoch=lanes.c.epoch + 1))

    made.kafka.group[INCIDENTS] = 9  # past the log's end
    made.kafka.meanwhile["ends"] = others_claim
    made.lane.start()
    await made.until(lambda: made.lane.status is LaneStatus.REFUSED)
    await asyncio.sleep(0.1)
    async with made.database.read() as conn:
        assert await conn.scalar(select(lanes.c.refusal)) is None


async def test_restored_database_whose_group_stands_past_a_marker(made: OneLane) -> None:
    """Nothing lies between the last record below the group's offset and the next one: the lane is through with the past."""
    made.kafka.log = [record(offset) for offset in (0, 1, 2, 4, 5)]  # 3: the end of a transaction
    made.kafka.group[INCIDENTS] = 4
    made.lane.start()
    await made.until_running()
    made.poll()
    await made.until(lambda: made.kafka.group[INCIDENTS] == 6)
    assert made.said == [(4, 4), (5, 5)]


async def test_restored_database_whose_other_topic_comes_first(made: OneLane, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may not be touched until a topic has caught up keeps the loop neither from fetching that nor within its bound."""
    monkeypatch.setattr("services.common.lane.HIGH_WATER", 20)
    steps: list[str] = []
    made.kafka.fail = steps.append
    made.kafka.log = [record(offset) for offset in range(30)]
    made.kafka.group |= {INCIDENTS: 0, COMMANDS: 2}  # SQL has forgotten the two
    made.kafka.others = {COMMANDS: 2}
    made.lane.start()
    await made.until_running()
    steps.clear()
    made.poll()
    await asyncio.sleep(0.3)  # a loop that stands still never comes back
    assert steps == [f"pause {INCIDENTS}"] and made.said == []
    made.lane.offer(COMMANDS, [replace(record(offset), topic=COMMANDS) for offset in range(2)])
    await made.until(lambda: made.kafka.group[INCIDENTS] == 30)
    assert made.kafka.group[COMMANDS] == 2
    assert steps.count(f"resume {INCIDENTS}") == 1


async def test_refusal_before_the_claim_is_whole_stands_in_sql(made: OneLane, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the service keeps of the lane cannot be had: the claim is undone, and every API is to say why nothing is worked."""

    async def opened(conn: AsyncConnection, lane: int, kept: str | None) -> str | None:
        raise LaneRefusedError("policy_unknown", "test")

    for name in ("opened", "wanted", "keep"):
        monkeypatch.setattr(CountStore, name, staticmethod(opened), raising=False)
    made.lane.start()
    await made.until(lambda: made.lane.status is LaneStatus.REFUSED)
    await asyncio.sleep(0.1)
    async with made.database.read() as conn:
        assert await conn.scalar(select(lanes.c.refusal)) == "policy_unknown"


async def test_loop_that_outlives_its_cancel_does_not_work_beside_the_next(made: OneLane) -> None:
    """A task group whose child fails as it is cancelled says so, and no more that it was cancelled."""
    at_work = asyncio.Event()

    async def fail_when_cancelled(_: Batch[Count]) -> None:
        at_work.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError from None

    made.handle = fail_when_cancelled
    made.kafka.log = [record(0)]
    made.lane.start()
    await made.until_running()
    made.poll()
    await at_work.wait()
    made.handle = Batch.handle
    for _ in range(2):
        made.lane.claim_again("test")
        await asyncio.sleep(0)
    await made.until_running()
    made.poll()
    await made.until(lambda: len(made.said) == 1)
    assert [task.get_name() for task in asyncio.all_tasks()].count("lane-0") == 1
    assert made.kafka.epoch == 2


async def test_nothing_of_a_batch_outlives_it(made: OneLane) -> None:
    """Whoever keeps it (the framework's context, in timers) keeps no state of anybody."""
    kept = []

    async def keep(batch: Batch[Count]) -> None:
        kept.append(batch)
        await batch.handle()

    made.handle = keep
    made.kafka.log = [record(0)]
    made.lane.start()
    await made.until_running()
    made.poll()
    await made.until(lambda: len(made.said) == 1)
    assert [(list(batch), vars(batch)) for batch in kept] == [([], {"written": None})]


async def test_gauge_of_those_set_aside_falls_with_the_last_batch(made: OneLane) -> None:
    """The next owner says how many there are."""
    finish = asyncio.Event()

    async def wait(batch: Batch[Count]) -> None:
        await finish.wait()
        await batch.handle()

    made.handle = wait
    made.kafka.log = [record(0)]
    made.lane.start()
    await made.until_running()
    assert made.lane.ledger is not None
    made.lane.ledger._parked = 3
    made.poll()
    released = asyncio.create_task(made.lane.release(asyncio.get_running_loop().time() + 5))
    await asyncio.sleep(0)
    finish.set()
    await released
    assert len(made.said) == 1
    assert REGISTRY.get_sample_value("ipvi_parked_offenders", {"service": Probe.name, "lane": "0"}) == 0


async def test_batch_that_never_reached_the_lane(made: OneLane) -> None:
    """A middleware that swallows what it is given must not make the lane pass records over."""
    made.kafka.log = [record(offset) for offset in range(7)]
    made.swallow = 1
    made.lane.start()
    await made.until_running()
    made.poll()
    await made.until(lambda: made.kafka.epoch == 2)
    await made.until_running()
    made.poll()
    await made.until(lambda: len(made.said) == 7)


async def test_fault_that_lasts(made: OneLane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kafka away for hours: the lane asks less and less often, is unhealthy meanwhile, and is there when Kafka is."""
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2_000:
            made.kafka.fail = lambda _: None

    monkeypatch.setattr("services.common.lane.asyncio", SimpleNamespace(**vars(asyncio) | {"sleep": sleep}))
    made.kafka.fail = _away
    born = made.lane.progress_at
    made.lane.start()
    await made.until_running()
    assert waits[:3] == [0.02, 0.04, 0.08]
    assert max(waits) == waits[-1] == pytest.approx(2.6, abs=0.1)
    await made.until(lambda: made.lane.progress_at > born)


def _away(step: str) -> None:
    if step == "start":
        raise ConnectionError


async def test_with_room_for_one_state_everybody_is_counted_on(tmp_path: Path) -> None:
    """What is forgotten between two batches comes back from SQL as it was."""
    async with one_lane(tmp_path, cached_states=1) as made:
        made.lane.start()
        await made.until_running()
        offenders = ["A", "B", "C"] * 6
        for start in range(0, len(offenders), 2):
            made.kafka.log += [record(start + place, who) for place, who in enumerate(offenders[start : start + 2])]
            made.poll()
            await made.until(lambda: len(made.said) == made.kafka.end)
            assert made.lane.ledger is not None and len(made.lane.ledger.states) == 1
        assert [number for _, number in made.said] == [1 + place // 3 for place in range(len(offenders))]
