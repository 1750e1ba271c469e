"""What people are shown, straight from SQL: a queue of tasks, one case. Only tasks of owners the reader may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.commands import Role
from schemas.outreach import TaskKind, TaskOwner, TaskState
from services.common.paging import Page, Slice
from services.victim_outreach import domain
from services.victim_outreach.domain import VisitOutcome
from services.victim_outreach.store.causes import causes
from services.victim_outreach.store.tables import gates, referrals, tasks

T = TypeVar("T")

UNFINISHED = (TaskState.OPEN, TaskState.CLAIMED, TaskState.ATTEMPTED)


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task in a list."""

    task_id: str
    case_id: str
    kind: TaskKind
    owner: TaskOwner
    state: TaskState
    opened_at: datetime
    due_at: datetime
    escalation: int
    claimed_by: str | None
    duty: Role | None
    """The duty role it was last raised to."""
    version: str
    """For `If-Match` of an act on it."""
    planned_from: datetime | None
    """Before a delivery: the day that is planned, of which she is to hear first. Null: none is."""
    planned_until: datetime | None
    visit: VisitOutcome | None
    """After a delivery: what came of this visit."""
    visited_at: datetime | None
    released_at: datetime | None
    """Of his release from jail: when, and from where."""
    facility: str | None


def seen_by(owners: Collection[TaskOwner]) -> ColumnElement[bool]:
    """Tasks of these owners. What his agency did under a record that has gone to one which says that he is an officer, it reads
    no longer: all of it where nothing is left here, else what was done on account of the incident that went.
    """
    theirs = tasks.c.owner.in_(owners)
    if TaskOwner.AGENCY not in owners or TaskOwner.SYSTEM_ADVOCATE in owners:
        return theirs
    gone, now, left = referrals.alias(), referrals.alias(), referrals.alias()
    stays = select(left.c.referral_id).where(left.c.offender_id == tasks.c.offender_id, ~left.c.withdrawn).exists()
    officers = select(gone.c.referral_id).where(
        gone.c.offender_id == tasks.c.offender_id,
        gone.c.moved_to == now.c.offender_id,
        now.c.conflict_of_interest,
        or_(gone.c.referral_id == tasks.c.referral_id, ~stays),
    )
    return and_(theirs, or_(tasks.c.owner != TaskOwner.AGENCY, ~officers.exists()))


async def task_of(conn: AsyncConnection, task_id: str, owners: Collection[TaskOwner]) -> tuple[str, TaskOwner] | None:
    """The offender and the owner of a task; None too where the reader may not see it."""
    query = select(tasks.c.offender_id, tasks.c.owner).where(tasks.c.task_id == task_id, seen_by(owners))
    found = (await conn.execute(query)).first()
    return (found.offender_id, found.owner) if found else None


async def offender_of_pair(conn: AsyncConnection, pair_id: str) -> str | None:
    """The offender of a pair that has a gate."""
    found: str | None = await conn.scalar(select(gates.c.offender_id).where(gates.c.pair_id == pair_id))
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks a list is to hold. Empty: all that are not done."""

    claimed_by: str | None = None
    states: Collection[TaskState] = UNFINISHED
    kinds: Collection[TaskKind] = ()
    overdue: bool | None = None


async def queue(
    conn: AsyncConnection, owners: Collection[TaskOwner], page: Page, wanted: Wanted | None = None
) -> Slice[TaskLine]:
    """Soonest due first."""
    wanted = wanted or Wanted()
    query = select(tasks).where(tasks.c.state.in_(wanted.states), seen_by(owners))
    if wanted.claimed_by is not None:
        query = query.where(tasks.c.claimed_by == wanted.claimed_by)
    if wanted.kinds:
        query = query.where(tasks.c.kind.in_(wanted.kinds))
    if wanted.overdue is not None:
        query = query.where(tasks.c.escalation > 0 if wanted.overdue else tasks.c.escalation == 0)
    found = await page.of(conn, query, tasks.c.due_at, tasks.c.task_id)
    return Slice(await task_lines(conn, found.items), found.next)


async def shown_task(conn: AsyncConnection, task_id: str, owners: Collection[TaskOwner]) -> TaskLine | None:
    """One task; None too where the reader may not see it."""
    query = select(tasks).where(tasks.c.task_id == task_id, seen_by(owners))
    found = await task_lines(conn, (await conn.execute(query)).all())
    return found[0] if found else None


async def task_lines(conn: AsyncConnection, rows: Sequence[Row[Any]]) -> list[TaskLine]:
    """As they are shown, with what each is about."""
    shown = lines(domain.Task, rows)
    about = await causes(conn, [(row.offender_id, task) for row, task in zip(rows, shown, strict=True)])
    names = {field.name for field in fields(TaskLine)} & {field.name for field in fields(domain.Task)}
    return [
        TaskLine(**{name: getattr(task, name) for name in names}, version=task.version, **asdict(cause))
        for task, cause in zip(shown, about, strict=True)
    ]


def lines(kind: type[T], rows: Sequence[Any]) -> tuple[T, ...]:
    """Each row as a line: columns and fields have the same names."""
    names = [field.name for field in fields(cast(Any, kind))]
    return tuple(kind(**{name: getattr(row, name) for name in names}) for row in rows)


async def on_the_other_side(conn: AsyncConnection, task_id: str, person: str) -> bool:
    """Whether this person has a task for the other party of the same fight: each is a victim of the other there."""
    mine = (
        select(referrals.c.incident_id, referrals.c.offender_id)
        .join(tasks, tasks.c.case_id == referrals.c.case_id)
        .where(tasks.c.task_id == task_id, referrals.c.mutual, ~referrals.c.withdrawn)
        .subquery()
    )
    others = (
        select(tasks.c.task_id)
        .join(referrals, referrals.c.case_id == tasks.c.case_id)
        .join(mine, referrals.c.incident_id == mine.c.incident_id)
        .where(referrals.c.offender_id != mine.c.offender_id, referrals.c.mutual, tasks.c.claimed_by == person)
    )
    return (await conn.execute(others.limit(1))).first() is not None
