"""A partner's store and its deliveries on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from services.common.database import Database, database_url
from services.common.migrations import metadata_of
from services.common.settings import CommonSettings
from tests.harness.partners_deliveries import DeliveriesBehaviour
from tests.harness.partners_store import PartnersStoreBehaviour
from tests.harness.postgres import PostgresServer


class TestPostgres(PartnersStoreBehaviour):
    @pytest.fixture
    async def conn(self, database: str) -> AsyncIterator[AsyncConnection]:
        engine = create_async_engine(database)
        async with engine.begin() as opened:
            await opened.run_sync(metadata_of("partners").create_all)
            yield opened
        await engine.dispose()


class TestDeliveriesOnPostgres(DeliveriesBehaviour):
    @pytest.fixture
    async def database(self, postgres: PostgresServer) -> AsyncIterator[Database]:
        url = postgres.create_database()
        made = Database(database_url(CommonSettings(DATABASE_URL=url), "partners_hook"), "public")
        async with made.engine.begin() as conn:
            await conn.run_sync(metadata_of("partners").create_all)
        yield made
        await made.close()
        postgres.drop_database(url)
