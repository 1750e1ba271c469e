"""SQL side of the loop's bookkeeping: claims, compare-and-set of positions, journal, inbox, rejects, parked records.

Every function takes a connection inside a transaction that `claiming.py` or `ledger.py` opened. The first statement of every
write is on the lane's own row and names the epoch: it makes a claim wait for a batch that is committing, and refuses a zombie
at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from aiokafka import ConsumerRecord
from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.columns import headers_of, kept_headers
from services.common.database import IDLE_IN_TRANSACTION_MS
from services.common.errors import LaneLostError
from services.common.producer import JournalRow
from services.common.sql import among, insert_new, keys_in
from services.common.tables import inbox, journal, lanes, parked, positions

LOG_APPEND_TIME = 1

# What every batch runs is built once (see `sql.py`); the columns that it sets are those of its other parameters.
_HOLD = update(lanes).where(lanes.c.lane == bindparam("of_lane"), lanes.c.epoch == bindparam("of_epoch"))
_MARK = update(positions).where(positions.c.lane == bindparam("of_lane"), positions.c.topic == bindparam("of_topic"))
_ADVANCE = _MARK.where(positions.c.next_offset == bindparam("start"))
_inserting = cache(insert)
_PARKED = select(parked.c.key, func.max(parked.c.place) + 1).where(among(parked.c.key, "keys")).group_by(parked.c.key)

# The server's own time-out ends a session whose client froze between two statements, but not one whose client froze inside
# one (parsed, not yet executed: to the server that is no idleness, nor does `statement_timeout` count while it waits for the
# client). Such a session would hold its lane's row for as long as the client lives.
_END_STALLED = text(
    """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
      AND application_name = current_setting('application_name')
      AND xact_start IS NOT NULL AND wait_event = 'ClientRead'
      AND state_change < clock_timestamp() - make_interval(secs => CAST(:seconds AS double precision))
    """
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lane stands on one topic."""

    next: int
    published: int


@dataclass(frozen=True, slots=True)
class LaneRow:
    """What the loop itself keeps of a lane."""

    epoch: int
    journal_next: int = 0
    clock: datetime | None = None
    last_tick: int = -1
    heard: Mapping[str, datetime] = field(default_factory=dict)
    counted: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Per name, the minute (since the epoch, as text) and how often in it."""
    failing: str | None = None
    failures: int = 0
    kept: str | None = None
    """What the service keeps of the lane."""


def _new_lane(lane: int) -> dict[str, Any]:
    return {"lane": lane, "epoch": 0, "journal_next": 0, "last_tick": -1, "heard": {}, "counted": {}, "failures": 0}


async def claim(conn: AsyncConnection, lane: int, starts: Mapping[str, int]) -> tuple[LaneRow, dict[str, Place]]:
    """Take the lane: raise its epoch and read where it stands. A lane never seen starts at `starts`."""
    if conn.dialect.name == "postgresql":
        await conn.execute(_END_STALLED, {"seconds": IDLE_IN_TRANSACTION_MS / 1000})
    await insert_new(conn, lanes, _new_lane(lane))
    row = (
        await conn.execute(
            update(lanes).where(lanes.c.lane == lane).values(epoch=lanes.c.epoch + 1, refusal=None).returning(lanes)
        )
    ).one()
    for topic, start in starts.items():
        await insert_new(conn, positions, {"lane": lane, "topic": topic, "next_offset": start, "published": start})
    places = (await conn.execute(select(positions).where(positions.c.lane == lane))).all()
    heard = {name: datetime.fromisoformat(at) for name, at in row.heard.items()}
    return (
        LaneRow(
            row.epoch,
            row.journal_next,
            row.clock,
            row.last_tick,
            heard,
            row.counted,
            row.failing,
            row.failures,
            row.kept,
        ),
        {place.topic: Place(place.next_offset, place.published) for place in places if place.topic in starts},
    )


async def hold(conn: AsyncConnection, lane: int, row: LaneRow) -> None:
    """First statement of every write: lock the lane's row if the epoch is still ours. Raises `LaneLostError`."""
    written = await conn.execute(
        _HOLD,
        {
            "of_lane": lane,
            "of_epoch": row.epoch,
            "journal_next": row.journal_next,
            "clock": row.clock,
            "last_tick": row.last_tick,
            "heard": {name: at.isoformat() for name, at in row.heard.items()},
            "counted": {name: dict(minutes) for name, minutes in row.counted.items()},
            "failing": row.failing,
            "failures": row.failures,
            "kept": row.kept,
        },
    )
    if written.rowcount != 1:
        raise LaneLostError("another owner has claimed the lane")


