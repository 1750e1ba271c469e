"""Lists in pages: a stable order, a limit, and a cursor that says after which row the next page begins.

The cursor holds the sort key of the last row, not its number: rows that come or go in between shift nothing.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import Column, Row, Select, literal, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.columns import UtcDateTime
from services.common.errors import IpviError

T = TypeVar("T")
U = TypeVar("U")


class BadCursorError(IpviError):
    """The cursor is none that this list gave out."""


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page. `next` is the cursor of the page after it; None: this is the last."""

    items: Sequence[T]
    next: str | None = None

    def map(self, made: Callable[[T], U]) -> Slice[U]:
        """The same page of other things."""
        return Slice([made(item) for item in self.items], self.next)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    limit: int = 100
    after: str | None = None

    async def of(self, conn: AsyncConnection, query: Select[Any], *order: Column[Any]) -> Slice[Row[Any]]:
        """That part of `query`, which selects the columns of `order`. Together they are unique, and none is null.

        Raises `BadCursorError`.
        """
        if self.after is not None:
            values = [
                literal(value, column.type) for value, column in zip(_read(self.after, order), order, strict=True)
            ]
            query = query.where(tuple_(*order) > tuple_(*values))
        rows = (await conn.execute(query.order_by(*order).limit(self.limit + 1))).all()
        page = rows[: self.limit]
        return Slice(page, _cursor(page[-1], order) if len(rows) > self.limit else None)


def _cursor(row: Row[Any], order: Sequence[Column[Any]]) -> str:
    key = orjson.dumps([row._mapping[column] for column in order])
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def _read(cursor: str, order: Sequence[Column[Any]]) -> list[Any]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(order):
            raise BadCursorError
        return [_value(value, column) for value, column in zip(values, order, strict=True)]
    except (binascii.Error, ValueError):
        raise BadCursorError from None


def _value(value: Any, column: Column[Any]) -> Any:
    if isinstance(column.type, UtcDateTime):
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise BadCursorError
        return moment
    if type(value) is not column.type.python_type or (isinstance(value, str) and "\0" in value):
        raise BadCursorError
    return value
