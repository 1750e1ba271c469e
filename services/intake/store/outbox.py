"""The outbox: what was taken, in the order in which it goes out, and who empties it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Message
from services.common.columns import headers_of, kept_headers
from services.common.seal import Seal
from services.common.sql import keys_in, upsert
from services.intake.store.tables import outbox, sender, taken

_LOCK: Final = 4_710_212
"""Any number, the same for all that write here."""
_NAME: Final = "outbox"

EventKey = tuple[str, str]
"""Source and id."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One row of the outbox."""

    seq: int
    topic: str
    message: Message


async def alone(conn: AsyncConnection) -> None:
    """Until this transaction ends nobody else takes: the outbox is in the order in which people's rows changed.

    SQLite has one writer as it is.
    """
    if conn.dialect.name != "sqlite":
        await conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def known(conn: AsyncConnection, keys: Iterable[EventKey], seal: Seal) -> set[EventKey]:
    """Those of `keys` that were taken before. Kept by a hash: a source's own id may tell of an incident since expunged."""
    asked = {_kept(key, seal): key for key in keys}
    return {asked[pair] for pair in await keys_in(conn, taken, sorted(asked))}


def _kept(key: EventKey, seal: Seal) -> EventKey:
    source, id_ = key
    return source, seal(id_)


async def put(
    conn: AsyncConnection, keys: Iterable[EventKey], messages: Sequence[tuple[str, Message]], at: datetime, seal: Seal
) -> None:
    """Note `keys` as taken, and their messages (with their topics) as waiting, in this order."""
    kept = sorted({_kept(key, seal) for key in keys})
    await upsert(conn, taken, [{"source": source, "id": id_, "at": at} for source, id_ in kept], ["source", "id"])
    if messages:
        await conn.execute(
            insert(outbox),
            [
                {
                    "topic": topic,
                    "key": message.key,
                    "value": message.value,
                    "headers": kept_headers(message.headers),
                }
                for topic, message in messages
            ],
        )


async def last(conn: AsyncConnection) -> int:
    """Number of the newest row that waits; 0 where none does."""
    return await conn.scalar(select(func.max(outbox.c.seq))) or 0


async def first(conn: AsyncConnection) -> int | None:
    """Number of the oldest row that waits."""
    oldest: int | None = await conn.scalar(select(func.min(outbox.c.seq)))
    return oldest


async def waiting(conn: AsyncConnection, limit: int, most_bytes: int) -> list[Waiting]:
    """The oldest, in order: at least one, and no more than `most_bytes` of values together."""
    sizes = select(outbox.c.seq, func.coalesce(func.length(outbox.c.value), 0).label("size"))
    upto, total = 0, 0
    for row in await conn.execute(sizes.order_by(outbox.c.seq).limit(limit)):
        total += row.size
        if upto and total > most_bytes:
            break
        upto = row.seq
    rows = await conn.execute(select(outbox).where(outbox.c.seq <= upto).order_by(outbox.c.seq))
    return [Waiting(row.seq, row.topic, Message(row.key, row.value, headers_of(row.headers))) for row in rows]


async def sent(conn: AsyncConnection, upto: int) -> None:
    """The broker has all rows up to this one."""
    await conn.execute(delete(outbox).where(outbox.c.seq <= upto))


async def hold(conn: AsyncConnection, holder: str, now: datetime, seconds: float) -> int | None:
    """Become, or stay, the one who empties the outbox. Returns the epoch, None while another is.

    Clocks of two hosts may differ: the hold only keeps two from working at once; what makes it safe is the broker, which
    fences the earlier one's producer.
    """
    until = now + timedelta(seconds=seconds)
    changed = await conn.execute(
        update(sender)
        .where(sender.c.name == _NAME, or_(sender.c.holder == holder, sender.c.until < now))
        .values(holder=holder, until=until, epoch=sender.c.epoch + case((sender.c.holder == holder, 0), else_=1))
    )
    if changed.rowcount == 0:
        return None
    return int((await conn.execute(select(sender.c.epoch).where(sender.c.name == _NAME))).scalar_one())


async def release(conn: AsyncConnection, holder: str, now: datetime) -> None:
    """Let another one do it."""
    await conn.execute(update(sender).where(sender.c.name == _NAME, sender.c.holder == holder).values(until=now))
