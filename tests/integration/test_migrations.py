"""Migrations lead to exactly the tables the code works with, on SQLite and on PostgreSQL, and may be run again."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli.registry import DATABASES
from services.common.database import Database, database_url
from services.common.migrations import differences, upgrade
from services.common.settings import CommonSettings


async def _check(settings: CommonSettings, service: str) -> None:
    url = database_url(settings, service)
    await upgrade(url, service)
    await upgrade(url, service)
    found = Database(url, service, pool_size=1)
    async with found.read() as conn:
        assert await conn.run_sync(differences, service) == []
    await found.close()


@pytest.mark.parametrize("service", DATABASES)
async def test_sqlite(service: str, tmp_path: Path) -> None:
    await _check(CommonSettings(home=tmp_path), service)


@pytest.mark.parametrize("service", DATABASES)
async def test_postgresql(service: str, database: str) -> None:
    await _check(CommonSettings(DATABASE_URL=database), service)
