"""The tables of one partner, as the commands that look into them need them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError

from schemas.partner_file import Partner
from services.common.database import Database, database_url
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings


@asynccontextmanager
async def part_of(settings: CommonSettings, partner: Partner) -> AsyncIterator[Database]:
    """Closed in the end. Raises `ConfigurationError` where the tables are not there, or no database answers."""
    database = Database(database_url(settings, partner.service), partner.service, pool_size=1)
    try:
        yield database
    except (DBAPIError, OSError):
        raise ConfigurationError(
            f"{partner.id}: its tables cannot be read: run `ipvi migrate` first, with the DATABASE_URL and IPVI_HOME "
            "of the service"
        ) from None
    finally:
        await database.close()
