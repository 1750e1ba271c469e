"""An owner frozen inside its SQL transaction holds its lane's row: the next owner waits, but not for ever."""

from __future__ import annotations

import asyncio
from datetime import datetime

import asyncpg

from services.common.database import IDLE_IN_TRANSACTION_MS, LOCK_TIMEOUT_MS
from tests.harness.postgres import dsn
from tests.harness.replicas import Bench, ReplicaProcess

PATIENCE_S = (LOCK_TIMEOUT_MS + IDLE_IN_TRANSACTION_MS) / 1000 + 1


def waited_for_a_row(heir: ReplicaProcess) -> float:
    """Seconds between the claim of a free lane and that of the one held."""
    claimed = [datetime.fromisoformat(line["timestamp"]) for line in heir.said("lane.claimed")]
    return (max(claimed) - min(claimed)).total_seconds()


def test_frozen_owner(shared_bench: Bench) -> None:
    bench = shared_bench
    zombie = bench.start("zombie", failpoints="sql.open=stop@3", session_timeout_ms="1000")
    bench.feed_until(lambda: zombie.frozen, "an owner frozen in SQL")
    heir = bench.start("heir")
    heir.wait_said("lane.claimed", bench.lanes)
    assert 1 < waited_for_a_row(heir) < PATIENCE_S

    bench.wait_settled()
    before, claims = bench.traces(), len(zombie.said("lane.claimed"))
    zombie.thaw()
    zombie.wait_said("lane.claimed", claims + 1)
    assert bench.traces() == before
    bench.judge()
    bench.close()


def test_frozen_inside_a_statement(shared_bench: Bench) -> None:
    """Parsed and not executed: the server's time-outs do not see it."""
    bench = shared_bench
    first = bench.start()
    bench.feed(20)
    bench.wait_settled()
    first.stop()
    with asyncio.Runner() as runner:
        frozen = runner.run(_half_asked(bench, lane=2))
        heir = bench.start()
        heir.wait_said("lane.claimed", bench.lanes)
        assert 1 < waited_for_a_row(heir) < PATIENCE_S
        frozen.terminate()
    bench.feed(20)
    bench.wait_settled()
    bench.judge()
    bench.close()


async def _half_asked(bench: Bench, lane: int) -> asyncpg.Connection:
    """A replica's connection that holds the lane's row and has sent half of its next statement."""
    assert bench.url is not None
    settings = {"application_name": "ipvi-probe", "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS)}
    conn = await asyncpg.connect(dsn(bench.url), server_settings=settings)
    await conn.execute("BEGIN")
    await conn.execute("UPDATE probe.lanes SET epoch = epoch WHERE lane = $1", lane)
    await conn.prepare("SELECT 1")
    return conn
