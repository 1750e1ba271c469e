"""How the read log must behave on either database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from services.common.database import Database
from services.common.reads import RETENTION, Purpose, Read, SqlReadLog
from services.common.tables import reads

NOW = datetime.now(UTC)


def entry(record: str, person: str = "m.ortiz", at: datetime = NOW, route: str = "/offenders") -> Read:
    return Read(person, route, "offender", record, Purpose.CALL_FOR_SERVICE, at)


class ReadLogBehaviour:
    """Subclasses give a migrated `database`."""

    async def test_entries_are_kept_in_their_order(self, migrated: Database) -> None:
        log = SqlReadLog(migrated)
        await log.write([])
        await log.write([entry("O-1"), entry("O-2")])
        await log.write([entry("O-1", "j.king")])
        async with migrated.read() as conn:
            rows = (await conn.execute(select(reads).order_by(reads.c.seq))).all()
        assert [(row.person, row.record, row.purpose, row.at) for row in rows] == [
            ("m.ortiz", "O-1", "call_for_service", NOW),
            ("m.ortiz", "O-2", "call_for_service", NOW),
            ("j.king", "O-1", "call_for_service", NOW),
        ]

    async def test_counts_are_one_persons_by_one_route_since_then(self, migrated: Database) -> None:
        log = SqlReadLog(migrated)
        old = entry("O-1", at=NOW - timedelta(minutes=2))
        await log.write([old, entry("O-2"), entry("O-2"), entry("O-3", "j.king"), entry("O-2", route="/reviews")])
        assert await log.count("m.ortiz", "/offenders", NOW - timedelta(minutes=1)) == 2
        assert await log.count("m.ortiz", "/offenders", NOW - timedelta(minutes=3)) == 3

    async def test_the_database_refuses_to_change_it(self, migrated: Database) -> None:
        old = NOW - RETENTION - timedelta(days=1)
        await SqlReadLog(migrated).write([entry("old", at=old), entry("new", at=NOW - RETENTION + timedelta(days=1))])
        for statement in (
            update(reads).where(reads.c.record == "old").values(person="x"),
            update(reads).where(reads.c.record == "new").values(person="x"),
            delete(reads).where(reads.c.record == "new"),
            delete(reads),
        ):
            with pytest.raises(DBAPIError, match="read log"):
                async with migrated.write() as conn:
                    await conn.execute(statement)
        async with migrated.write() as conn:
            await conn.execute(delete(reads).where(reads.c.record == "old"))
        async with migrated.read() as conn:
            assert (await conn.scalars(select(reads.c.record))).all() == ["new"]
