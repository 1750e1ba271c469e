"""Offenders to and from the tables. The loop's transaction alone commits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Table, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.classifier.domain import Assessment, History, Offender
from services.classifier.store import tables
from services.classifier.store.rows import SHELVES, Shelf, head, offender
from services.common.sql import upsert

_KEYS_PER_QUERY = 500

Step = tuple[Offender, Offender]
"""Before and after."""

Assess = Callable[[str, History], Assessment]
"""What the history of an offender comes to: derived, so it is made again on loading."""


class ClassifierStore:
    """See `services.common.service.Store`."""

    metadata = tables.metadata

    def __init__(self, assess: Assess) -> None:
        self._assess = assess

    def new(self, key: str) -> Offender:
        return Offender(key)

    async def load(self, conn: AsyncConnection, keys: Collection[str]) -> dict[str, Offender]:
        found: dict[str, Offender] = {}
        wanted = sorted(keys)
        for start in range(0, len(wanted), _KEYS_PER_QUERY):
            found |= await self._load(conn, wanted[start : start + _KEYS_PER_QUERY])
        return found

    async def save(self, conn: AsyncConnection, lane: int, changed: Mapping[str, tuple[Offender, Offender]]) -> None:
        steps = list(changed.values())
        heads = [{**head(after), "lane": lane} for _, after in steps]
        await upsert(conn, tables.offenders, heads, ["offender_id"])
        for shelf in SHELVES:
            await _forget(conn, shelf, steps)
            await upsert(conn, shelf.table, _changed(shelf, steps, lane), _key(shelf))

    async def due(self, conn: AsyncConnection, lane: int, now: datetime) -> Sequence[str]:
        """Nobody: time changes no tier."""
        return ()

    async def _load(self, conn: AsyncConnection, keys: Sequence[str]) -> dict[str, Offender]:
        heads = (await conn.execute(select(tables.offenders).where(tables.offenders.c.offender_id.in_(keys)))).all()
        below: defaultdict[str, dict[str, list[Row[Any]]]] = defaultdict(
            lambda: {shelf.table.name: [] for shelf in SHELVES}
        )
        for shelf in SHELVES:
            for row in await conn.execute(_rows(shelf.table, keys)):
                below[row.offender_id][shelf.table.name].append(row)
        return {row.offender_id: self._derived(offender(row, below[row.offender_id])) for row in heads}

    def _derived(self, stored: Offender) -> Offender:
        return replace(stored, assessment=self._assess(stored.offender_id, stored.history))


def _rows(table: Table, keys: Sequence[str]) -> Any:
    order = (table.c.place,) if "place" in table.c else table.primary_key.columns
    return select(table).where(table.c.offender_id.in_(keys)).order_by(*order)


def _key(shelf: Shelf) -> list[str]:
    return [column.name for column in shelf.table.primary_key.columns]


def _changed(shelf: Shelf, steps: Sequence[Step], lane: int) -> list[dict[str, Any]]:
    rows = []
    for before, after in steps:
        known = shelf.entries(before)
        for key, entry in shelf.entries(after).items():
            if key not in known or known[key] is not entry:
                own = {"offender_id": after.offender_id, "lane": lane, **dict(zip(shelf.key, key, strict=True))}
                rows.append(own | shelf.columns(entry))
    return rows


async def _forget(conn: AsyncConnection, shelf: Shelf, steps: Sequence[Step]) -> None:
    """Delete what is no longer kept: taken back, handed over, expunged."""
    gone = [
        {"gone_offender_id": before.offender_id}
        | {f"gone_{name}": part for name, part in zip(shelf.key, key, strict=True)}
        for before, after in steps
        for key in shelf.entries(before).keys() - shelf.entries(after).keys()
    ]
    if gone:
        columns = ("offender_id", *shelf.key)
        where = [shelf.table.c[name] == bindparam(f"gone_{name}") for name in columns]
        await conn.execute(delete(shelf.table).where(*where), gone)
