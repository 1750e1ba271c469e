"""A service small enough to know by heart, to judge the loop by: it counts the reports of each offender.

For every `ipvi.incident.reported.v1` it says one `ipvi.tier.current.v1` whose policy_version is the running number, so a
reader sees at once what is missing, double or out of order. It counts people's `fail` commands, and refuses those of one of
them. `python -m tests.harness.probe` runs one replica, with its clock `IPVI_PROBE_AHEAD_S` seconds fast.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier, TierCurrent
from schemas.commands import Fail, NotifierTick
from schemas.envelope import Data, Event
from schemas.incident import IncidentReported
from schemas.topics import Topic
from services.common import logs
from services.common.database import Database, database_url
from services.common.replica import Replica
from services.common.service import Input, Outcome, Outgoing, caused_by
from services.common.settings import CommonSettings
from services.common.sql import upsert
from services.common.tables import with_common_tables

REFUSED = "somebody.else"
"""Whose commands are refused."""
POISON = "POISON000"
"""Of which agency no report can be decided, until the probe is fixed (`IPVI_PROBE_FIXED`)."""

metadata = MetaData()

counts = Table(
    "counts",
    metadata,
    Column("offender_id", String(128), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("reports", BigInteger, nullable=False),
    Column("ticks", BigInteger, nullable=False),
    Column("acts", BigInteger, nullable=False),
    Column("reports_before_act", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Count:
    offender_id: str
    reports: int = 0
    ticks: int = 0
    acts: int = 0
    reports_before_act: int = 0
    """The last one."""


class CountStore:
    metadata = with_common_tables(metadata)

    def new(self, key: str) -> Count:
        return Count(key)

    async def load(self, conn: AsyncConnection, keys: Collection[str]) -> dict[str, Count]:
        names = [each.name for each in fields(Count)]
        rows = await conn.execute(select(counts).where(counts.c.offender_id.in_(list(keys))))
        return {row.offender_id: Count(**{name: row[name] for name in names}) for row in rows.mappings()}

    async def save(self, conn: AsyncConnection, lane: int, changed: Mapping[str, tuple[Count, Count]]) -> None:
        rows = [{"lane": lane} | asdict(after) for _, after in changed.values()]
        await upsert(conn, counts, rows, ["offender_id"])

    async def due(self, conn: AsyncConnection, lane: int, now: datetime) -> Sequence[str]:
        rows = await conn.scalars(
            select(counts.c.offender_id).where(counts.c.lane == lane).order_by(counts.c.offender_id)
        )
        return list(rows)


class Probe:
    name = "probe"
    inputs = (Topic.NOTIFIER_COMMANDS, Topic.INCIDENTS)
    rejects = Topic.NOTIFIER_REJECTS
    store = CountStore()

    def __init__(self, *, fixed: bool = False) -> None:
        self._fixed = fixed

    def decide(self, state: Count, given: Input) -> Outcome[Count]:
        data = given.event.data
        if isinstance(data, NotifierTick):
            return Outcome(replace(state, ticks=state.ticks + 1))
        if isinstance(data, Fail) and data.by == REFUSED:
            return Outcome(state, result="refused:not_open")
        if isinstance(data, Fail):
            return Outcome(replace(state, acts=state.acts + 1, reports_before_act=state.reports))
        if not isinstance(data, IncidentReported):
            return Outcome(state, result="none")
        if data.agency == POISON and not self._fixed:
            raise RuntimeError("no rule for this one")
        state = replace(state, reports=state.reports + 1)
        said = TierCurrent(
            offender_id=state.offender_id, tier=Tier.C, since=data.occurred_at, policy_version=str(state.reports)
        )
        return Outcome(
            state, (Outgoing(Topic.TIERS, caused_by(given, "/probe", said, Topic.TIERS), about=data.incident_id[:64]),)
        )

    def lane_kept(self, given: Input) -> str | None:
        """Nothing."""
        return given.kept

    def about(self, event: Event[Data]) -> str | None:
        return None

    def on_lane_tick(self, given: Input) -> tuple[Outgoing, ...]:
        return ()


async def make_tables(settings: CommonSettings) -> None:
    """The probe has no migrations; its tables are made at once."""
    database = Database(database_url(settings, Probe.name), Probe.name)
    async with database.write() as conn:
        if not database.is_sqlite:
            await conn.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS probe")
        await conn.run_sync(CountStore.metadata.create_all)
    await database.close()


def at(second: int) -> datetime:
    """A moment of the probe's year."""
    return datetime.fromtimestamp(1_735_700_000 + second, UTC)


if __name__ == "__main__":
    logs.configure(Probe.name)
    ahead = float(os.environ.get("IPVI_PROBE_AHEAD_S", "0"))
    probe = Probe(fixed="IPVI_PROBE_FIXED" in os.environ)
    asyncio.run(Replica(probe, CommonSettings(), NotifierTick, now=lambda: time.time() + ahead).run())
