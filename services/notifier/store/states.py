"""Offenders to and from the tables. The loop's transaction alone commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import FromClause, Row, bindparam, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.notice_work import Correction
from schemas.notification import NotificationState
from services.common.policies import PolicyStore
from services.common.sql import rows_of, upsert
from services.common.turns import in_turns
from services.notifier.domain import CallIn, Kept, Offender
from services.notifier.store.call_ins import load_call_ins, save_call_ins
from services.notifier.store.changes import (
    attempt_rows,
    letter_rows,
    lift_rows,
    notice_rows,
    offender_row,
    pair_rows,
    past_rows,
)
from services.notifier.store.rows import Rows, offender
from services.notifier.store.tables import (
    attempts,
    call_ins,
    enforcements,
    helps,
    letters,
    lifts,
    metadata,
    notifications,
    offenders,
    pairs,
    past_notifications,
)
from services.notifier.store.work_rows import Step, enforcement_rows, help_rows


class NotifierStore(PolicyStore):
    """See `services.common.service.Store`."""

    metadata = metadata

    def new(self, key: str) -> Offender:
        return Offender(key)

    async def load(self, conn: AsyncConnection, keys: Collection[str]) -> dict[str, Kept]:
        found: dict[str, Kept] = {**await _load(conn, sorted(keys))}
        return found | await load_call_ins(conn, [key for key in sorted(keys) if key not in found])

    async def save(self, conn: AsyncConnection, lane: int, changed: Mapping[str, tuple[Kept, Kept]]) -> None:
        steps: list[Step] = []
        meetings: list[tuple[CallIn | None, CallIn]] = []
        for before, after in changed.values():
            if isinstance(after, CallIn):
                meetings.append((before if isinstance(before, CallIn) else None, after))
            else:
                assert isinstance(before, Offender), "nobody becomes an offender who was a meeting"
                steps.append((before, after))
        await save_call_ins(conn, lane, meetings)
        await upsert(conn, offenders, [offender_row(after, lane) for _, after in steps], ["offender_id"])
        await _forget(conn, steps)
        await upsert(conn, pairs, list(pair_rows(steps, lane)), ["offender_id", "pair_id"])
        # What counts no more first: its successors of the same tier would meet it in the unique index.
        rows = sorted(notice_rows(steps, lane), key=_counts)
        await upsert(conn, notifications, rows, ["notification_id"])
        await upsert(conn, lifts, list(lift_rows(steps, lane)), ["notification_id", "hold", "pair_id", "by"])
        await upsert(conn, attempts, list(attempt_rows(steps, lane)), ["notification_id", "place_no"])
        await upsert(conn, letters, list(letter_rows(steps, lane)), ["notification_id", "sha256"])
        await upsert(conn, past_notifications, list(past_rows(steps, lane)), ["offender_id", "notification_id"])
        await upsert(conn, enforcements, list(enforcement_rows(steps, lane)), ["enforcement_id"])
        await upsert(conn, helps, list(help_rows(steps, lane)), ["help_id"])

    async def due(self, conn: AsyncConnection, lane: int, now: datetime) -> Sequence[str]:
        """Offenders whose notices the gate keeper's silence, or return, can change, and those of whom a clock runs out."""
        rows = await conn.scalars(
            select(offenders.c.offender_id)
            .where(offenders.c.lane == lane, or_(offenders.c.waits_for_clock, offenders.c.next_at <= now))
            .order_by(offenders.c.offender_id)
        )
        meetings = await conn.scalars(
            select(call_ins.c.call_in_id)
            .where(call_ins.c.lane == lane, call_ins.c.due_at <= now)
            .order_by(call_ins.c.call_in_id)
        )
        return [*rows, *meetings]


def _counts(row: Mapping[str, Any]) -> bool:
    withdrawn = row["correction"] is Correction.WITHDRAWAL and row["corrected_at"] is not None
    return row["state"] is not NotificationState.CANCELLED and not withdrawn


_LETTERS = select(*(column for column in letters.c if column is not letters.c.content)).subquery()
"""Their bytes are not part of what is decided upon."""


async def _load(conn: AsyncConnection, keys: Sequence[str]) -> dict[str, Offender]:
    async def rows(table: FromClause, *order: Any) -> dict[str, list[Row[Any]]]:
        return await rows_of(conn, table, keys, *order)

    heads = await rows(offenders)
    if not heads:
        return {}
    keys = list(heads)  # of others there is nothing more to ask for
    pairs_of = await rows(pairs, pairs.c.place, pairs.c.pair_id)
    notices_of = await rows(notifications, notifications.c.prepared_at, notifications.c.notification_id)
    lifts_of = await rows(lifts, lifts.c.notification_id, lifts.c.place)
    attempts_of = await rows(attempts, attempts.c.notification_id, attempts.c.place_no)
    past_of = await rows(past_notifications, past_notifications.c.place)
    enforcements_of = await rows(enforcements, enforcements.c.referred_at, enforcements.c.enforcement_id)
    helps_of = await rows(helps, helps.c.asked_at, helps.c.help_id)
    letters_of = await rows(_LETTERS, _LETTERS.c.notification_id, _LETTERS.c.place_no)
    parts = (pairs_of, notices_of, lifts_of, attempts_of, past_of, letters_of, enforcements_of, helps_of)
    return {key: offender(Rows(head, *(part[key] for part in parts))) async for key, [head] in in_turns(heads.items())}


async def _forget(conn: AsyncConnection, steps: Sequence[Step]) -> None:
    """Delete what an expunction has taken out of the state."""
    gone_pairs = [(before, pair_id) for before, after in steps for pair_id in before.pairs.keys() - after.pairs.keys()]
    gone = [notice_id for before, after in steps for notice_id in before.notices.keys() - after.notices.keys()]
    if gone_pairs:
        await conn.execute(
            delete(pairs).where(pairs.c.offender_id == bindparam("b_offender"), pairs.c.pair_id == bindparam("b_pair")),
            [{"b_offender": before.offender_id, "b_pair": pair_id} for before, pair_id in gone_pairs],
        )
    withdrawn = [key for before, after in steps for key in before.enforcements.keys() - after.enforcements.keys()]
    if withdrawn:
        await conn.execute(
            delete(enforcements).where(enforcements.c.enforcement_id == bindparam("b_id")),
            [{"b_id": key} for key in withdrawn],
        )
    unprinted = [
        key
        for before, after in steps
        for key, notice in before.notices.items()
        if notice.printed and not (key in after.notices and after.notices[key].printed)
    ]
    if unprinted:
        await conn.execute(delete(letters).where(letters.c.notification_id.in_(unprinted)))
    if gone:
        for table in (lifts, attempts, notifications):
            await conn.execute(
                delete(table).where(table.c.notification_id == bindparam("b_id")), [{"b_id": one} for one in gone]
            )
