"""The thirty people of `tests/golden/measures` in a classifier's database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from schemas.envelope import Event, from_json_line
from services.common.database import Database, database_url
from services.common.migrations import upgrade
from services.common.settings import CommonSettings
from tests.golden.measures.build import FILE
from tests.harness.incidents import Bench

LANE = 0


def bench(events: Iterable[Event[Any]] | None = None) -> Bench:
    """Decided by the real classifier, one record after another."""
    made = Bench()
    made.put(*(events or thirty()))
    return made


def thirty() -> list[Event[Any]]:
    return [from_json_line(line) for line in FILE.read_bytes().splitlines()]


async def stored(folder: Path, made: Bench) -> CommonSettings:
    """Everybody on the bench in SQLite files under `folder`, as the service would have left them."""
    settings = CommonSettings(home=folder)
    url = database_url(settings, "classifier")
    await upgrade(url, "classifier")
    database = Database(url, "classifier")
    try:
        async with database.write() as conn:
            store = made.service.store
            changed = {him: (store.new(him), one) for him, one in made.offenders.items()}
            await store.save(conn, LANE, changed)
    finally:
        await database.close()
    return settings
