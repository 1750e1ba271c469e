"""Offenders to and from the tables. The loop's transaction alone commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.shelves import Shelf, rows_as
from services.common.sql import rows_of, upsert
from services.common.turns import in_turns
from services.partners.domain import Early, Note, Offender, Pair, Sent
from services.partners.rules import Terms
from services.partners.store.tables import metadata, notes, offenders, pairs, sent

_SHELVES: Sequence[Shelf[Offender]] = (
    Shelf(pairs, lambda offender: offender.pairs),
    Shelf(sent, lambda offender: offender.sent),
    Shelf(notes, lambda offender: offender.notes),
)


class PartnerStore:
    """See `services.common.service.Store`."""

    metadata = metadata

    def __init__(self, terms: Terms) -> None:
        self._terms = terms

    def new(self, key: str) -> Offender:
        return Offender(key)

    async def load(self, conn: AsyncConnection, keys: Collection[str]) -> dict[str, Offender]:
        return await _load(conn, sorted(keys))

    async def save(self, conn: AsyncConnection, lane: int, changed: Mapping[str, tuple[Offender, Offender]]) -> None:
        steps = list(changed.values())
        await upsert(conn, offenders, [_offender_row(after, lane) for _, after in steps], ["offender_id"])
        for shelf in _SHELVES:
            await shelf.forget(conn, steps)
        for shelf in _SHELVES:
            await shelf.keep(conn, lane, steps)

    async def due(self, conn: AsyncConnection, lane: int, now: datetime) -> Sequence[str]:
        """Of whom something is owed since the subscription has been renewed; while it is not, nobody."""
        if self._terms.lapsed(now):
            return ()
        wanted = select(offenders.c.offender_id).where(offenders.c.lane == lane, offenders.c.behind.is_(True))
        return list(await conn.scalars(wanted.order_by(offenders.c.offender_id)))


async def _load(conn: AsyncConnection, keys: Sequence[str]) -> dict[str, Offender]:
    async def rows(table: Table, *order: Any) -> dict[str, list[Row[Any]]]:
        return await rows_of(conn, table, keys, *order)

    heads = await rows(offenders)
    pairs_of = await rows(pairs, pairs.c.pair_id)
    sent_of = await rows(sent, sent.c.place)
    notes_of = await rows(notes, notes.c.at, notes.c.note_id)
    return {
        key: Offender(
            offender_id=key,
            conflict=head.conflict,
            decided=head.decided,
            pairs={one.pair_id: one for one in rows_as(Pair, pairs_of[key])},
            sent={one.event_id: one for one in rows_as(Sent, sent_of[key])},
            notes={one.note_id: one for one in rows_as(Note, notes_of[key])},
            tier=head.tier,
            tier_sent=head.tier_sent,
            told=head.told,
            early=tuple(Early(one["event"], one["pair_id"]) for one in head.early),
            owed=tuple(head.owed),
            behind=head.behind,
            erased={key: datetime.fromisoformat(at) if at else None for key, at in head.erased.items()},
        )
        async for key, [head] in in_turns(heads.items())
    }


def _offender_row(after: Offender, lane: int) -> dict[str, Any]:
    return {
        "offender_id": after.offender_id,
        "lane": lane,
        "conflict": after.conflict,
        "decided": after.decided,
        "tier": after.tier,
        "tier_sent": after.tier_sent,
        "told": after.told,
        "early": [{"event": one.event, "pair_id": one.pair_id} for one in after.early],
        "waits": bool(after.early),
        "owed": list(after.owed),
        "behind": after.behind,
        "erased": {key: at.isoformat() if at else None for key, at in after.erased.items()},
    }
