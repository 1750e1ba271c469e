"""What is to be delivered otherwise than by topic. The journal is the outbox: the lane loop commits its rows with the
positions, and here stands how the delivery of each goes. Written by the sender alone, in transactions of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sql import insert_new, upsert
from services.common.tables import journal, lanes
from services.partners.store.tables import channel, deliveries

AT_ONCE = 1_000
_ITS_ROW = and_(journal.c.lane == deliveries.c.lane, journal.c.seq == deliveries.c.seq)
"""The journal row that is delivered."""


class Delivered(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DONE = "delivered"
    DEAD = "dead"
    """After the last try; again by a person's act alone (`ipvi partners replay`)."""
    ERASED = "erased"
    """What it was to say was expunged first."""
    LAPSED = "lapsed"
    """The subscription had ended by then, or the file had ceased to ask for it (`NOT_ASKED`)."""


NOT_ASKED = "not_asked"
"""The answer of what was not sent because the partner's file asks for it no more."""
MISSED = "missed"
"""The answer of what was said before a lapse, had not been delivered by then, and is not owed after it."""


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery, with the journal row it is of. `body` None: it has been erased."""

    lane: int
    seq: int
    tries: int
    added_at: datetime
    headers: Mapping[str, str]
    body: bytes | None = field(repr=False)

    @property
    def event_id(self) -> str:
        return self.headers["ce_id"]

    @property
    def type(self) -> str:
        return self.headers["ce_type"]


@dataclass(frozen=True, slots=True)
class Going:
    """Numbers of one partner's deliveries. `oldest`: since when the oldest waits."""

    counts: Mapping[str, int]
    failing: int
    """Waiting, and tried in vain at least once."""
    oldest: datetime | None
    last: datetime | None
    disabled: datetime | None


async def enlist(conn: AsyncConnection, topic: str, now: datetime) -> int:
    """Take in what the lanes have journalled since. Returns how much.

    A lane's rows become visible in the order of `seq`, so what is above the highest that is known is all that is new.
    Whose it is, the record's key says: a last word (`Outgoing.last_word`) has no subject.
    """
    known = select(func.max(deliveries.c.seq)).where(deliveries.c.lane == journal.c.lane).scalar_subquery()
    new = (
        select(journal.c.lane, journal.c.seq, journal.c.key)
        .where(journal.c.topic == topic, journal.c.seq > func.coalesce(known, -1))
        .order_by(journal.c.lane, journal.c.seq)
        .limit(AT_ONCE)
    )
    rows = [
        {"lane": row.lane, "seq": row.seq, "subject": (row.key or b"").decode(), "state": Delivered.WAITING,
         "added_at": now, "next_at": now}
        for row in await conn.execute(new)
    ]  # fmt: skip
    for row in rows:
        await insert_new(conn, deliveries, row)  # another replica may have been quicker
    return len(rows)


async def lease(conn: AsyncConnection, now: datetime, until: datetime, limit: int) -> list[Due]:
    """The first that waits of each offender, where it is due and nobody is at it; now somebody is, until `until`."""
    earlier = deliveries.alias()
    free = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until < now)
    is_first = ~exists().where(
        earlier.c.state == Delivered.WAITING,
        earlier.c.subject == deliveries.c.subject,
        earlier.c.lane == deliveries.c.lane,
        earlier.c.seq < deliveries.c.seq,
    )
    waiting = deliveries.c.state == Delivered.WAITING
    heads = (
        select(deliveries.c.lane, deliveries.c.seq)
        .where(waiting, deliveries.c.next_at <= now, free, is_first)
        .order_by(deliveries.c.next_at, deliveries.c.lane, deliveries.c.seq)
        .limit(limit)
    )
    mine = []
    for row in (await conn.execute(heads)).all():
        place = _at(row.lane, row.seq)
        taken = await conn.execute(update(deliveries).where(place, waiting, free).values(leased_until=until))
        if taken.rowcount == 1:
            mine.append((row.lane, row.seq))
    return [one for lane, seq in mine for one in await due(conn, _at(lane, seq))]


async def due(conn: AsyncConnection, where: ColumnElement[bool], limit: int = AT_ONCE) -> list[Due]:
    """Deliveries with their journal rows, in the order of sending."""
    query = (
        select(
            deliveries.c.lane, deliveries.c.seq, deliveries.c.tries, deliveries.c.added_at,
            journal.c.value, journal.c.headers, journal.c.erased,
        )
        .join(journal, _ITS_ROW)
        .where(where)
        .order_by(deliveries.c.lane, deliveries.c.seq)
        .limit(limit)
    )  # fmt: skip
    return [
        Due(
            row.lane, row.seq, row.tries, row.added_at,
            {name: value.encode("latin-1").decode() for name, value in row.headers},
            None if row.erased else row.value,
        )
        for row in await conn.execute(query)
    ]  # fmt: skip


async def waiting(conn: AsyncConnection) -> list[Due]:
    """All that waits, up to a limit, in the order of sending."""
    return await due(conn, deliveries.c.state == Delivered.WAITING, 50_000)


async def end(conn: AsyncConnection, one: Due, state: Delivered, now: datetime, answer: str | None) -> None:
    """It is over with this delivery, one way or another."""
    tries = one.tries + (1 if state in (Delivered.DONE, Delivered.DEAD) else 0)
    values = {"state": state, "ended_at": now, "answer": answer, "leased_until": None, "tries": tries}
    await conn.execute(update(deliveries).where(_at(one.lane, one.seq)).values(values))


