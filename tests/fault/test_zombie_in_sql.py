"""An owner frozen inside its SQL transaction holds its lane's row: the next owner waits, but not for ever."""

from __future__ import annotations

import asyncio
from datetime import datetime

import asyncpg

from services.common.database import IDLE_IN_TRANSACTION_MS, LOCK_TIMEOUT_MS
from tests.harness.postgres import dsn
from tests.harness.replicas import Bench

PATIENCE_S = (LOCK_TIMEOUT_MS + IDLE_IN_TRANSACTION_MS) / 1000 + 1


def test_next_owner_claims_within_the_time_outs(bench: Bench) -> None:
    """Frozen between two statements, and inside one: parsed and not executed, which the server's time-outs do not see."""
    zombie = bench.start("zombie", failpoints="sql.open=stop", session_timeout_ms="1000")
    zombie.wait_said("lane.claimed", bench.lanes)
    bench.feed(5, offenders=1)
    zombie.wait_frozen()
    with asyncio.Runner() as runner:
        half_asked = runner.run(_half_asked(bench))
        heir = bench.start("heir")
        heir.wait_said("lane.claimed", bench.lanes - 2)
        began = datetime.now().astimezone()
        heir.wait_said("lane.claimed", bench.lanes)
        claimed = [datetime.fromisoformat(line["timestamp"]) for line in heir.said("lane.claimed")]
        assert 1 < (max(claimed) - began).total_seconds() < PATIENCE_S
        half_asked.terminate()

    bench.wait_settled()
    before, claims = bench.traces(), len(zombie.said("lane.claimed"))
    zombie.thaw()
    zombie.wait_said("lane.claimed", claims + 1)
    assert bench.traces() == before
    bench.judge()


async def _half_asked(bench: Bench) -> asyncpg.Connection:
    """A replica's connection that holds the row of another lane and has sent half of its next statement."""
    assert bench.url is not None
    settings = {"application_name": "ipvi-probe", "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS)}
    conn = await asyncpg.connect(dsn(bench.url), server_settings=settings)
    await conn.execute("BEGIN")
    held = await conn.fetchval("SELECT lane FROM probe.lanes FOR UPDATE SKIP LOCKED LIMIT 1")
    await conn.prepare("SELECT 1")
    assert held is not None
    return conn
