"""What the services keep is their user's alone, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from services.common.database import Database
from services.common.seal import kept_key


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def written(path: Path) -> Database:
    database = Database(URL.create("sqlite+aiosqlite", database=str(path)), "intake")
    async with database.write() as conn:
        await conn.execute(text("CREATE TABLE IF NOT EXISTS kept (one INTEGER)"))
        await conn.execute(text("INSERT INTO kept VALUES (1)"))
    return database


async def test_a_database_and_its_companions(tmp_path: Path) -> None:
    home = tmp_path / "home"
    database = await written(home / "intake.db")
    assert {path.name: mode(path) for path in home.iterdir()} == dict.fromkeys(
        ("intake.db", "intake.db-wal", "intake.db-shm"), 384
    )
    assert mode(home) == 0o700
    await database.close()


async def test_a_database_from_before_is_closed_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    await (await written(path)).close()
    path.chmod(0o664)
    database = await written(path)
    assert mode(path) == 0o600
    async with database.read() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM kept")) == 2
    await database.close()


def test_keys(tmp_path: Path) -> None:
    home = tmp_path / "home"
    kept_key(home)
    assert (mode(home), mode(home / "seal.key")) == (0o700, 0o600)
