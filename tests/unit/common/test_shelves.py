"""Rows of what a step has changed, and of nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter, is_

import pytest
from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from services.common.shelves import Shelf, rows_as

metadata = MetaData()
seats = Table(
    "seats",
    metadata,
    Column("meeting_id", String, primary_key=True),
    Column("row", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("lane", Integer),
    Column("words", JSON),
)


@dataclass(frozen=True)
class Seat:
    row: str
    number: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Meeting:
    meeting_id: str
    seats: Mapping[tuple[str, int], Seat] = field(default_factory=dict)

    def having(self, *seats: Seat) -> Meeting:
        return replace(self, seats={(one.row, one.number): one for one in seats})


SHELF: Shelf[Meeting] = Shelf(seats, attrgetter("seats"), owner="meeting_id")
FIRST, SECOND = Seat("A", 1, ("near", "door")), Seat("A", 2)


@pytest.fixture
async def conn() -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as opened:
        await opened.run_sync(metadata.create_all)
        yield opened
    await engine.dispose()


async def test_what_is_kept_comes_back_and_what_is_not_goes(conn: AsyncConnection) -> None:
    empty, other = Meeting("M-1"), Meeting("M-2")
    full = empty.having(FIRST, SECOND)
    await SHELF.keep(conn, 3, [(empty, full), (other, other.having(FIRST))])
    left = full.having(replace(FIRST, words=()))
    await SHELF.forget(conn, [(full, left)])
    await SHELF.keep(conn, 3, [(full, left)])
    rows = (await conn.execute(select(seats).order_by(seats.c.meeting_id))).all()
    assert [(row.meeting_id, row.lane) for row in rows] == [("M-1", 3), ("M-2", 3)]
    assert rows_as(Seat, rows) == [Seat("A", 1), FIRST]


def test_an_entry_that_is_the_same_is_not_written() -> None:
    before = Meeting("M-1").having(FIRST)
    after = before.having(replace(FIRST), SECOND)
    assert [row["number"] for row in SHELF.rows(0, [(before, after)])] == [2]
    assert [row["number"] for row in replace(SHELF, same=is_).rows(0, [(before, after)])] == [1, 2]
