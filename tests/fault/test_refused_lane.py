"""A lane that is refused stands still by itself: the other lanes of its replica go on as if it were not there."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from schemas.topics import Topic
from tests.harness.postgres import PostgresServer
from tests.harness.replicas import Bench, wait_for


def test_others_work(bench: Bench, postgres: PostgresServer) -> None:
    """Fetching from a broker stands still while a partition there has no position: a refused one must have some."""
    bench.feed(bench.lanes)
    postgres.execute(f"INSERT INTO probe.positions VALUES (0, '{Topic.INCIDENTS}', 1, 0)", bench.url)  # noqa: S608
    replica = bench.start()  # finds lane 0 worked, perhaps published, and the group knows nothing of it
    replica.wait_said("lane.refused")
    replica.wait_said("lane.claimed", bench.lanes - 1)
    wait_for(partial(reached, bench, bench.lanes - 1), 10, "the first of it")
    assert replica.said("lane.refused")[0]["code"] == "offset_lost"

    for _ in range(4):
        due = worked(bench) + bench.lanes - 1
        bench.feed(bench.lanes)
        wait_for(partial(reached, bench, due), 2, "the other lanes' work")
    before = cpu_seconds(replica.process.pid)
    time.sleep(2)
    assert cpu_seconds(replica.process.pid) - before < 1


def reached(bench: Bench, due: int) -> bool:
    return worked(bench) == due


def worked(bench: Bench) -> int:
    return int(bench.rows("SELECT sum(next_offset) AS n FROM positions WHERE lane <> 0")[0].n)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
