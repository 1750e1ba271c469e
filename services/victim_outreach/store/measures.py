"""What is counted of one quarter, and what was published of it. Rows of women leave this module only to be counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier
from schemas.outreach import AttemptOutcome, TaskKind, TaskState
from schemas.referral import ReferralOutreach, ReferralPurpose
from services.common.sql import insert_new
from services.victim_outreach.domain import graver
from services.victim_outreach.rules.measures import STOPS, OutreachTable, Quarter, Story
from services.victim_outreach.store.tables import attempts, cases, published_measures, referrals, tasks

_TABLES = TypeAdapter(list[OutreachTable])


async def stories(conn: AsyncConnection, quarter: Quarter) -> list[Story]:
    """Of every woman whose case was opened in the quarter and who was to be reached, with what was recorded until it settled.

    One who was killed is not among them, nor one whose incidents were all taken back.
    """
    until = quarter.settled_at
    mine = (cases.c.opened_at >= quarter.start, cases.c.opened_at < quarter.end)
    opened: dict[str, datetime] = {}
    tiers: dict[str, Tier | None] = {}
    of_case = (referrals.c.case_id == cases.c.case_id) & (referrals.c.offender_id == cases.c.offender_id)
    live = (
        referrals.c.purpose == ReferralPurpose.OUTREACH,
        referrals.c.outreach == ReferralOutreach.OPENED,
        ~referrals.c.withdrawn,
    )
    killed: set[str] = set()
    query = select(cases.c.case_id, cases.c.opened_at, referrals.c.gravest, referrals.c.homicide)
    for one in await conn.execute(query.join_from(cases, referrals, of_case).where(*mine, *live)):
        opened[one.case_id] = one.opened_at
        tiers[one.case_id] = graver(tiers.get(one.case_id), one.gravest)
        if one.homicide:
            killed.add(one.case_id)

    contacted = await _first(conn, mine, until)
    done: defaultdict[str, set[Any]] = defaultdict(set)
    columns = (tasks.c.case_id, tasks.c.kind, tasks.c.state, tasks.c.escalation, tasks.c.due_at, tasks.c.ended_at)
    at_case = (tasks.c.case_id == cases.c.case_id) & (tasks.c.offender_id == cases.c.offender_id)
    for row in await conn.execute(
        select(*columns, tasks.c.cancel_reason).join_from(cases, tasks, at_case).where(*mine)
    ):
        ended = row.ended_at is not None and row.ended_at <= until
        if row.escalation and row.due_at <= until:
            done[row.case_id].add("overdue")
        if ended and row.kind is TaskKind.SAFETY_PLANNING and row.state is TaskState.COMPLETED:
            done[row.case_id].add("planned")
        if ended and row.cancel_reason in STOPS:
            done[row.case_id].add(row.cancel_reason)
    return [
        Story(
            tier=tiers[case_id],
            opened_at=at,
            contacted_at=contacted.get(case_id),
            planned="planned" in done[case_id],
            overdue="overdue" in done[case_id],
            stopped=next((reason for reason in STOPS if reason in done[case_id]), None),
        )
        for case_id, at in sorted(opened.items())
        if case_id not in killed
    ]


async def _first(conn: AsyncConnection, mine: Sequence[Any], until: datetime) -> dict[str, datetime]:
    """By case, when she was first spoken with: reached, or there and declined."""
    at_case = (attempts.c.case_id == cases.c.case_id) & (attempts.c.offender_id == cases.c.offender_id)
    query = (
        select(cases.c.case_id, func.min(attempts.c.attempted_at).label("at"))
        .join_from(cases, attempts, at_case)
        .where(*mine, attempts.c.recorded_at <= until)
        .where(attempts.c.outcome.in_([AttemptOutcome.REACHED, AttemptOutcome.DECLINED]))
        .group_by(cases.c.case_id)
    )
    return {row.case_id: row.at for row in await conn.execute(query)}


async def first_case(conn: AsyncConnection) -> datetime | None:
    """When the first case was opened."""
    found: datetime | None = await conn.scalar(select(func.min(cases.c.opened_at)))
    return found


async def published(conn: AsyncConnection, quarter: Quarter) -> list[OutreachTable] | None:
    """As they were published; None: not yet."""
    found = await conn.scalar(select(published_measures.c.tables).where(published_measures.c.quarter == str(quarter)))
    return None if found is None else _TABLES.validate_python(found)


async def quarters(conn: AsyncConnection) -> list[str]:
    """Those that were published, in order."""
    return list(await conn.scalars(select(published_measures.c.quarter).order_by(published_measures.c.quarter)))


async def publish(conn: AsyncConnection, quarter: Quarter, made: list[OutreachTable], at: datetime) -> None:
    """Once: what is there stays, whoever else counts again later."""
    row = {"quarter": str(quarter), "published_at": at, "tables": _TABLES.dump_python(made, mode="json")}
    await insert_new(conn, published_measures, row)
