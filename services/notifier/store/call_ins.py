"""Call-ins to and from their rows, and as people are shown them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.call_in import CallInState, SeatState
from services.common.paging import Page, Slice
from services.common.sql import among, upsert
from services.notifier.domain import CallIn, Place
from services.notifier.store.sight import Sight
from services.notifier.store.tables import call_in_places, call_ins
from services.notifier.store.work_rows import deadline, due_columns

Step = tuple[CallIn | None, CallIn]
"""Before, if there was one, and after."""


_HEADS = select(call_ins).where(among(call_ins.c.call_in_id, "keys"))


async def load_call_ins(conn: AsyncConnection, keys: Sequence[str]) -> dict[str, CallIn]:
    """Those of the keys that are call-ins."""
    heads = (await conn.execute(_HEADS, {"keys": list(keys)})).all() if keys else ()
    if not heads:
        return {}
    places: dict[str, dict[str, Place]] = defaultdict(dict)
    of_these = call_in_places.c.call_in_id.in_([head.call_in_id for head in heads])
    order = (call_in_places.c.call_in_id, call_in_places.c.notification_id)
    for row in await conn.execute(select(call_in_places).where(of_these).order_by(*order)):
        places[row.call_in_id][row.notification_id] = _place(row)
    return {head.call_in_id: _call_in(head, places[head.call_in_id]) for head in heads}


async def save_call_ins(conn: AsyncConnection, lane: int, steps: Sequence[Step]) -> None:
    """Insert or overwrite what has changed."""
    await upsert(conn, call_ins, [_row(after, lane) for _, after in steps], ["call_in_id"])
    await upsert(conn, call_in_places, list(_places(steps, lane)), ["call_in_id", "notification_id"])


def _place(row: Row[Any]) -> Place:
    return Place(row.notification_id, row.offender_id, SeatState(row.state), row.asking)


def _call_in(row: Row[Any], roster: dict[str, Place]) -> CallIn:
    return CallIn(
        call_in_id=row.call_in_id,
        starts_at=row.starts_at,
        venue=row.venue,
        capacity=row.capacity,
        speakers=tuple(row.speakers),
        state=CallInState(row.state),
        roster=roster,
        due=deadline(row),
    )


def _row(one: CallIn, lane: int) -> dict[str, Any]:
    return {
        "call_in_id": one.call_in_id,
        "lane": lane,
        "starts_at": one.starts_at,
        "venue": one.venue,
        "capacity": one.capacity,
        "speakers": list(one.speakers),
        "state": one.state,
        **due_columns(one.due),
    }


def _places(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for place in after.roster.values():
            if before is None or before.roster.get(place.notification_id) != place:
                yield {
                    "call_in_id": after.call_in_id,
                    "notification_id": place.notification_id,
                    "lane": lane,
                    "offender_id": place.offender_id,
                    "state": place.state,
                    "asking": place.asking,
                }


@dataclass(frozen=True, slots=True)
class CallInLine:
    """One meeting."""

    call_in_id: str
    starts_at: datetime
    venue: str
    capacity: int
    places_left: int
    speakers: tuple[str, ...]
    state: CallInState
    version: str


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One place. A place that is asked for or freed tells nothing of why."""

    notification_id: str
    offender_id: str
    seat: SeatState


async def listed_call_ins(conn: AsyncConnection, states: Collection[CallInState], page: Page) -> Slice[CallInLine]:
    """In the order in which they are held."""
    query = select(call_ins).where(call_ins.c.state.in_(states))
    found = await page.of(conn, query, call_ins.c.starts_at, call_ins.c.call_in_id)
    whole = await load_call_ins(conn, [row.call_in_id for row in found.items])
    return found.map(lambda row: _line(whole[row.call_in_id]))


def _line(one: CallIn) -> CallInLine:
    return CallInLine(
        one.call_in_id,
        one.starts_at,
        one.venue,
        one.capacity,
        one.places_left,
        one.speakers,
        one.state,
        one.version,
    )


async def roster(conn: AsyncConnection, call_in_id: str, page: Page, sight: Sight) -> Slice[RosterLine]:
    """Everybody who has, or had, a place."""
    places = call_in_places.c
    query = select(call_in_places).where(
        places.call_in_id == call_in_id, sight.of(places.offender_id, places.notification_id)
    )
    found = await page.of(conn, query, call_in_places.c.notification_id)
    return found.map(lambda row: RosterLine(row.notification_id, row.offender_id, SeatState(row.state)))


async def is_call_in(conn: AsyncConnection, call_in_id: str) -> bool:
    """Whether there is one of that id."""
    return await conn.scalar(select(call_ins.c.lane).where(call_ins.c.call_in_id == call_in_id)) is not None
