"""A poll that fails after it has taken records of some partitions: their positions have moved, so every lane claims again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, OffsetOutOfRangeError

from services.common.lane import Lane, LaneStatus
from services.common.stream import Lanes


class StandIn:
    """In the place of a lane."""

    def __init__(self, status: LaneStatus) -> None:
        self.status = status
        self.claims = 0

    def claim_again(self, _: str) -> None:
        self.claims += 1


@pytest.mark.parametrize(
    ("error", "claims"),
    [(CorruptRecordException(), [1, 1]), (OffsetOutOfRangeError({TopicPartition("t", 1): 7}), [0, 1])],
)
async def test_lanes_claim_again(error: KafkaError, claims: list[int]) -> None:
    async def getmany(timeout_ms: int) -> None:
        raise error

    lanes: Lanes[Any] = Lanes("probe", ["t"], lambda _: cast("Lane[Any]", None))
    running, claiming = [StandIn(LaneStatus.RUNNING), StandIn(LaneStatus.RUNNING)], StandIn(LaneStatus.CLAIMING)
    lanes.lanes = cast("dict[int, Lane[Any]]", dict(enumerate([*running, claiming])))
    await lanes.poll(cast(AIOKafkaConsumer, SimpleNamespace(getmany=getmany)))
    assert [lane.claims for lane in running] == claims
    assert claiming.claims == 0  # it seeks anyway
