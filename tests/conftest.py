"""Fixtures for every suite: real servers, started once a session and cloned per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import postgres as harness
from tests.harness.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server; fails, and says how to get one, where there is none."""
    with harness.postgres() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)
