"""The tables of one partner, as the commands that look into them need them."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from schemas.partner_file import Partner
from services.cli.database import opened
from services.common.database import Database
from services.common.settings import CommonSettings


def tables_of(settings: CommonSettings, partner: Partner) -> AbstractAsyncContextManager[Database]:
    """Closed in the end. Raises `ConfigurationError` where the tables are not there, or no database answers."""
    return opened(
        settings,
        partner.service,
        f"{partner.id}: its tables cannot be read: run `ipvi migrate` first, with the DATABASE_URL and IPVI_HOME "
        "of the service",
    )
