"""Alembic, one history a service, in `services/<service>/migrations/versions`.

A revision is named `pre_...` (before the code that needs it is deployed) or `post_...` (after the last code that needs the
old form is gone). `python -m services.common.migrations SERVICE pre_add_something` writes one from the tables' difference.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, MetaData, text

from services.common.database import Database
from services.common.tables import with_common_tables

_LOCK = 4_710_211  # any number, the same for all replicas
ROOT = Path(__file__).parents[1]


def metadata_of(service: str) -> MetaData:
    """All tables of a service: its own and the loop's."""
    own: MetaData = importlib.import_module(f"services.{service}.store").metadata
    return with_common_tables(own)


def _config(service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / service / "migrations"))
    config.set_main_option("version_path_separator", "os")
    return config


async def upgrade(url: URL, service: str, schema: str | None = None) -> None:
    """Bring the service's tables to the newest form. Safe to run twice at once; does nothing where nothing is new.

    `schema`: where they lie in PostgreSQL, if not under the service's name.
    """
    schema = schema or service
    database = Database(url, schema, pool_size=1)
    try:
        async with database.write() as conn:
            if not database.is_sqlite:
                await conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                await conn.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            await conn.run_sync(_upgrade, service)
    finally:
        await database.close()


def _upgrade(conn: Connection, service: str) -> None:
    config = _config(service)
    script = ScriptDirectory.from_config(config)

    with EnvironmentContext(config, script, fn=lambda rev, _: script._upgrade_revs("head", rev)) as environment:
        environment.configure(connection=conn, target_metadata=metadata_of(service), transactional_ddl=False)
        environment.run_migrations()


def differences(conn: Connection, service: str) -> list[object]:
    """What the tables of `conn` lack or have too much of, against the code; empty when they agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(conn, opts={"compare_type": False})
    return list(compare_metadata(context, metadata_of(service)))


async def _revise(service: str, message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = URL.create("sqlite+aiosqlite", database=str(Path(folder) / "empty.db"))
        await upgrade(url, service)
        database = Database(url, service)
        async with database.write() as conn:
            await conn.run_sync(_write_revision, service, message)
        await database.close()


def _write_revision(conn: Connection, service: str, message: str) -> None:
    config = _config(service)
    config.attributes["connection"] = conn
    config.attributes["metadata"] = metadata_of(service)
    command.revision(config, message, autogenerate=True)


def run_env() -> None:
    """The body of every `migrations/env.py`: Alembic's own commands go through here."""
    from alembic import context

    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=context.config.attributes["metadata"],
        user_module_prefix="columns.",
    )
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "__main__":
    asyncio.run(_revise(sys.argv[1], sys.argv[2]))
