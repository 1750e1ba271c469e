"""The classifier's store on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from services.classifier.store import metadata
from tests.harness.classifier_store import ClassifierStoreBehaviour


class TestPostgres(ClassifierStoreBehaviour):
    @pytest.fixture
    async def conn(self, database: str) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine(database)
        async with engine.begin() as opened:
            await opened.run_sync(metadata.create_all)
            yield opened
        await engine.dispose()
