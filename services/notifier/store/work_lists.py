"""What prosecutors and coordinators are shown: referrals to the prosecutor, and help that he asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.enforcement import EnforcementOutcome, EnforcementState, Lever
from schemas.help import HelpKind, HelpOutcome, HelpState
from services.common.paging import Page, Slice
from services.notifier.store.sight import Sight
from services.notifier.store.tables import enforcements, helps
from services.notifier.store.work_rows import enforcement, help_asked


@dataclass(frozen=True, slots=True)
class EnforcementLine:
    """One incident before the prosecutor."""

    enforcement_id: str
    offender_id: str
    state: EnforcementState
    statutes: tuple[str, ...]
    levers: tuple[Lever, ...]
    """To be looked at; once closed, those that were used."""
    referred_at: datetime
    due_at: datetime | None
    """When it is to have been taken, then closed."""
    taken_by: str | None
    outcome: EnforcementOutcome | None
    version: str


@dataclass(frozen=True, slots=True)
class HelpLine:
    """One thing he asked help with."""

    help_id: str
    offender_id: str
    notification_id: str
    kind: HelpKind
    state: HelpState
    provider: str | None
    asked_at: datetime
    due_at: datetime | None
    """When he is to have been referred, then its outcome heard."""
    outcome: HelpOutcome | None
    version: str


async def enforcement_queue(
    conn: AsyncConnection, states: Collection[EnforcementState], page: Page
) -> Slice[EnforcementLine]:
    """Oldest first."""
    query = select(enforcements).where(enforcements.c.state.in_(states))
    found = await page.of(conn, query, enforcements.c.referred_at, enforcements.c.enforcement_id)
    return found.map(_enforcement)


async def help_queue(conn: AsyncConnection, states: Collection[HelpState], page: Page, sight: Sight) -> Slice[HelpLine]:
    """Oldest first."""
    query = select(helps).where(helps.c.state.in_(states), sight.of(helps.c.offender_id, helps.c.notification_id))
    found = await page.of(conn, query, helps.c.asked_at, helps.c.help_id)
    return found.map(_help)


def _enforcement(row: Row[Any]) -> EnforcementLine:
    one = enforcement(row)
    return EnforcementLine(
        one.enforcement_id,
        row.offender_id,
        one.state,
        one.statutes,
        one.levers,
        one.referred_at,
        one.due.first if one.due else None,
        one.taken_by,
        one.outcome,
        one.version,
    )


def _help(row: Row[Any]) -> HelpLine:
    one = help_asked(row)
    return HelpLine(
        one.help_id,
        row.offender_id,
        one.notification_id,
        one.kind,
        one.state,
        one.provider,
        one.asked_at,
        one.due.first if one.due else None,
        one.outcome,
        one.version,
    )
