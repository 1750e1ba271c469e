"""`deploy/postgres/roles.sh` on a real PostgreSQL, broken off and run again: each service works in its own database and comes
into no other's.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import asyncpg
import pytest
from sqlalchemy import text

from services.cli.broker.jars import PROJECT
from services.cli.registry import DATABASES
from services.cli.serve import migrate_all
from services.common.database import Database, database_url
from services.common.settings import CommonSettings
from tests.harness.postgres import PostgresServer, local_postgres

SCRIPT = PROJECT / "deploy" / "postgres" / "roles.sh"
NAMES = (*DATABASES, "partners")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with local_postgres() as made:
        binaries = str(made._binaries)
        environment = {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PGHOST": made.host,
            "PGPORT": str(made.port),
            "POSTGRES_USER": "ipvi",
            **{f"{name.upper()}_DB_PASSWORD": f"of-{name}" for name in NAMES},
        }
        broken_off = {**environment, "NOTIFIER_DB_PASSWORD": "of-another"}
        del broken_off["VICTIM_OUTREACH_DB_PASSWORD"]
        assert run(broken_off).returncode != 0
        for _ in range(2):
            done = run(environment)
            assert done.returncode == 0, done.stderr
        yield made


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)


def url(server: PostgresServer, role: str, database: str) -> str:
    return f"postgresql://ipvi_{role}:of-{role}@{server.host}:{server.port}/{database}"


async def test_a_role_for_each_service_makes_its_own_tables(server: PostgresServer) -> None:
    settings = CommonSettings(databases={name: url(server, name, f"ipvi_{name}") for name in NAMES})
    await migrate_all(settings)
    for name in DATABASES:
        database = Database(database_url(settings, name), name, pool_size=1)
        async with database.write() as conn:
            assert await conn.scalar(text("SELECT current_user")) == f"ipvi_{name}"
            await conn.execute(text("SELECT * FROM deployment"))
        await database.close()
    partner = database_url(settings, "partners_probation")
    assert (partner.username, partner.database) == ("ipvi_partners", "ipvi_partners")


@pytest.mark.parametrize("role", NAMES)
async def test_nobody_comes_into_anothers(server: PostgresServer, role: str) -> None:
    others = ["postgres", "template1", *(f"ipvi_{name}" for name in NAMES if name != role)]
    for database in others:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(url(server, role, database))
    conn = await asyncpg.connect(url(server, role, f"ipvi_{role}"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("CREATE ROLE another")
    await conn.close()


def test_what_is_not_named_is_the_one_database() -> None:
    settings = CommonSettings(
        DATABASE_URL="postgresql://ipvi@db/ipvi", databases={"notifier": "postgresql://n@db/notices"}
    )
    assert database_url(settings, "notifier").database == "notices"
    assert database_url(settings, "classifier").database == "ipvi"
    assert database_url(settings, "notifiers").database == "ipvi"
