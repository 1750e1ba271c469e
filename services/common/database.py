"""One database a service: a PostgreSQL schema of its own, or a SQLite file. Async drivers only.

The settings that bound a wait stand here: a zombie that froze inside a transaction must not hold up the next owner.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Select, event, make_url, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.common.settings import CommonSettings
from services.common.sql import insert_new
from services.common.tables import deployment

LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_MS = 5_000
STATEMENT_TIMEOUT_MS = 15_000

_SHARED: dict[str, Any] = {
    "hide_parameters": True,  # an error's text may end in a terminal or a job's log
    "json_serializer": lambda value: orjson.dumps(value).decode(),
    "json_deserializer": orjson.loads,
}

_MAY_ASK = text("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
_CLUSTER = text("SELECT system_identifier FROM pg_control_system()")
_OID = text("SELECT oid FROM pg_database WHERE datname = current_database()")


def database_url(settings: CommonSettings, service: str) -> URL:
    """Where this service keeps its state; any libpq-style URL is accepted."""
    given = settings.databases.get(service) or _of_its_family(settings, service) or settings.database_url
    if given is None:
        return URL.create("sqlite+aiosqlite", database=str(Path(settings.home) / f"{service}.db"))
    url = make_url(given)
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    return url.set(drivername="postgresql+asyncpg")


def _of_its_family(settings: CommonSettings, service: str) -> str | None:
    """Each partner's part is a service of its own, `partners_<id>`."""
    return next((url for name, url in settings.databases.items() if service.startswith(f"{name}_")), None)


class Database:
    """The one place where connections are made and transactions opened."""

    def __init__(self, url: URL, schema: str, *, pool_size: int = 8) -> None:
        self.url = url
        self.schema = schema
        self.is_sqlite = url.get_backend_name() == "sqlite"
        # SQLite has one writer; queueing here is fair, waiting for its file lock is not.
        self._writer: Any = asyncio.Lock() if self.is_sqlite else nullcontext()
        self.engine = _sqlite(url) if self.is_sqlite else _postgresql(url, schema, pool_size)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """One transaction, committed at the end of the block, rolled back if it raises."""
        async with self._writer, self.engine.begin() as conn:
            yield conn

    @asynccontextmanager
    async def read(self, *, apart: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection to read with, holding no lock that a writer waits for.

        `apart`: where what is read has no other writer, PostgreSQL may take each statement by itself, and is spared the two
        that open and close a transaction.
        """
        options = {"isolation_level": "AUTOCOMMIT"} if apart and not self.is_sqlite else {"ipvi_read": True}
        async with self.engine.connect() as conn:
            yield await conn.execution_options(**options)

    async def identity(self) -> str:
        """The id of this database, made when first asked for: what is committed to Kafka says whose it is."""
        return await self.deployed("database_id", str(uuid.uuid4()))

    async def place(self) -> str:
        """Where this database lies: a copy elsewhere has the same content, and so the same id. SQLite: not told apart.

        The cluster's own number (where the server lets us ask) and the database's in it: the same on a standby that has
        taken over, another in a restored dump.
        """
        if self.is_sqlite:
            return "file"
        async with self.read() as conn:
            cluster = await conn.scalar(_CLUSTER) if await conn.scalar(_MAY_ASK) else ""
            return f"{cluster}/{await conn.scalar(_OID)}"

    async def deployed(self, name: str, value: str) -> str:
        """What is recorded under `name`; `value` if this is the first time. Safe for replicas that start at once."""
        if (found := await self.recorded(name)) is not None:
            return found
        async with self.write() as conn:
            await insert_new(conn, deployment, {"name": name, "value": value})
            return str(await conn.scalar(_recorded(name)))

    async def recorded(self, name: str) -> str | None:
        """What is recorded under `name`, if anything is."""
        async with self.read() as conn:
            found: str | None = await conn.scalar(_recorded(name))
        return found

    async def deploy(self, name: str, value: str) -> None:
        """Record another `value`."""
        async with self.write() as conn:
            await conn.execute(update(deployment).where(deployment.c.name == name).values(value=value))

    async def close(self) -> None:
        await self.engine.dispose()


def _recorded(name: str) -> Select[tuple[Any]]:
    return select(deployment.c.value).where(deployment.c.name == name)


def _sqlite(url: URL) -> AsyncEngine:
    file = Path(url.database) if url.database and url.database != ":memory:" else None
    if file is not None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(file)
    engine = create_async_engine(url, connect_args={"timeout": 30}, **_SHARED)

    @event.listens_for(engine.sync_engine, "do_connect")
    def _make(*_: Any) -> None:
        if file is not None:
            file.touch(mode=0o600)  # SQLite would make it by the umask; its companions have the mode of this one

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions behind our back
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(conn: Any) -> None:
        # A transaction that reads before it writes would fail with SQLITE_BUSY_SNAPSHOT if another wrote in between.
        conn.exec_driver_sql("BEGIN" if conn.get_execution_options().get("ipvi_read") else "BEGIN IMMEDIATE")

    return engine


def _close_to_others(file: Path) -> None:
    """One that is there from before: it holds all that the service knows, and is its own alone."""
    for each in (file, *(file.with_name(file.name + more) for more in ("-wal", "-shm"))):
        with suppress(FileNotFoundError, PermissionError):
            each.chmod(each.stat().st_mode & 0o700)


def _postgresql(url: URL, schema: str, pool_size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        **_SHARED,
        connect_args={
            "timeout": 10,
            "command_timeout": STATEMENT_TIMEOUT_MS / 1000 + 5,  # a server that is cut off cannot keep its own
            "server_settings": {
                "application_name": f"ipvi-{schema}",
                "search_path": schema,
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            },
        },
    )
