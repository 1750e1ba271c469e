"""Whether everything that was fed has had all its effects: `DESIGN.md` 5, "settled"."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.tables import positions

Place = tuple[str, int]
"""Topic and lane."""
REQUEST_S = 10.0
_PASSING = frozenset(
    {
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)


async def places(conn: AsyncConnection) -> dict[Place, tuple[int, int]]:
    """Next offset and published, per topic and lane, of one service."""
    rows = await conn.execute(select(positions))
    return {(row.topic, row.lane): (row.next_offset, row.published) for row in rows}


def ends(admin: AdminClient, topics: Sequence[str], lanes: int) -> dict[Place, int]:
    """End offset of each partition, transaction markers and open transactions counted.

    While a partition's leader is changing, or not known yet, it is asked again for 10 s. Raises `KafkaException`.
    """
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client is untyped here
    places = [TopicPartition(topic, lane) for topic in topics for lane in range(lanes)]
    until = time.monotonic() + REQUEST_S
    while True:
        asked = admin.list_offsets(dict.fromkeys(places, latest), request_timeout=REQUEST_S)
        try:
            return {(tp.topic, tp.partition): future.result().offset for tp, future in asked.items()}
        except KafkaException as failed:
            if failed.args[0].code() not in _PASSING or time.monotonic() > until:
                raise
            time.sleep(0.2)


def is_settled(at: Mapping[Place, tuple[int, int]], ends: Mapping[Place, int]) -> bool:
    """Position at the end of every input, and all of it published."""
    return all(at.get(place) == (end, end) for place, end in ends.items())
