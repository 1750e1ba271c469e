"""Benches: the probe service on PostgreSQL and a broker of its own, one a module where tests can follow each other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.replicas import Bench
from tests.harness.replicas import bench as make_bench


@pytest.fixture
def bench(database: str) -> Iterator[Bench]:
    """A fresh one for this test."""
    with make_bench(database) as made:
        yield made


@pytest.fixture(scope="module")
def shared_bench(postgres: PostgresServer) -> Iterator[Bench]:
    """One for all tests of a module: what earlier tests fed stays, and the judge counts it too."""
    url = postgres.create_database()
    with make_bench(url) as made:
        yield made
    postgres.drop_database(url)
