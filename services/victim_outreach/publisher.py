"""Counts each quarter once it has settled, and keeps what may be seen of it (`docs/decisions/0054`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from services.common.database import Database
from services.common.desk import Reporter
from services.victim_outreach.rules.measures import Quarter, tables
from services.victim_outreach.store import measures

log = structlog.get_logger(__name__)

EVERY_S = 3_600


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Publisher:
    """One replica's. Several may run: the first to write a quarter has the word."""

    now: Callable[[], datetime] = _utc_now

    async def run(self, database: Database, reporter: Reporter) -> None:
        """Until cancelled. A fault ends one round, not the publisher."""
        while True:
            try:
                await self.publish(database)
            except Exception as failed:  # noqa: BLE001 (a database that is away comes back)
                log.warning("publisher.round_failed", error=type(failed).__name__)
            await asyncio.sleep(EVERY_S)

    async def publish(self, database: Database) -> list[Quarter]:
        """Every settled quarter that is not there yet, oldest first. Returns those that were counted."""
        now = self.now()
        async with database.read() as conn:
            first = await measures.first_case(conn)
            known = await measures.quarters(conn)
        made = []
        quarter = Quarter.of(first or now)
        while quarter.settled_at <= now:
            if str(quarter) not in known:
                await self._one(database, quarter, now)
                made.append(quarter)
            quarter = quarter.next
        return made

    async def _one(self, database: Database, quarter: Quarter, now: datetime) -> None:
        async with database.read() as conn:
            found = await measures.stories(conn, quarter)
        shown = await asyncio.to_thread(tables, found)
        async with database.write() as conn:
            await measures.publish(conn, quarter, shown, now)
        log.info("publisher.published", quarter=str(quarter))
