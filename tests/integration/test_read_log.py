"""The read log in a migrated database of either kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.common.database import Database, database_url
from services.common.migrations import upgrade
from services.common.reads import SqlReadLog
from services.common.settings import CommonSettings
from tests.harness.read_log import ReadLogBehaviour, entry

SERVICE = "classifier"


async def _migrated(settings: CommonSettings) -> AsyncIterator[Database]:
    await upgrade(database_url(settings, SERVICE), SERVICE)
    made = Database(database_url(settings, SERVICE), SERVICE, pool_size=1)
    yield made
    await made.close()


class TestSqlite(ReadLogBehaviour):
    @pytest.fixture
    async def migrated(self, tmp_path: Path) -> AsyncIterator[Database]:
        async for made in _migrated(CommonSettings(home=tmp_path)):
            yield made


class TestPostgres(ReadLogBehaviour):
    @pytest.fixture
    async def migrated(self, database: str) -> AsyncIterator[Database]:
        async for made in _migrated(CommonSettings(DATABASE_URL=database)):
            yield made

    async def test_it_cannot_be_emptied(self, migrated: Database) -> None:
        await SqlReadLog(migrated).write([entry("O-1")])
        with pytest.raises(DBAPIError, match="read log"):
            async with migrated.write() as conn:
                await conn.execute(text("TRUNCATE reads"))
