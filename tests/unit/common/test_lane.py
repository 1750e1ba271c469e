"""What a lane does between its steps, on a Kafka made of lists: claims that race with other owners, restored databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from services.common.lane import LaneStatus
from services.common.tables import positions
from tests.harness.one_lane import INCIDENTS, OneLane, one_lane, record


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
