"""Tells each lane what others keep of a woman whom it has among an offender's victims (`docs/decisions/0074`).

A lane decides from what it has been told; what she said on account of one man must hold with the next, whichever came first.
Lanes write down of whom something changed (`news`), in the transaction of the change; here it is compared with what each lane
was told, and the difference goes into the log. What a lane takes of it is news again: so it is looked at until nothing is left.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.advocacy import Hear
from schemas.envelope import Data
from services.common.database import Database
from services.common.desk import Reporter
from services.victim_outreach.store import elsewhere, news
from services.victim_outreach.usecases.hearing import KINDS

log = structlog.get_logger(__name__)

POLL_S = 1.0
_AT_ONCE = 200


class Tables(Protocol):
    """What it needs of a database."""

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]: ...

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]: ...


class Reports(Protocol):
    """What it needs of a reporter."""

    async def report(self, data: Data, *, about: str, offender_id: str) -> None: ...


class Teller:
    """One replica's. Several may run: what is said twice is heard once."""

    async def run(self, database: Database, reporter: Reporter) -> None:
        """Until cancelled. A fault ends one round, not the teller."""
        while True:
            more = False
            try:
                more = await self.round(database, reporter)
            except Exception as failed:  # noqa: BLE001 (a database or broker that is away comes back)
                log.warning("teller.round_failed", error=type(failed).__name__)
            if not more:
                await asyncio.sleep(POLL_S)

    async def round(self, database: Tables, reporter: Reports) -> bool:
        """The oldest news. Whether more may be waiting."""
        async with database.read() as conn:
            found = await news.oldest(conn, _AT_ONCE)
        if not found:
            return False
        async with database.read() as conn:  # looked at anew: what was news by then is there by now
            untold = await elsewhere.untold(conn, {victim_id for _, victim_id in found})
        last, _ = found[-1]
        for one in untold:
            said = _said(one)
            content = hashlib.sha256(said.model_dump_json().encode()).hexdigest()
            await reporter.report(said, about=f"{last}|{one.offender_id}|{content}", offender_id=one.offender_id)
        async with database.write() as conn:
            await news.drop(conn, [seq for seq, _ in found])
        return len(found) == _AT_ONCE


def _said(one: elsewhere.Untold) -> Hear:
    kept: dict[str, list[Any]] = {
        name: KINDS[name].dump_python(list(getattr(one, name)), mode="json", warnings=False) for name in KINDS
    }
    return Hear(offender_id=one.offender_id, victim_ids=list(one.victim_ids), kept=kept)
