"""Safety holds in force, as they are listed to those who may place one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.outreach import TaskOwner
from schemas.referral import ReferralOutreach, ReferralPurpose
from services.common.paging import Page, Slice
from services.victim_outreach.store.lists import seen_by
from services.victim_outreach.store.tables import holds, referrals, tasks


@dataclass(frozen=True, slots=True)
class HoldInForce:
    """One hold, and for whom nothing may go to him while it lasts: all of his, as far as the reader may see them."""

    hold_id: str
    until: datetime
    """Then his notices may go out, if nothing else holds them."""
    told_at: datetime | None
    """When whoever is on duty was last told that it ends; null: its end is not near."""
    by: str | None
    """For who may lift it."""
    case_ids: tuple[str, ...]


async def holds_in_force(
    conn: AsyncConnection,
    owners: Collection[TaskOwner],
    page: Page,
    *,
    person: str,
    lifts: Collection[str] | None,
    ending: bool | None = None,
) -> Slice[HoldInForce]:
    """Soonest end first: of offenders who wait for a woman whose case the reader may see, and those the reader placed.

    `lifts`: see `Sight`.
    """
    waited_for = _waited_for(holds).exists()
    query = select(holds).where(holds.c.ended_at.is_(None), waited_for)
    query = query.where(or_(holds.c.by == person, _waited_for(holds).where(_in_sight(owners)).exists()))
    if ending is not None:
        query = query.where(holds.c.alerted_at.is_not(None) if ending else holds.c.alerted_at.is_(None))
    found = await page.of(conn, query, holds.c.until, holds.c.offender_id, holds.c.hold_id)
    cases = await _cases(conn, {row.offender_id for row in found.items}, owners)
    return found.map(
        lambda row: HoldInForce(
            hold_id=row.hold_id,
            until=row.until,
            told_at=row.alerted_at,
            by=row.by if lifts is None or row.by in lifts else None,
            case_ids=tuple(cases.get(row.offender_id, ())),
        )
    )


def _waited_for(of: Table) -> Any:
    return select(referrals.c.case_id).where(referrals.c.offender_id == of.c.offender_id, _gated())


def _gated() -> ColumnElement[bool]:
    """As `Referral.gated`."""
    opened = referrals.c.outreach == ReferralOutreach.OPENED
    return opened & ~referrals.c.withdrawn & (referrals.c.purpose == ReferralPurpose.OUTREACH)


def _in_sight(owners: Collection[TaskOwner]) -> ColumnElement[bool]:
    return select(tasks.c.task_id).where(tasks.c.case_id == referrals.c.case_id, seen_by(owners)).exists()


async def _cases(
    conn: AsyncConnection, offender_ids: Collection[str], owners: Collection[TaskOwner]
) -> Mapping[str, list[str]]:
    query = select(referrals.c.offender_id, referrals.c.case_id).distinct()
    query = query.where(referrals.c.offender_id.in_(offender_ids), _gated(), _in_sight(owners))
    cases: dict[str, list[str]] = defaultdict(list)
    for row in await conn.execute(query.order_by(referrals.c.offender_id, referrals.c.case_id)):
        cases[row.offender_id].append(row.case_id)
    return cases
