"""Letters as they were printed, and what the journal says of a notification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Data, Event, Message, decode
from schemas.topics import Topic
from services.common.tables import journal
from services.notifier.store.tables import letters


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """One letter, byte for byte."""

    sha256: str
    content: bytes
    template: str
    version: str
    template_sha256: str
    dated: date
    printed_at: datetime


async def kept_letter(conn: AsyncConnection, notification_id: str, sha256: str) -> KeptLetter | None:
    """None: no such letter was printed for it, or it has been expunged."""
    of_it = (letters.c.notification_id == notification_id, letters.c.sha256 == sha256)
    row = (await conn.execute(select(letters).where(*of_it))).one_or_none()
    if row is None:
        return None
    return KeptLetter(
        row.sha256, row.content, row.template, row.version, row.template_sha256, row.dated, row.printed_at
    )


async def said_of(conn: AsyncConnection, pair_id: str) -> Sequence[Event[Data]]:
    """What was said on the notifications' topic of one pair, in order; nothing of what has been erased."""
    rows = await conn.execute(
        select(journal.c.key, journal.c.value, journal.c.headers)
        .where(
            journal.c.about == pair_id,
            journal.c.topic == str(Topic.NOTIFICATIONS),
            journal.c.erased.is_(False),
            journal.c.value.is_not(None),
        )
        .order_by(journal.c.lane, journal.c.seq)
    )
    return [
        decode(Message(row.key, row.value, tuple((name, value.encode("latin-1")) for name, value in row.headers)))
        for row in rows
    ]
