"""SQL that differs between SQLite and PostgreSQL, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def upsert(conn: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    """Insert rows, or overwrite those with the same `keys`, in one round trip. All rows name the same columns."""
    if not rows:
        return
    make = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = make(table)
    rest = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    statement = (
        statement.on_conflict_do_update(index_elements=list(keys), set_=rest)
        if rest
        else statement.on_conflict_do_nothing()
    )
    await conn.execute(statement, list(rows))


async def insert_new(conn: AsyncConnection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key is there. Whether it was inserted."""
    make = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    done = await conn.execute(make(table).values(**row).on_conflict_do_nothing())
    return done.rowcount == 1
