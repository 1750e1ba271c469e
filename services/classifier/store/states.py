"""Offenders to and from the tables. The loop's transaction alone commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.commands import Redecide
from schemas.envelope import Data, read
from schemas.policy import Policy
from services.classifier.domain import Offender, assess, findings
from services.classifier.domain.levers import PULLED_ON, Lever, levers
from services.classifier.store import tables
from services.classifier.store.rows import SHELVES, head, offender
from services.common.policies import PolicyStore
from services.common.shelves import Shelf
from services.common.sql import rows_of, upsert
from services.common.tables import policies
from services.common.turns import in_turns

CHUNK = 200
"""Offenders decided again in one transaction."""


class ClassifierStore(PolicyStore):
    """See `services.common.service.Store`. Of the policies' own, see `PolicyStore`."""

    metadata = tables.metadata

    def new(self, key: str) -> Offender:
        return Offender(key)

    async def load(self, conn: AsyncConnection, keys: Collection[str]) -> dict[str, Offender]:
        heads = await rows_of(conn, tables.offenders, sorted(keys))
        if not heads:
            return {}
        # Of others there is nothing more to ask for.
        below = {shelf.table.name: await rows_of(conn, shelf.table, list(heads), *_order(shelf)) for shelf in SHELVES}
        return {
            key: self._derived(offender(head, {name: rows[key] for name, rows in below.items()}))
            async for key, [head] in in_turns(heads.items())
        }

    async def save(self, conn: AsyncConnection, lane: int, changed: Mapping[str, tuple[Offender, Offender]]) -> None:
        steps = list(changed.values())
        heads = [{**head(after), "lane": lane} for _, after in steps if after != self.new(after.offender_id)]
        blank = [after.offender_id for _, after in steps if after == self.new(after.offender_id)]
        if blank:
            await conn.execute(delete(tables.offenders).where(tables.offenders.c.offender_id.in_(blank)))
        await upsert(conn, tables.offenders, heads, ["offender_id"])
        for shelf in SHELVES:
            await shelf.forget(conn, steps)
            await shelf.keep(conn, lane, steps)

    async def due(self, conn: AsyncConnection, lane: int, now: datetime) -> Sequence[str]:
        """Whose raise ends, or whose suspicion nobody has validated."""
        mine = tables.offenders.c
        query = select(mine.offender_id).where(mine.lane == lane, mine.wake_at <= now).order_by(mine.offender_id)
        return (await conn.scalars(query)).all()

    async def wanted(self, conn: AsyncConnection, lane: int, data: Data) -> Sequence[str] | None:
        """The next chunk of those who were last decided under another policy."""
        if not isinstance(data, Redecide):
            return await super().wanted(conn, lane, data)
        mine = tables.offenders.c
        query = (
            select(mine.offender_id)
            .where(mine.lane == lane, mine.offender_id > data.after, mine.policy != data.digest)
            .order_by(mine.offender_id)
            .limit(CHUNK)
        )
        return (await conn.scalars(query)).all()

    def _derived(self, stored: Offender) -> Offender:
        """As it was when he was last decided, under the policy of then."""
        terms = self.policies.of(stored.policy)
        return replace(stored, assessment=assess(stored.offender_id, stored.history, terms.policy, terms.fire))


def _order(shelf: Shelf[Offender]) -> tuple[Any, ...]:
    return (shelf.table.c.place,) if "place" in shelf.table.c else tuple(shelf.table.primary_key.columns)


async def levers_of(conn: AsyncConnection, offender_id: str) -> Sequence[Lever] | None:
    """Of who is on A or B, under the policy he was last decided under; None where he is not."""
    found = (await conn.execute(select(tables.offenders).where(tables.offenders.c.offender_id == offender_id))).first()
    if found is None or found.tier not in PULLED_ON or found.policy is None:
        return None
    below = {
        shelf.table.name: (await rows_of(conn, shelf.table, [offender_id], *_order(shelf)))[offender_id]
        for shelf in SHELVES
    }
    kept = await conn.scalar(select(policies.c.document).where(policies.c.digest == found.policy))
    policy = read(Policy, str(kept).encode())
    his = offender(found, below)
    read_again = findings(offender_id, his.history, policy)
    return levers(replace(his, assessment=replace(his.assessment, findings=read_again)), policy)
