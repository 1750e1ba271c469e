"""Bookings as the last snapshots of a roster showed them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sql import upsert
from services.intake.mapped.held import Held
from services.intake.store.feeds import FeedKey
from services.intake.store.tables import IN_ONE_QUERY, bookings

_FIELDS = (
    "offender_id", "booked_at", "facility", "hearing_at", "released_at", "missing_since", "transferred", "charges",
    "charged", "revision",
)  # fmt: skip


async def known_bookings(conn: AsyncConnection, key: FeedKey, shown: Iterable[str]) -> dict[str, Held]:
    """All that are held, and those of `shown` that were held once."""
    own = and_(bookings.c.agency == key[0], bookings.c.feed == key[1])
    wanted, found = sorted(set(shown)), {}
    for start in range(0, max(1, len(wanted)), IN_ONE_QUERY):
        some = wanted[start : start + IN_ONE_QUERY]
        either = or_(bookings.c.released_at.is_(None), bookings.c.booking_id.in_(some))
        for row in await conn.execute(select(bookings).where(own, either)):
            found[row.booking_id] = Held(**{name: getattr(row, name) for name in _FIELDS})
    return found


async def has_bookings(conn: AsyncConnection, key: FeedKey) -> bool:
    """Whether anybody was ever seen in this roster."""
    own = and_(bookings.c.agency == key[0], bookings.c.feed == key[1])
    return (await conn.execute(select(bookings.c.booking_id).where(own).limit(1))).first() is not None


async def keep_bookings(conn: AsyncConnection, key: FeedKey, kept: Mapping[str, Held]) -> None:
    rows = [
        {"agency": key[0], "feed": key[1], "booking_id": name, **{each: getattr(held, each) for each in _FIELDS}}
        for name, held in sorted(kept.items())
    ]
    await upsert(conn, bookings, rows, ["agency", "feed", "booking_id"])
