"""A real PostgreSQL for tests: a given one, local binaries, or a container."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, NullPool, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from services.cli.broker.process import BoundProcess, as_user, free_port

TIMEOUT = 30.0
"""Seconds for one administrative statement, a start or a stop."""
Rows = list[dict[str, Any]]
IMAGE = "postgres:17-alpine"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "timezone": "UTC",
    # A crashed server comes back clean without these; only a crashed machine would not.
    "fsync": "off",
    "full_page_writes": "off",
}
HOW_TO_GET_ONE = (
    "no PostgreSQL for the tests: set DATABASE_URL to a server in which databases may be created, "
    "install PostgreSQL's server binaries, or start a Docker engine"
)


class PostgresServer:
    """A server in which databases come and go. URLs are SQLAlchemy's, for asyncpg; methods may be called in a loop."""

    def __init__(self, url: str, binaries: Path | None = None) -> None:
        self._url = make_url(url).set(drivername="postgresql+asyncpg")
        self._binaries = binaries

    @property
    def url(self) -> str:
        """The administrative database."""
        return _text(self._url)

    @property
    def admin(self) -> str:
        """The administrative database as a plain DSN, for `asyncpg.connect`."""
        return dsn(self.url)

    @property
    def host(self) -> str:
        return self._url.host or "127.0.0.1"

    @property
    def port(self) -> int:
        return self._url.port or 5432

    def create_database(self, template: str | None = None) -> str:
        """A new database's URL; a copy of `template`, the URL of a database that nobody is connected to."""
        name = f"ipvi_{uuid.uuid4().hex[:16]}"
        origin = make_url(template).database if template else "template0"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{origin}"')
        return _text(self._url.set(database=name))

    def drop_database(self, url: str) -> None:
        """Drop it though services are still connected. Dropping it twice is no error."""
        self.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def dump(self, url: str) -> bytes:
        """A backup of one database, taken while it is in use."""
        return self._tool("pg_dump", "--format=custom", f"--dbname={dsn(url)}")

    def restore(self, backup: bytes) -> str:
        """A new database's URL with the backup's content."""
        url = self.create_database()
        self._tool("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={dsn(url)}", stdin=backup)
        return url

    def execute(self, statement: str, url: str | None = None) -> Rows:
        """One statement in one database (default: the administrative one), outside a transaction; its rows."""
        return _run(_execute(url or self.url, statement))

    def restart(self, *, immediate: bool = True) -> None:
        """Raises: RuntimeError, unless the server is one of our own processes."""
        raise RuntimeError("this PostgreSQL is not ours to restart: use local_postgres()")

    def _tool(self, name: str, *arguments: str, stdin: bytes | None = None) -> bytes:
        program = self._binaries / name if self._binaries else shutil.which(name)
        if program is None:
            raise RuntimeError(f"{name} is not installed")
        done = subprocess.run([program, *arguments], input=stdin, capture_output=True, timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed: {done.stderr.decode(errors='replace')}")
        return done.stdout


class LocalPostgres(PostgresServer):
    """A server process of our own, in a folder of its own; it dies with this process."""

    def __init__(self, binaries: Path, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(f"postgresql://ipvi@127.0.0.1:{free_port()}/postgres", binaries)
        self._folder = folder
        self._settings = SETTINGS | dict(settings) | {"port": str(self.port)}
        self._process: BoundProcess | None = None
        # PostgreSQL refuses to run as root.
        self._user = _unprivileged_user() if os.getuid() == 0 else None
        if self._user is not None:
            shutil.chown(folder, self._user)
        self._init()

    def start(self) -> None:
        command = [str(self._program("postgres")), "-D", str(self._data)]
        command += [word for key, value in self._settings.items() for word in ("-c", f"{key}={value}")]
        log = self._folder / "server.log"
        self._process = BoundProcess(command, log=log, user=self._user, at_death=signal.SIGQUIT)
        deadline = time.monotonic() + TIMEOUT
        while not self._answers():
            if not self._process.alive or time.monotonic() > deadline:
                self.stop(immediate=True)
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def stop(self, *, immediate: bool = False) -> None:
        """`immediate` is a crash, with recovery at the next start; else open transactions are rolled back in order."""
        if self._process is not None:
            self._process.stop(first=signal.SIGQUIT if immediate else signal.SIGINT, patience=TIMEOUT)
            self._process = None

    def restart(self, *, immediate: bool = True) -> None:
        """On the same port, with the same data."""
        self.stop(immediate=immediate)
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _program(self, name: str) -> Path:
        assert self._binaries is not None
        return self._binaries / name

    def _init(self) -> None:
        options = ["--username=ipvi", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        command = [str(self._program("initdb")), *options, f"--pgdata={self._data}"]
        subprocess.run(
            command, cwd=self._folder, capture_output=True, timeout=TIMEOUT, check=True, **as_user(self._user)
        )

    def _answers(self) -> bool:
        with suppress(OSError, DBAPIError, TimeoutError):
            self.execute("SELECT 1")
            return True
        return False


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """`DATABASE_URL` if given, else local binaries, else a container.

    Raises:
        RuntimeError: none of the three is there; the text says how to get one.
    """
    if url := os.environ.get("DATABASE_URL"):
        yield PostgresServer(url)
    elif _binaries() is not None:
        with local_postgres() as server:
            yield server
    else:
        with _container() as server:
            yield server


@contextmanager
def local_postgres(**settings: str) -> Iterator[LocalPostgres]:
    """A server of our own whatever the environment says; `settings` as in postgresql.conf (`fsync="on"`)."""
    binaries = _binaries()
    if binaries is None:
        raise RuntimeError("PostgreSQL's server binaries are not installed")
    with tempfile.TemporaryDirectory(prefix="ipvi-postgres-", ignore_cleanup_errors=True) as folder:
        server = LocalPostgres(binaries, Path(folder), settings)
        server.start()
        try:
            yield server
        finally:
            server.stop(immediate=True)


def dsn(url: str) -> str:
    """An SQLAlchemy URL as asyncpg and PostgreSQL's own tools take it."""
    return _text(make_url(url).set(drivername="postgresql"))


def through(url: str, port: int) -> str:
    """The same database by way of a proxy on loopback."""
    return _text(make_url(url).set(host="127.0.0.1", port=port))


@contextmanager
def _container() -> Iterator[PostgresServer]:
    from testcontainers.postgres import PostgresContainer

    try:
        container = PostgresContainer(IMAGE, username="ipvi", password="ipvi", dbname="ipvi", driver="asyncpg")
        container.with_command("postgres -c max_connections=300 -c fsync=off -c full_page_writes=off").start()
    except Exception as error:  # of Docker's client, which has no types and several bases
        raise RuntimeError(HOW_TO_GET_ONE) from error
    try:
        yield PostgresServer(container.get_connection_url())
    finally:
        container.stop()


def _binaries() -> Path | None:
    """The folder of the newest server found."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: int(found.parts[-3]))
    on_path = shutil.which("initdb")
    if versions:
        return versions[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def _unprivileged_user() -> str:
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


async def _execute(url: str, statement: str) -> Rows:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    async with engine.connect() as connection:
        result = await connection.exec_driver_sql(statement)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []


def _run(work: Coroutine[Any, Any, Rows]) -> Rows:
    """In a loop of its own, so that tests with and without a running loop can ask."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result(TIMEOUT)
