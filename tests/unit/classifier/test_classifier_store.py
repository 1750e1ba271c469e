"""The classifier's store on SQLite, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import StaticPool

from services.classifier.store import metadata
from tests.harness.classifier_store import ClassifierStoreBehaviour


class TestSqlite(ClassifierStoreBehaviour):
    @pytest.fixture
    async def conn(self) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        async with engine.begin() as opened:
            await opened.run_sync(metadata.create_all)
            yield opened
        await engine.dispose()
