"""What people are shown, straight from SQL. The offender's side learns that a notice waits, and never why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier
from schemas.commands import LiftableHold
from schemas.notification import Channel, NotificationState
from services.notifier.store.tables import notifications


class Shown(StrEnum):
    """The states the offender's side is shown."""

    WAITING = "waiting"
    RELEASED = "released"
    FAILED = "failed"


_SHOWN = {
    NotificationState.HELD: Shown.WAITING,
    NotificationState.RELEASED: Shown.RELEASED,
    NotificationState.FAILED: Shown.FAILED,
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One notice that is still to be given."""

    notification_id: str
    offender_id: str
    tier: Tier
    channel: Channel
    language: str
    state: Shown
    prepared_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A notice and the holds on it that a person may lift; the gate is not among them."""

    notification_id: str
    offender_id: str
    tier: Tier
    holds: tuple[LiftableHold, ...]
    prepared_at: datetime


async def offender_of(conn: AsyncConnection, notification_id: str) -> str | None:
    """Whose notice this is."""
    found: str | None = await conn.scalar(
        select(notifications.c.offender_id).where(notifications.c.notification_id == notification_id)
    )
    return found


async def listed(
    conn: AsyncConnection, shown: Collection[Shown], limit: int, after: str | None = None
) -> Sequence[Listed]:
    """Oldest first; `after` is the last notice of the page before."""
    states = [state for state, name in _SHOWN.items() if name in shown]
    rows = await _page(conn, limit, after, notifications.c.state.in_(states))
    return [
        Listed(
            row.notification_id,
            row.offender_id,
            Tier(row.tier),
            Channel(row.channel),
            row.language,
            _SHOWN[NotificationState(row.state)],
            row.prepared_at,
        )
        for row in rows
    ]


async def holds(conn: AsyncConnection, limit: int, after: str | None = None) -> Sequence[Hold]:
    """Notices that wait for a person's word, oldest first."""
    liftable = {hold.value: hold for hold in LiftableHold}
    rows = await _page(conn, limit, after, notifications.c.asks)
    return [
        Hold(
            row.notification_id,
            row.offender_id,
            Tier(row.tier),
            tuple(liftable[reason] for reason in row.reasons if reason in liftable),
            row.prepared_at,
        )
        for row in rows
    ]


async def _page(
    conn: AsyncConnection, limit: int, after: str | None, *where: ColumnElement[bool]
) -> Sequence[Row[Any]]:
    at, key = notifications.c.prepared_at, notifications.c.notification_id
    query = select(notifications).where(*where).order_by(at, key).limit(limit)
    if after is not None:
        last = await conn.scalar(select(at).where(key == after))
        query = query.where(or_(at > last, and_(at == last, key > after)))
    return (await conn.execute(query)).all()
