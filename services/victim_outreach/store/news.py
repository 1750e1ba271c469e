"""Women of whom something changed in one lane: its transaction adds rows, and the teller takes away those it has dealt with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.victim_outreach.store.tables import news


async def add(conn: AsyncConnection, victim_ids: Sequence[str]) -> None:
    """A row for each change: one that comes while the last is being dealt with must not be taken for it."""
    if victim_ids:
        await conn.execute(insert(news), [{"victim_id": one} for one in victim_ids])


async def oldest(conn: AsyncConnection, limit: int) -> Sequence[tuple[int, str]]:
    """Number and woman of each, in the order they came."""
    rows = await conn.execute(select(news.c.seq, news.c.victim_id).order_by(news.c.seq).limit(limit))
    return [(row.seq, row.victim_id) for row in rows]


async def drop(conn: AsyncConnection, seqs: Collection[int]) -> None:
    await conn.execute(delete(news).where(news.c.seq.in_(seqs)))
