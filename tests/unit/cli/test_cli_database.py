"""How a command that opens a service's database says that it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from services.cli.database import NO_INTAKE_TABLES, opened
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings


async def ask(home: Path, unreadable: str | None) -> None:
    settings = CommonSettings(home=home)
    async with opened(settings, "intake", unreadable) as database, database.read() as conn:
        await conn.execute(text("SELECT * FROM feeds"))


async def test_tables_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="intake's tables are not there: run `ipvi migrate` first"):
        await ask(tmp_path, NO_INTAKE_TABLES)


async def test_where_nothing_is_to_be_said_the_failure_is_the_drivers(tmp_path: Path) -> None:
    with pytest.raises(OperationalError):
        await ask(tmp_path, None)
