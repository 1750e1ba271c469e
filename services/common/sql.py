"""SQL that differs between SQLite and PostgreSQL, in one place.

A statement that every batch runs is built once: to build one costs more than to run it, and a list of values is one
parameter, since PostgreSQL would have to prepare `IN (...)` anew for every length.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    JSON,
    Boolean,
    ColumnElement,
    FromClause,
    Row,
    Table,
    TextClause,
    TypeDecorator,
    bindparam,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import String


class _Texts(TypeDecorator[Sequence[str]]):
    """Texts as one parameter."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(JSON() if dialect.name == "sqlite" else ARRAY(String))


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


@compiles(_Among, "postgresql")
def _any(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(_Among, "sqlite")
def _each(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 (compiled from columns and a parameter)


def among(column: ColumnElement[str], parameter: str) -> ColumnElement[bool]:
    """Whether it is one of the texts given as `parameter`: however many, the statement is the same."""
    return _Among(column, bindparam(parameter, type_=_Texts()))


async def keys_in(conn: AsyncConnection, table: Table, pairs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these are the (source, id) of a row."""
    if not pairs:
        return set()
    asked = (
        {"pairs": orjson.dumps(pairs).decode()}
        if conn.dialect.name == "sqlite"
        else {"sources": [source for source, _ in pairs], "ids": [id_ for _, id_ in pairs]}
    )
    return {(source, id_) for source, id_ in await conn.execute(_keys_in(table, conn.dialect.name), asked)}


@cache
def _keys_in(table: Table, dialect: str) -> TextClause:
    name = table.name
    if dialect == "sqlite":
        return text(
            f"SELECT {name}.source, {name}.id FROM json_each(:pairs) AS asked CROSS JOIN {name}"  # noqa: S608
            f" ON {name}.source = json_extract(asked.value, '$[0]') AND {name}.id = json_extract(asked.value, '$[1]')"
        )
    asked = "unnest(CAST(:sources AS varchar[]), CAST(:ids AS varchar[])) AS asked (source, id)"
    return text(f"SELECT source, id FROM {name} JOIN {asked} USING (source, id)")  # noqa: S608


async def rows_of(
    conn: AsyncConnection, table: FromClause, keys: Sequence[str], *order: Any
) -> dict[str, list[Row[Any]]]:
    """The rows of these offenders, by offender, each list in this order; nobody's if there are none."""
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in await conn.execute(_of_offenders(table, *order), {"keys": list(keys)}):
        found[row.offender_id].append(row)
    return found


@cache
def _of_offenders(table: FromClause, *order: Any) -> Any:
    return select(table).where(among(table.c.offender_id, "keys")).order_by(*order)


async def upsert(conn: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    """Insert rows, or overwrite those with the same `keys`, in one round trip. All rows name the same columns."""
    if rows:
        await conn.execute(_upsert(table, conn.dialect.name, tuple(keys), tuple(rows[0])), list(rows))


@cache
def _upsert(table: Table, dialect: str, keys: tuple[str, ...], columns: tuple[str, ...]) -> Any:
    statement = _inserting(table, dialect)
    rest = {name: statement.excluded[name] for name in columns if name not in keys}
    if not rest:
        return statement.on_conflict_do_nothing()
    return statement.on_conflict_do_update(index_elements=list(keys), set_=rest)


def _inserting(table: Table, dialect: str) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


async def insert_new(conn: AsyncConnection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key is there. Whether it was inserted."""
    done = await conn.execute(_inserting(table, conn.dialect.name).values(**row).on_conflict_do_nothing())
    return done.rowcount == 1