async def advance(
    conn: AsyncConnection, lane: int, starts: Mapping[str, int], ends: Mapping[str, int], published: Mapping[str, int]
) -> None:
    """Compare-and-set per topic that moved: exactly one row, or the lane is lost."""
    for topic, end in ends.items():
        if end == starts[topic]:
            continue
        place = {"of_lane": lane, "of_topic": topic, "start": starts[topic]}
        written = await conn.execute(_ADVANCE, {**place, "next_offset": end, "published": published[topic]})
        if written.rowcount != 1:
            raise LaneLostError("the lane's position is not where it was left")


async def mark_published(conn: AsyncConnection, lane: int, published: Mapping[str, int]) -> None:
    """Write down what Kafka is known to have; when idle and at a clean stop."""
    for topic, offset in published.items():
        await conn.execute(_MARK, {"of_lane": lane, "of_topic": topic, "published": offset})


async def refuse(conn: AsyncConnection, lane: int, epoch: int, code: str) -> None:
    """Let every replica's API say at once that the lane is not worked; unless another owner has claimed it."""
    await conn.execute(update(lanes).where(lanes.c.lane == lane, lanes.c.epoch == epoch).values(refusal=code))


async def known(conn: AsyncConnection, ids: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (source, id) have taken effect already."""
    return await keys_in(conn, inbox, ids)


async def parked_keys(conn: AsyncConnection, keys: Iterable[str]) -> dict[str, int]:
    """Which of these offenders are parked, and the next place in each one's queue."""
    rows = await conn.execute(_PARKED, {"keys": list(keys)})
    return {row[0]: row[1] for row in rows}


async def write_rows(conn: AsyncConnection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Plain inserts in one round trip; nothing for no rows."""
    if rows:
        await conn.execute(_inserting(table), list(rows))


def journal_values(lane: int, row: JournalRow) -> dict[str, Any]:
    return {
        "lane": lane,
        "seq": row.seq,
        "in_topic": row.in_topic,
        "in_offset": row.in_offset,
        "topic": row.topic,
        "partition": row.partition,
        "key": row.key,
        "value": row.value,
        "headers": kept_headers(row.headers),
        "about": row.about,
        "subject": row.subject,
        "erased": False,
    }


async def unpublished(conn: AsyncConnection, lane: int, committed: Mapping[str, int]) -> list[JournalRow]:
    """Journal rows at or past what Kafka has committed, in journal order."""
    rows = await conn.execute(
        select(journal)
        .where(
            journal.c.lane == lane,
            or_(*(and_(journal.c.in_topic == topic, journal.c.in_offset >= at) for topic, at in committed.items())),
        )
        .order_by(journal.c.seq)
    )
    return [
        JournalRow(
            row.seq,
            row.in_topic,
            row.in_offset,
            row.topic,
            row.partition,
            row.key,
            row.value,
            headers_of(row.headers),
            row.about,
            row.subject,
        )
        for row in rows
    ]


def chunks(
    rows: Sequence[JournalRow], nexts: Mapping[str, int], size: int
) -> Iterable[tuple[Sequence[JournalRow], dict[str, int]]]:
    """Cut recovery into transactions of about `size` rows that end on an input offset, each with the offsets it reaches.

    After a chunk a topic stands at the first of its rows still to come, or at its end where none is left: rows of one
    topic are in offset order within the journal.
    """
    start = 0
    while start < len(rows):
        end = min(start + size, len(rows))
        while end < len(rows) and (rows[end].in_topic, rows[end].in_offset) == (
            rows[end - 1].in_topic,
            rows[end - 1].in_offset,
        ):
            end += 1
        reached = dict(nexts)
        for row in rows[end:]:
            reached[row.in_topic] = min(reached[row.in_topic], row.in_offset)
        yield rows[start:end], reached
        start = end


async def parked_records(conn: AsyncConnection, key: str) -> list[tuple[int, ConsumerRecord]]:
    """What was set aside for an offender, by place, as it came."""
    rows = await conn.execute(select(parked).where(parked.c.key == key).order_by(parked.c.place))
    return [
        (
            row.place,
            ConsumerRecord(
                row.topic,
                row.lane,
                row.offset,
                int(row.at.timestamp() * 1000),
                LOG_APPEND_TIME,
                key.encode(),
                row.value,
                None,
                -1,
                -1,
                headers_of(row.headers),
            ),
        )
        for row in rows
    ]


async def parked_offenders(conn: AsyncConnection, lane: int) -> int:
    """How many there are."""
    return await conn.scalar(select(func.count(parked.c.key.distinct())).where(parked.c.lane == lane)) or 0


async def unpark(conn: AsyncConnection, key: str, places: Sequence[int]) -> None:
    """Forget what has been worked."""
    await conn.execute(delete(parked).where(parked.c.key == key, parked.c.place.in_(places)))


def with_failure(row: LaneRow, at: str) -> LaneRow:
    """Count one more failure of deciding the record at `at` (topic:offset)."""
    return replace(row, failing=at, failures=row.failures + 1 if row.failing == at else 1)
