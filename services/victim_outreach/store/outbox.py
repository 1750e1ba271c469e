"""What waits to leave, and what was begun: a row in `sends` stands before anything leaves, so that no message leaves twice.

A page says the same of every task: it is begun again until somebody was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.advocacy import MessageOutcome, MessageText
from schemas.commands import Role
from schemas.envelope import deterministic_id
from schemas.outreach import ContactChannel, TaskOwner
from services.common.sql import insert_new
from services.victim_outreach.store.lists import UNFINISHED
from services.victim_outreach.store.tables import holds, messages, referrals, sends, tasks


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message an advocate asked for."""

    message_id: str
    offender_id: str
    case_id: str
    owner: TaskOwner
    """Of the task: whose records are discoverable is said in the text."""
    channel: ContactChannel
    text: MessageText
    language: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class _Call:
    """One of which somebody is to be told."""

    page_id: str


@dataclass(frozen=True, slots=True)
class Page(_Call):
    """A task that whoever is on duty is to be told of."""

    owner: TaskOwner
    duty: Role


@dataclass(frozen=True, slots=True)
class HoldCall(_Call):
    """A safety hold that ends, of which those who may place one are to be told."""

    by: str
    of_an_officer: bool
    """He is one of theirs: no police are told."""


C = TypeVar("C", bound=_Call)


@dataclass(frozen=True, slots=True)
class Report:
    """What the sender knows of a message and the lane does not yet."""

    message_id: str
    offender_id: str
    outcome: MessageOutcome
    code: str | None


async def waiting(conn: AsyncConnection, limit: int) -> Sequence[Waiting]:
    """Messages nobody has begun to send, oldest first."""
    # A link made since it was asked for moves the task to the case she has now: the last look is at that one.
    columns = [(tasks if name in ("owner", "case_id") else messages).c[name] for name in Waiting.__dataclass_fields__]
    begun = select(sends.c.send_id).where(sends.c.send_id == messages.c.message_id).exists()
    query = select(*columns).join_from(messages, tasks, tasks.c.task_id == messages.c.task_id)
    query = query.where(messages.c.outcome.is_(None), ~begun)
    rows = await conn.execute(query.order_by(messages.c.asked_at, messages.c.message_id).limit(limit))
    return [Waiting(*row) for row in rows]


async def pages(conn: AsyncConnection, since: datetime, begun_by: datetime, limit: int) -> Sequence[Page]:
    """The latest page for each task still to be done, that nobody was told of: never begun first, then those begun by then.

    None for a task that was taken since. `since`: of an older one the next is due.
    """
    taken = tasks.c.claimed_at >= tasks.c.alerted_at
    query = (
        select(tasks.c.task_id, tasks.c.alerts, tasks.c.owner, tasks.c.duty)
        .where(tasks.c.alerted_at >= since, tasks.c.duty.is_not(None), tasks.c.state.in_(UNFINISHED))
        .where(or_(tasks.c.claimed_by.is_(None), ~taken))
        .order_by(tasks.c.alerted_at, tasks.c.task_id)
    )
    found = [Page(page_id(row.task_id, row.alerts), row.owner, row.duty) for row in await conn.execute(query)]
    return await _untold(conn, found, begun_by, limit)


async def hold_calls(conn: AsyncConnection, now: datetime, begun_by: datetime, limit: int) -> Sequence[HoldCall]:
    """The same of each hold whose end is near. None for one that was renewed since, lifted, or has ended."""
    its = select(referrals.c.referral_id).where(referrals.c.offender_id == holds.c.offender_id, ~referrals.c.withdrawn)
    query = (
        select(holds, its.where(referrals.c.conflict_of_interest).exists().label("of_an_officer"))
        .where(holds.c.alerted_at.is_not(None), holds.c.ended_at.is_(None), holds.c.until > now)
        .order_by(holds.c.until, holds.c.offender_id, holds.c.hold_id)
    )
    found = [
        HoldCall(_call_id(row.offender_id, row.hold_id, row.alerts), row.by, row.of_an_officer)
        for row in await conn.execute(query)
    ]
    return await _untold(conn, found, begun_by, limit)


async def _untold(conn: AsyncConnection, found: Sequence[C], begun_by: datetime, limit: int) -> Sequence[C]:
    rows = await conn.execute(select(sends).where(sends.c.send_id.in_([one.page_id for one in found])))
    begun = {row.send_id: row for row in rows}
    new = [one for one in found if one.page_id not in begun]
    stale = {key for key, row in begun.items() if row.outcome is None and row.started_at <= begun_by}
    again = [one for one in found if one.page_id in stale]
    return [*new, *sorted(again, key=lambda one: begun[one.page_id].started_at)][:limit]


def page_id(task_id: str, number: int) -> str:
    """The id of the n-th page for a task."""
    return deterministic_id("page", task_id, number)


def _call_id(offender_id: str, hold_id: str, number: int) -> str:
    """Two lanes may keep one hold, and each calls for its own."""
    return deterministic_id("page", "hold", offender_id, hold_id, number)


async def begin(conn: AsyncConnection, send_id: str, now: datetime) -> bool:
    """Whether it is this caller's to send: of two, one. False too where it was begun before, whatever came of it."""
    return await insert_new(conn, sends, {"send_id": send_id, "started_at": now})


async def begin_page(conn: AsyncConnection, send_id: str, now: datetime, begun_by: datetime) -> bool:
    """The same of a page, which may be begun again when nobody was told."""
    if await begin(conn, send_id, now):
        return True
    stale = sends.c.send_id == send_id, sends.c.outcome.is_(None), sends.c.started_at <= begun_by
    return (await conn.execute(update(sends).where(*stale).values(started_at=now))).rowcount > 0


async def end(
    conn: AsyncConnection, send_id: str, now: datetime, outcome: MessageOutcome, code: str | None = None
) -> None:
    await conn.execute(update(sends).where(sends.c.send_id == send_id).values(ended_at=now, outcome=outcome, code=code))


async def give_up(conn: AsyncConnection, before: datetime, now: datetime) -> None:
    """Messages begun then and not ended: their process died on the way. Whether they left is not known."""
    message = select(messages.c.message_id).where(messages.c.message_id == sends.c.send_id).exists()
    lost = sends.c.outcome.is_(None), sends.c.started_at < before, message
    await conn.execute(
        update(sends).where(*lost).values(ended_at=now, outcome=MessageOutcome.UNKNOWN, code="interrupted")
    )


async def reports(conn: AsyncConnection, limit: int) -> Sequence[Report]:
    """Sends that ended, of messages whose lane has not heard it, or gave up before it did."""
    unheard = or_(
        messages.c.outcome.is_(None),
        (messages.c.outcome == MessageOutcome.UNKNOWN) & (sends.c.outcome != MessageOutcome.UNKNOWN),
    )
    query = (
        select(messages.c.message_id, messages.c.offender_id, sends.c.outcome, sends.c.code)
        .join_from(messages, sends, sends.c.send_id == messages.c.message_id)
        .where(sends.c.outcome.is_not(None), unheard)
        .order_by(messages.c.message_id)
        .limit(limit)
    )
    return [Report(*row) for row in await conn.execute(query)]
