"""Fixtures for every suite: real servers, started once a session and cloned per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import postgres as harness
from tests.harness.postgres import PostgresServer

_LONG_FILES = frozenset({"fault", "e2e", "integration"})
"""Folders of files that take minutes; the others' take seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: whichever worker ends last should end with a short one. Within that, as they came (at random)."""
    items.sort(key=lambda item: not _LONG_FILES.intersection(item.path.parts))


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
