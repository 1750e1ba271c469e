"""What the API reads of the loop: the outcome of a command, and whether its lane is worked at all."""

from __future__ import annotations

from sqlalchemy import select

from services.common.database import Database
from services.common.desk import InboxReader, LaneRefusal
from services.common.tables import inbox, lanes


def inbox_reader(database: Database) -> InboxReader:
    """(source, id) to the outcome; None while the record has not taken effect. SQL, never memory: any replica may own it."""

    async def read(source: str, id_: str) -> str | None:
        async with database.read() as conn:
            found = await conn.scalar(select(inbox.c.outcome).where(inbox.c.source == source, inbox.c.id == id_))
        return None if found is None else str(found)

    return read


def lane_refusal(database: Database) -> LaneRefusal:
    """Lane to the code of its refusal; None while it is worked."""

    async def read(lane: int) -> str | None:
        async with database.read() as conn:
            found = await conn.scalar(select(lanes.c.refusal).where(lanes.c.lane == lane))
        return None if found is None else str(found)

    return read
