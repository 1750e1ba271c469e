"""The read-access log: who was shown which record, when and for what. Appended to, and never changed.

An entry changes no state that a decision rests on, so it does not go through the log; the API writes it before it answers,
and does not answer where it cannot (`docs/decisions/0030`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import func, insert, select

from services.common.database import Database
from services.common.tables import reads

RETENTION = timedelta(days=365)
"""The database refuses to delete what is younger (CJIS Security Policy: audit records at least one year)."""


class Purpose(StrEnum):
    """What a record was read for."""

    CASE_WORK = "case_work"
    """The reader's own work on it; what every list and page is for."""
    CALL_FOR_SERVICE = "call_for_service"
    """Officers are on their way to him."""
    INVESTIGATION = "investigation"
    BOND_HEARING = "bond_hearing"
    SUPERVISION = "supervision"
    """Probation, parole, pretrial services."""


@dataclass(frozen=True, slots=True)
class Read:
    """One record shown to one person. `record` is an id, never a name."""

    person: str
    route: str
    kind: str
    record: str
    purpose: Purpose
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class ReadLog(Protocol):
    """Where reads are written down."""

    async def write(self, entries: Sequence[Read]) -> None:
        """Returns once they are kept. Raises what the database raises."""
        ...

    async def count(self, person: str, route: str, since: datetime) -> int:
        """How many records the person was shown by this route since then, at whatever replica."""
        ...


@dataclass(frozen=True, slots=True)
class SqlReadLog:
    """In the service's own database."""

    database: Database

    async def write(self, entries: Sequence[Read]) -> None:
        if entries:
            async with self.database.write() as conn:
                await conn.execute(insert(reads), [asdict(entry) for entry in entries])

    async def count(self, person: str, route: str, since: datetime) -> int:
        wanted = (reads.c.person == person, reads.c.at >= since, reads.c.route == route)
        async with self.database.read() as conn:
            return await conn.scalar(select(func.count()).select_from(reads).where(*wanted)) or 0
