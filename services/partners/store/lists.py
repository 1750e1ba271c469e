"""What a partner, and whoever answers for it, is shown: how much was sent, what was taken back, what is confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Page, Slice
from services.common.tables import lanes
from services.partners.store.deliveries import record_clock
from services.partners.store.tables import notes, offenders, sent


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One note. What it took back is told by the note itself, and by nothing here."""

    note_id: str
    kind: str
    at: datetime
    events: int
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of one partner. `sent`: events that could still be taken back; `refused`: lanes nobody works."""

    sent: int
    notes: int
    confirmed: int
    outstanding: int
    oldest_outstanding: datetime | None
    waiting: int
    """Offenders with notifications whose decision has not come."""
    owed: int
    """Offenders of whom something is to be said once the subscription is renewed."""
    clock: datetime | None
    """Highest record time seen, by which the subscription lapses."""
    refused: int


async def counts(conn: AsyncConnection) -> Counts:
    found = (
        await conn.execute(
            select(func.count().label("notes"), func.count(notes.c.confirmed_at).label("confirmed")).select_from(notes)
        )
    ).one()
    return Counts(
        sent=await conn.scalar(select(func.count()).select_from(sent)) or 0,
        notes=found.notes,
        confirmed=found.confirmed,
        outstanding=found.notes - found.confirmed,
        oldest_outstanding=await conn.scalar(select(func.min(notes.c.at)).where(notes.c.confirmed_at.is_(None))),
        waiting=await conn.scalar(select(func.count()).select_from(offenders).where(offenders.c.waits)) or 0,
        owed=await conn.scalar(select(func.count()).select_from(offenders).where(offenders.c.behind)) or 0,
        clock=await record_clock(conn),
        refused=await conn.scalar(select(func.count(lanes.c.refusal))) or 0,
    )


async def note_lines(conn: AsyncConnection, page: Page, confirmed: bool | None = None) -> Slice[NoteLine]:
    """Oldest first. `confirmed`: those that are, or those that are not; None: all."""
    query = select(notes)
    if confirmed is not None:
        query = query.where(notes.c.confirmed_at.is_not(None) if confirmed else notes.c.confirmed_at.is_(None))
    found = await page.of(conn, query, notes.c.at, notes.c.note_id)
    return found.map(lambda row: NoteLine(row.note_id, row.kind, row.at, row.events, row.confirmed_at))


async def offender_of_note(conn: AsyncConnection, note_id: str) -> str | None:
    """In whose lane a confirmation takes effect; None: this partner was never sent that note."""
    found = await conn.scalar(select(notes.c.offender_id).where(notes.c.note_id == note_id))
    return None if found is None else str(found)
