"""A partner's store on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import StaticPool

from services.common.migrations import metadata_of
from tests.harness.partners_store import PartnersStoreBehaviour


class TestSqlite(PartnersStoreBehaviour):
    @pytest.fixture
    async def conn(self) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        async with engine.begin() as opened:
            await opened.run_sync(metadata_of("partners").create_all)
            yield opened
        await engine.dispose()
