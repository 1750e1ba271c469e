"""How long `ipvi export` and `ipvi measures` take, and how much memory: `python -m tests.bench.export 100000`.

The county is decided by the classifier and stored first, in a process of its own, so that its memory is not counted.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, String, Table, text

from schemas.classification import Tier
from schemas.envelope import Event, pair_id
from schemas.notification import Channel, NotificationServed, Proof
from services.classifier.store import metadata
from services.cli.export.command import export
from services.cli.export.rows import Terms, keyed
from services.cli.measures.command import count
from services.cli.measures.counting import Period
from services.common.database import Database, database_url
from services.common.migrations import upgrade
from services.common.settings import CommonSettings
from tests.harness.incidents import PRACTICE, Bench, event, incident_id, report

DECIDED = 2_000
"""So many are decided; the others are these again under other ids, and without notices, whose ids follow from his."""


def life(number: int) -> Iterator[Event[Any]]:
    """Arrested, given notice, and for a third of them arrested again."""
    him, day = f"P-{number:07}", number % 700
    born = date(1950 + number % 55, 6, 15)
    first = report(3 * number, him, charged=True, day=day, born=born)
    yield first
    at = first.time + timedelta(hours=number % 90)
    served = NotificationServed(
        notification_id=f"N-{number}", pair_id=pair_id(incident_id(3 * number), him), offender_id=him, tier=Tier.C,
        channel=[*Channel][number % 4], template="sample@1", served_at=at, proof=Proof.SIGNATURE,
    )  # fmt: skip
    yield event(served, him, at)
    yield report(3 * number + 1, him, day=day + 40 + number % 50, born=born)
    if number % 3 == 0:
        yield report(3 * number + 2, him, charged=True, day=day + 100 + number % 300, born=born)


def build(home: Path, people: int) -> None:
    asyncio.run(_build(home, people))


async def _build(home: Path, people: int) -> None:
    url = database_url(CommonSettings(home=home), "classifier")
    await upgrade(url, "classifier")
    database = Database(url, "classifier")
    made = Bench()
    for number in range(min(DECIDED, people)):
        made.put(*life(number))
    store = made.service.store
    async with database.write() as conn:
        await store.save(conn, 0, {him: (store.new(him), one) for him, one in made.offenders.items()})
    for copy in range(1, people // DECIDED):
        async with database.write() as conn:
            for table in metadata.sorted_tables:
                if "offender_id" in table.c:
                    await conn.execute(text(_again(table, copy)))
    await database.close()


def _again(table: Table, copy: int) -> str:
    """Everybody once more, by another id wherever it stands."""
    columns = [
        f"replace({column.name}, 'P-000', 'P{copy}-000')"
        if isinstance(column.type, (String, JSON))
        else f'"{column.name}"'
        for column in table.c
    ]
    into = f"INSERT OR IGNORE INTO {table.name} SELECT"
    return f"{into} {', '.join(columns)} FROM {table.name} WHERE offender_id LIKE 'P-000%'"


def exported(home: Path, out: Path) -> None:
    terms = Terms(PRACTICE, frozenset({Tier.A, Tier.B, Tier.C}), keyed(b"k" * 32))
    _told("export, {} told of", lambda: sum(asyncio.run(export(_settings(home), out, terms)).levels))


def measured(home: Path, out: Path) -> None:
    period = Period(datetime(2028, 1, 1, tzinfo=UTC))
    _told("measures, {} notified", lambda: len(asyncio.run(count(_settings(home), PRACTICE, period)).spells["all"]))


def _settings(home: Path) -> CommonSettings:
    return CommonSettings(home=home)


def _told(what: str, run: Callable[[], int]) -> None:
    before, start = _memory(), time.monotonic()
    found = run()
    print(
        f"{what.format(found)}: {time.monotonic() - start:.1f} s, memory {before} -> {_memory()} MB at most", flush=True
    )


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    spawn = get_context("spawn")
    for people in map(int, sys.argv[1:] or ["10000"]):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            start = time.monotonic()
            for target, arguments in (
                (build, (home, people)), (exported, (home, home / "out")), (measured, (home, home)),
            ):  # fmt: skip
                process = spawn.Process(target=target, args=arguments)
                process.start()
                process.join()
                if target is build:
                    print(f"{people} people stored in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
