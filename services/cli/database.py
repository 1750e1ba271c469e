"""A service's database, for as long as a command needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError

from services.common.database import Database, database_url
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings

NO_INTAKE_TABLES = "intake's tables are not there: run `ipvi migrate` first"


@asynccontextmanager
async def opened(
    settings: CommonSettings, service: str, unreadable: str | None = None, *, pool_size: int = 1
) -> AsyncIterator[Database]:
    """Closed in the end. Given `unreadable`, raises `ConfigurationError` with that text where the database fails."""
    database = Database(database_url(settings, service), service, pool_size=pool_size)
    try:
        yield database
    except (DBAPIError, OSError):
        if unreadable is None:
            raise
        raise ConfigurationError(unreadable) from None
    finally:
        await database.close()
