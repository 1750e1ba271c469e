"""Offenders to and from the tables. The loop's transaction alone commits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, and_, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sql import rows_of, upsert
from services.common.turns import in_turns
from services.partners.domain import Early, Note, Offender, Pair, Sent
from services.partners.rules import Terms
from services.partners.store.tables import metadata, notes, offenders, pairs, sent

Step = tuple[Offender, Offender]
"""Before and after."""


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
        await _forget(conn, steps)
        await upsert(conn, pairs, list(_pair_rows(steps, lane)), ["offender_id", "pair_id"])
        await upsert(conn, sent, list(_sent_rows(steps, lane)), ["event_id"])
        await upsert(conn, notes, list(_note_rows(steps, lane)), ["note_id"])

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
            pairs={
                row.pair_id: Pair(row.pair_id, row.incident, row.agency, row.charged, row.shown)
                for row in pairs_of[key]
            },
            sent={
                row.event_id: Sent(row.event_id, row.place, row.pair_id, tuple(row.mentions), row.is_list)
                for row in sent_of[key]
            },
            notes={
                row.note_id: Note(row.note_id, row.kind, row.at, row.events, row.confirmed_at) for row in notes_of[key]
            },
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


async def _forget(conn: AsyncConnection, steps: Sequence[Step]) -> None:
    """Delete what an expunction has taken out of the state."""
    lost_pairs = [
        {"b_offender": before.offender_id, "b_pair": pair_id}
        for before, after in steps
        for pair_id in before.pairs.keys() - after.pairs.keys()
    ]
    if lost_pairs:
        of = and_(pairs.c.offender_id == bindparam("b_offender"), pairs.c.pair_id == bindparam("b_pair"))
        await conn.execute(delete(pairs).where(of), lost_pairs)
    lost_sent = [{"b_id": key} for before, after in steps for key in before.sent.keys() - after.sent.keys()]
    if lost_sent:
        await conn.execute(delete(sent).where(sent.c.event_id == bindparam("b_id")), lost_sent)


def _pair_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for key, pair in after.pairs.items():
            if before.pairs.get(key) != pair:
                yield {
                    "offender_id": after.offender_id,
                    "pair_id": key,
                    "lane": lane,
                    "incident": pair.incident,
                    "agency": pair.agency,
                    "charged": pair.charged,
                    "shown": pair.shown,
                }


def _sent_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for key, one in after.sent.items():
            if before.sent.get(key) != one:
                yield {
                    "event_id": key,
                    "offender_id": after.offender_id,
                    "lane": lane,
                    "place": one.place,
                    "pair_id": one.pair_id,
                    "mentions": list(one.mentions),
                    "is_list": one.is_list,
                }


def _note_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for key, note in after.notes.items():
            if before.notes.get(key) != note:
                yield {
                    "note_id": key,
                    "offender_id": after.offender_id,
                    "lane": lane,
                    "kind": note.kind,
                    "at": note.at,
                    "events": note.events,
                    "confirmed_at": note.confirmed_at,
                }
