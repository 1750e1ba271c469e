"""What the API reads of the loop: the outcome of a command, and whether its lane is worked at all."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from services.common.database import Database
from services.common.desk import InboxReader, LaneRefusal, Noted
from services.common.tables import inbox, lanes


def inbox_reader(database: Database) -> InboxReader:
    """(source, ids) to what came of it; None while no such record has taken effect. SQL, never memory: any replica may
    own the lane.
    """

    async def read(source: str, ids: Sequence[str]) -> Noted | None:
        query = select(inbox.c.outcome, inbox.c.digest).where(inbox.c.source == source, inbox.c.id.in_(ids))
        async with database.read() as conn:
            found = (await conn.execute(query)).first()
        return None if found is None else Noted(found.outcome, found.digest)

    return read


def lane_refusal(database: Database) -> LaneRefusal:
    """Lane to the code of its refusal; None while it is worked."""

    async def read(lane: int) -> str | None:
        async with database.read() as conn:
            found = await conn.scalar(select(lanes.c.refusal).where(lanes.c.lane == lane))
        return None if found is None else str(found)

    return read
