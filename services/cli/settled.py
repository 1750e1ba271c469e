"""Whether everything that was fed has had all its effects: `DESIGN.md` 5, "settled"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.tables import positions

Place = tuple[str, int]
"""Topic and lane."""
REQUEST_S = 10.0


async def places(conn: AsyncConnection) -> dict[Place, tuple[int, int]]:
    """Next offset and published, per topic and lane, of one service."""
    rows = await conn.execute(select(positions))
    return {(row.topic, row.lane): (row.next_offset, row.published) for row in rows}


def ends(admin: AdminClient, topics: Sequence[str], lanes: int) -> dict[Place, int]:
    """End offset of each partition, transaction markers and open transactions counted."""
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client is untyped here
    places = [TopicPartition(topic, lane) for topic in topics for lane in range(lanes)]
    asked = admin.list_offsets(dict.fromkeys(places, latest), request_timeout=REQUEST_S)
    return {(tp.topic, tp.partition): future.result().offset for tp, future in asked.items()}


def is_settled(at: Mapping[Place, tuple[int, int]], ends: Mapping[Place, int]) -> bool:
    """Position at the end of every input, and all of it published."""
    return all(at.get(place) == (end, end) for place, end in ends.items())
