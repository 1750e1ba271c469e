"""Deliveries on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.common.database import Database, database_url
from services.common.migrations import metadata_of
from services.common.settings import CommonSettings
from tests.harness.partners_deliveries import DeliveriesBehaviour


class TestSqlite(DeliveriesBehaviour):
    @pytest.fixture
    async def database(self, tmp_path: Path) -> AsyncIterator[Database]:
        made = Database(database_url(CommonSettings(home=tmp_path), "partners_hook"), "partners_hook")
        async with made.engine.begin() as conn:
            await conn.run_sync(metadata_of("partners").create_all)
        yield made
        await made.close()