async def again(conn: AsyncConnection, one: Due, at: datetime, answer: str | None, *, tried: bool = True) -> None:
    """To be tried not before `at`."""
    values = {"next_at": at, "answer": answer, "leased_until": None, "tries": one.tries + tried}
    await conn.execute(update(deliveries).where(_at(one.lane, one.seq)).values(values))


async def replay(
    conn: AsyncConnection, now: datetime, since: datetime, until: datetime | None, *, dead_only: bool = False
) -> int:
    """Deliver again, under the same ids and in the old order, what came in that time and may still be said."""
    states = [Delivered.DEAD] if dead_only else [Delivered.DEAD, Delivered.DONE]
    where = [deliveries.c.state.in_(states), deliveries.c.added_at >= since]
    if until is not None:
        where.append(deliveries.c.added_at < until)
    return (await conn.execute(update(deliveries).where(*where).values(_afresh(now)))).rowcount


async def renew(conn: AsyncConnection, now: datetime, all_of: str, last_of: str) -> None:
    """The subscription holds. What a lapse has kept back and is still owed waits again: of the type `all_of` everything, of
    `last_of` the last to each offender, if none was sent since. The rest is missed for good.
    """
    lapsed = (
        select(deliveries.c.lane, deliveries.c.seq, deliveries.c.subject, journal.c.headers)
        .join(journal, _ITS_ROW)
        .where(deliveries.c.state == Delivered.LAPSED, deliveries.c.answer.is_(None))
        .order_by(deliveries.c.lane, deliveries.c.seq)
    )
    found = [(row, dict(row.headers)["ce_type"]) for row in await conn.execute(lapsed)]
    for row, kind in found:
        is_owed = kind == all_of or (kind == last_of and not await _is_followed(conn, row, kind))
        await conn.execute(
            update(deliveries).where(_at(row.lane, row.seq)).values(_afresh(now) if is_owed else {"answer": MISSED})
        )


async def _is_followed(conn: AsyncConnection, row: Any, kind: str) -> bool:
    """Whether there is a later one of the kind for that offender, wherever it stands: not one that has been erased."""
    later = select(journal.c.headers).join(deliveries, _ITS_ROW).where(
        deliveries.c.state.in_([state for state in Delivered if state is not Delivered.ERASED]),
        deliveries.c.subject == row.subject,
        deliveries.c.lane == row.lane,
        deliveries.c.seq > row.seq,
    )  # fmt: skip
    return any(dict(headers)["ce_type"] == kind for headers in await conn.scalars(later))


async def enable(conn: AsyncConnection) -> None:
    await conn.execute(channel.delete().where(channel.c.name == "disabled"))


async def marked(conn: AsyncConnection, name: str) -> datetime | None:
    """When `name` was last written down; None: never."""
    found: datetime | None = await conn.scalar(select(channel.c.at).where(channel.c.name == name))
    return found


async def mark(conn: AsyncConnection, name: str, value: str, now: datetime) -> None:
    await upsert(conn, channel, [{"name": name, "value": value, "at": now}], ["name"])


async def holds_newest(conn: AsyncConnection, digest: str, read_at: datetime) -> bool:
    """Put down that this file of the partner's was read then, unless another has been since. Returns whether it is put down.

    The one that was read last binds all: while replicas are renewed one by one, an old file must not let lapse what the new one
    asks for.
    """
    row = (await conn.execute(select(channel.c.value, channel.c.at).where(channel.c.name == "file"))).one_or_none()
    if row is not None and row.at > read_at:
        return bool(row.value == digest)
    if row is None or (row.value, row.at) != (digest, read_at):
        await mark(conn, "file", digest, read_at)
    return True


async def begin_period(conn: AsyncConnection, now: datetime, length: timedelta) -> datetime | None:
    """The end of the period that is over and that nobody has begun to write; None: there is none. The first begins now."""
    last = await marked(conn, "batch")
    if last is None:
        await mark(conn, "batch", "first", now.replace(minute=0, second=0, microsecond=0))
        return None
    if now < last + length:
        return None
    end = last + length * ((now - last) // length)
    mine = await conn.execute(
        update(channel).where(channel.c.name == "batch", channel.c.at == last).values(at=end, value="written")
    )
    return end if mine.rowcount == 1 else None


async def record_clock(conn: AsyncConnection) -> datetime | None:
    """Highest record time that any lane has seen: by it a subscription lapses."""
    found: datetime | None = await conn.scalar(select(func.max(lanes.c.clock)))
    return found


async def going(conn: AsyncConnection) -> Going:
    by_state = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    is_waiting = deliveries.c.state == Delivered.WAITING
    counts = {row[0]: row[1] for row in await conn.execute(by_state)}
    return Going(
        counts={str(state): counts.get(state, 0) for state in Delivered},
        failing=await conn.scalar(
            select(func.count()).select_from(deliveries).where(is_waiting, deliveries.c.tries > 0)
        )
        or 0,
        oldest=await conn.scalar(select(func.min(deliveries.c.added_at)).where(is_waiting)),
        last=await conn.scalar(select(func.max(deliveries.c.ended_at)).where(deliveries.c.state == Delivered.DONE)),
        disabled=await marked(conn, "disabled"),
    )


def _afresh(now: datetime) -> dict[str, Any]:
    """What is to be delivered as if it never had been."""
    return {"state": Delivered.WAITING, "next_at": now, "tries": 0, "ended_at": None, "leased_until": None}


def _at(lane: int, seq: int) -> ColumnElement[bool]:
    return and_(deliveries.c.lane == lane, deliveries.c.seq == seq)
