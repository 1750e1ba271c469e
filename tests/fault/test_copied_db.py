"""A second database on production's cluster, new or a copy: it refuses before it joins the group, and production works on."""

from __future__ import annotations

import asyncio

import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.probe import make_tables
from tests.harness.replicas import Bench


@pytest.mark.parametrize("kind", ["new", "copied"])
def test_another_database(shared_bench: Bench, postgres: PostgresServer, kind: str) -> None:
    bench = shared_bench
    assert bench.url is not None
    production = bench.start()
    bench.feed(60)
    bench.wait_settled()
    before = bench.traces()
    url = postgres.restore(postgres.dump(bench.url)) if kind == "copied" else postgres.create_database()
    asyncio.run(make_tables(bench.settings().model_copy(update={"database_url": url})))

    stranger = bench.start(DATABASE_URL=url)  # under the same name: as a member it would push production out
    stranger.wait_dead()
    assert "another_database" in stranger.tail()
    assert bench.traces() == before

    bench.feed(20)
    bench.wait_settled()
    assert len(production.said("lane.claimed")) == bench.lanes  # each once: none was lost, none fenced
    bench.judge()
    production.kill()
    postgres.drop_database(url)
