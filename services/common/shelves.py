"""What a lane keeps of its keys, a table for each part of it: a step writes the rows of what it has changed, and no other."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Row, Table, bindparam, delete
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.sql import upsert

S = TypeVar("S")
T = TypeVar("T")


def fields_of(entry: Any) -> dict[str, Any]:
    """The columns of an entry whose fields have the same names; `rows_as` reads them."""
    return {field.name: getattr(entry, field.name) for field in fields(entry)}


def rows_as(kind: type[T], rows: Sequence[Row[Any]]) -> list[T]:
    """Each row as what the lane keeps in memory: columns and fields have the same names."""
    names = [field.name for field in fields(cast(Any, kind))]
    return [kind(**{name: _frozen(getattr(row, name)) for name in names}) for row in rows]


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Shelf(Generic[S]):
    """One table, and which entries of a state are its rows. A step is a state before and after."""

    table: Table
    entries: Callable[[S], Mapping[Any, Any]]
    """By `key`: a tuple, or the one value."""
    columns: Callable[[Any], Mapping[str, Any]] = fields_of
    """Of an entry; those of its key may be among them."""
    same: Callable[[Any, Any], bool] = operator.eq
    """Whether the row of one entry is the row of the other."""
    owner: str = "offender_id"
    """The column, and the field of a state, that says whose a row is."""

    @property
    def key(self) -> tuple[str, ...]:
        """Columns of an entry's key, beside the owner."""
        return tuple(column.name for column in self.table.primary_key if column.name != self.owner)

    async def forget(self, conn: AsyncConnection, steps: Sequence[tuple[S, S]]) -> None:
        """Delete what is no longer kept: taken back, handed over, expunged."""
        columns = (self.owner, *self.key)
        gone = [
            {f"gone_{name}": value for name, value in zip(columns, self._place(before, key), strict=True)}
            for before, after in steps
            for key in _without(self.entries(before), self.entries(after))
        ]
        if gone:
            where = [self.table.c[name] == bindparam(f"gone_{name}") for name in columns]
            await conn.execute(delete(self.table).where(*where), gone)

    async def keep(self, conn: AsyncConnection, lane: int, steps: Sequence[tuple[S, S]]) -> None:
        """Insert or overwrite what is new or has changed."""
        primary = [column.name for column in self.table.primary_key]
        await upsert(conn, self.table, list(self.rows(lane, steps)), primary)

    def rows(self, lane: int, steps: Sequence[tuple[S, S]]) -> Iterator[dict[str, Any]]:
        """What `keep` writes."""
        columns = (self.owner, *self.key)
        for before, after in steps:
            known = self.entries(before)
            for key, entry in self.entries(after).items():
                if key not in known or not self.same(known[key], entry):
                    place = dict(zip(columns, self._place(after, key), strict=True))
                    yield {**place, "lane": lane, **self.columns(entry)}

    def _place(self, state: S, key: Any) -> tuple[Any, ...]:
        return (getattr(state, self.owner), *(key if isinstance(key, tuple) else (key,)))


def _without(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> list[Any]:
    return [key for key in before if key not in after]
