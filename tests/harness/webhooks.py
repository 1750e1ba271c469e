"""One webhook partner without a broker: its lane in memory, its journal in SQLite, its sender, a clock set by hand."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.envelope import Data
from services.common import erasing, positions, tables
from services.common.database import Database, database_url
from services.common.migrations import upgrade
from services.common.settings import CommonSettings
from services.common.sql import insert_new
from services.partners.app import compose
from services.partners.sender import WebhookSender
from services.partners.store import deliveries
from tests.harness.partners import KEY, START, Bench, partner

SECRET = "whsec_" + base64.b64encode(b"0" * 32).decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"1" * 32).decode()


@dataclass(slots=True)
class Post:
    """`now` is what the sender takes for the time."""

    bench: Bench
    database: Database
    sender: WebhookSender
    secrets: list[str]
    now: datetime = START
    _written: int = 0
    _erased: int = 0
    _redacted: int = 0

    async def say(self, *said: Data, him: str | None = None, at: datetime | None = None) -> list[str]:
        """As the lane commits it. Returns the ids of what follows for this partner."""
        events = self.bench.tell(*said, him=him, at=at)
        bench = self.bench
        rows = [positions.journal_values(0, row) for row in bench.rows[self._written :]]
        async with self.database.write() as conn:
            await positions.write_rows(conn, tables.journal, rows)
            await erasing.erase(conn, bench.erased[self._erased :], bench.redacted[self._redacted :])
            await conn.execute(tables.lanes.update().values(clock=bench.row.clock))
        self._written, self._erased, self._redacted = len(bench.rows), len(bench.erased), len(bench.redacted)
        return [event.id for event in events]

    async def send(self, after: timedelta = timedelta(0)) -> None:
        """All that is due once this time has passed."""
        self.now += after
        await self.sender.drain(self.database)

    async def going(self) -> deliveries.Going:
        async with self.database.read() as conn:
            return await deliveries.going(conn)


@asynccontextmanager
async def post(folder: Path, url: str, id: str = "hook", **changes: Any) -> AsyncIterator[Post]:
    """A partner of the kind prosecution that is sent everything to `url`."""
    given = {"kind": "webhook", "url": url, "private_networks": ["127.0.0.1/32"]}
    chosen = {name: value for name, value in {**given, **changes.pop("delivery", {})}.items() if value is not None}
    who = partner(id=id, delivery=chosen, **changes)
    settings = CommonSettings(home=folder)
    await upgrade(database_url(settings, who.service), "partners", who.service)
    database = Database(database_url(settings, who.service), who.service)
    secrets = [SECRET]
    terms = compose(who, KEY).terms
    sender = WebhookSender(terms, who.delivery, lambda: secrets)  # type: ignore[arg-type]  # it is one
    made = Post(Bench(who), database, sender, secrets)
    sender.now = lambda: made.now
    values = {"lane": 0, "epoch": 1, "journal_next": 0, "last_tick": 0, "heard": {}, "counted": {}, "failures": 0}
    try:
        async with database.write() as conn:
            await insert_new(conn, tables.lanes, values)
        yield made
    finally:
        await database.close()
