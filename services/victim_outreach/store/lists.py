"""What people are shown, straight from SQL: a queue of tasks, one case. Only tasks of owners the reader may see."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier
from schemas.outreach import AttemptOutcome, ContactChannel, GateState, TaskKind, TaskOwner, TaskState
from services.common.paging import Page, Slice
from services.common.versions import version_of
from services.victim_outreach import domain
from services.victim_outreach.store.tables import attempts, gates, holds, referrals, tasks, victims

T = TypeVar("T")

UNFINISHED = (TaskState.OPEN, TaskState.CLAIMED, TaskState.ATTEMPTED)
_REACHES = re.compile(r"(tel:)?\+?[\d\s().-]{7,}|\S+@\S+")
"""A telephone number or an e-mail address: all that is shown of her contact once she has a substitute address."""


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
    version: str
    """For `If-Match` of an act on it."""


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One try to reach her."""

    task_id: str
    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """One incident of the case."""

    referral_id: str
    pair_id: str
    incident_id: str | None
    occurred_at: datetime | None
    tier: Tier | None
    mutual: bool
    homicide: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """How police may reach her. A substitute address wins over any other (N.C.G.S. 15C)."""

    name: str | None
    contact: tuple[str, ...]
    language: str | None
    substitute_address: str | None
    lethality_screen: str | None


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A safety hold in force."""

    hold_id: str
    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Guarding:
    """Whether notices to him wait, and who holds them; not for the offender's side."""

    gates: dict[str, GateState]
    holds: tuple[HoldLine, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One victim of one offender, as far as the reader may see her."""

    case_id: str
    contacts: tuple[Contact, ...]
    referrals: tuple[ReferralLine, ...]
    tasks: tuple[TaskLine, ...]
    attempts: tuple[AttemptLine, ...]
    guarding: Guarding | None


async def task_of(conn: AsyncConnection, task_id: str, owners: Collection[TaskOwner]) -> tuple[str, TaskOwner] | None:
    """The offender and the owner of a task; None too where the reader may not see it."""
    query = select(tasks.c.offender_id, tasks.c.owner).where(tasks.c.task_id == task_id, tasks.c.owner.in_(owners))
    found = (await conn.execute(query)).first()
    return (found.offender_id, found.owner) if found else None


async def case_of(conn: AsyncConnection, case_id: str) -> str | None:
    """The offender of a case."""
    found: str | None = await conn.scalar(
        select(referrals.c.offender_id).where(referrals.c.case_id == case_id).limit(1)
    )
    return found


async def offender_of_pair(conn: AsyncConnection, pair_id: str) -> str | None:
    """The offender of a pair that has a gate."""
    found: str | None = await conn.scalar(select(gates.c.offender_id).where(gates.c.pair_id == pair_id))
    return found


async def queue(
    conn: AsyncConnection, owners: Collection[TaskOwner], page: Page, *, claimed_by: str | None = None
) -> Slice[TaskLine]:
    """What is not done, soonest due first: everyone's, or one person's."""
    query = select(tasks).where(tasks.c.state.in_(UNFINISHED), tasks.c.owner.in_(owners))
    if claimed_by is not None:
        query = query.where(tasks.c.claimed_by == claimed_by)
    return (await page.of(conn, query, tasks.c.due_at, tasks.c.task_id)).map(_task_line)


async def shown_task(conn: AsyncConnection, task_id: str, owners: Collection[TaskOwner]) -> TaskLine | None:
    """One task; None too where the reader may not see it."""
    query = select(tasks).where(tasks.c.task_id == task_id, tasks.c.owner.in_(owners))
    row = (await conn.execute(query)).first()
    return _task_line(row) if row else None


async def shown_case(
    conn: AsyncConnection, case_id: str, owners: Collection[TaskOwner], *, guarding: bool
) -> Case | None:
    """One case; None where there is no task in it that the reader may see."""
    of_case = tasks.c.case_id == case_id
    seen = (await conn.execute(select(tasks).where(of_case, tasks.c.owner.in_(owners)).order_by(tasks.c.due_at))).all()
    if not seen:
        return None
    offender_id = seen[0].offender_id
    told = (
        await conn.execute(
            select(referrals).where(referrals.c.case_id == case_id).order_by(referrals.c.place, referrals.c.referral_id)
        )
    ).all()
    tried = (
        await conn.execute(
            select(attempts)
            .where(attempts.c.case_id == case_id, attempts.c.task_id.in_([task.task_id for task in seen]))
            .order_by(attempts.c.attempted_at, attempts.c.task_id, attempts.c.number)
        )
    ).all()
    return Case(
        case_id=case_id,
        contacts=await _contacts(conn, offender_id, told),
        referrals=_lines(ReferralLine, told),
        tasks=tuple(_task_line(row) for row in seen),
        attempts=_lines(AttemptLine, tried),
        guarding=await _guarding(conn, offender_id, told) if guarding else None,
    )


async def _contacts(conn: AsyncConnection, offender_id: str, told: Sequence[Row[Any]]) -> tuple[Contact, ...]:
    """Every record police have of her; the strictest of them counts for all."""
    rows = await conn.execute(
        select(victims).where(victims.c.offender_id == offender_id, _is_she(told)).order_by(victims.c.place)
    )
    known = rows.all()
    hidden = any(row.substitute_address for row in known)
    return tuple(
        Contact(
            name=row.name,
            contact=tuple(way for way in row.contact if not hidden or _REACHES.fullmatch(way)),
            language=row.language,
            substitute_address=row.substitute_address,
            lethality_screen=row.lethality_screen,
        )
        for row in known
    )


def _is_she(told: Sequence[Row[Any]]) -> ColumnElement[bool]:
    """Named: every record with her id. Not named: the place she has in the incident."""
    return or_(
        *(
            victims.c.victim_id == referral.victim_id
            if referral.victim_id is not None
            else and_(victims.c.incident_id == referral.incident_id, victims.c.victim_no == referral.victim_no)
            for referral in told
        )
    )


async def _guarding(conn: AsyncConnection, offender_id: str, told: Sequence[Row[Any]]) -> Guarding:
    pairs = [referral.pair_id for referral in told]
    kept = await conn.execute(select(gates).where(gates.c.offender_id == offender_id, gates.c.pair_id.in_(pairs)))
    placed = await conn.execute(
        select(holds).where(holds.c.offender_id == offender_id, holds.c.ended_at.is_(None)).order_by(holds.c.until)
    )
    return Guarding({row.pair_id: row.state for row in kept}, _lines(HoldLine, placed.all()))


def _task_line(row: Row[Any]) -> TaskLine:
    [task] = _lines(domain.Task, [row])
    line = {field.name: getattr(task, field.name) for field in fields(TaskLine) if field.name != "version"}
    return TaskLine(**line, version=version_of(task))


def _lines(kind: type[T], rows: Sequence[Row[Any]]) -> tuple[T, ...]:
    """Each row as a line: columns and fields have the same names."""
    names = [field.name for field in fields(cast(Any, kind))]
    return tuple(kind(**{name: getattr(row, name) for name in names}) for row in rows)
