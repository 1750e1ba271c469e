"""What people are shown, straight from SQL. The offender's side learns that a notice waits, and never why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Row, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier
from schemas.commands import LiftableHold
from schemas.notice_work import Correction
from schemas.notification import CancelReason, Channel, NotificationState, Place
from services.common.paging import Page, Slice
from services.notifier.domain import Lift, Notice
from services.notifier.store.rows import lift, notice
from services.notifier.store.sight import Sight
from services.notifier.store.tables import attempts, enforcements, helps, lifts, notifications

T = TypeVar("T")

Kind = Literal["notification", "enforcement", "help"]
"""What of his a person acts on, as the read log names it."""
_OF_HIM: Mapping[Kind, Table] = {"notification": notifications, "enforcement": enforcements, "help": helps}


class Shown(StrEnum):
    """The states the offender's side is shown."""

    WAITING = "waiting"
    RELEASED = "released"
    FAILED = "failed"


_SHOWN = {
    NotificationState.HELD: Shown.WAITING,
    NotificationState.RELEASED: Shown.RELEASED,
    NotificationState.FAILED: Shown.FAILED,
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One notice that is still to be given."""

    notification_id: str
    offender_id: str
    tier: Tier
    channel: Channel
    language: str
    state: Shown
    prepared_at: datetime
    serve_by: datetime | None
    """When it is to have been given; null while it waits."""
    claimed_by: str | None
    agency: str | None
    """Whose officer gives it, where that is another's than the incident's."""
    attempts: int
    """How many times it has been tried."""
    version: str
    """For `If-Match` of an act on it."""
    planned_from: datetime | None = None
    """The delivery round, or the beginning of the call-in; set or not, it may be waiting."""
    planned_until: datetime | None = None
    needs_round: bool = False
    """What is to be done next is to plan the day; said whether it waits or not."""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A notice that was given on a day of which she could not hear before."""

    notification_id: str
    offender_id: str
    tier: Tier
    channel: Channel
    served_at: datetime | None
    served_by: str | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class Hold:
    """A notice and the holds on it that a person may lift; the gate is not among them."""

    notification_id: str
    offender_id: str
    tier: Tier
    holds: tuple[LiftableHold, ...]
    prepared_at: datetime
    version: str


@dataclass(frozen=True, slots=True)
class ToCorrect:
    """A notice that was given, and the facts changed."""

    notification_id: str
    offender_id: str
    tier: Tier
    reason: CancelReason | None
    """Null for who does not decide."""
    served_at: datetime | None
    correction: Correction | None
    """Null: a person is to decide what he is told."""
    version: str


async def owner_of(conn: AsyncConnection, kind: Kind, key: str, sight: Sight) -> str | None:
    """The id of the offender whose it is; None too where the reader may not see it."""
    table = _OF_HIM[kind]
    query = select(table.c.offender_id).where(table.c[f"{kind}_id"] == key)
    if kind != "enforcement":  # prosecutors' and coordinators', who see all
        query = query.where(sight.of(table.c.offender_id, table.c.notification_id))
    found: str | None = await conn.scalar(query)
    return found


async def listed(conn: AsyncConnection, shown: Collection[Shown], page: Page, sight: Sight) -> Slice[Listed]:
    """Oldest first."""
    states = [state for state, name in _SHOWN.items() if name in shown]
    return await _page(conn, page, _listed, notifications.c.state.in_(states), _in(sight))


async def shown_notification(conn: AsyncConnection, notification_id: str, sight: Sight) -> Listed | None:
    """One that is still to be given."""
    found = await _page(
        conn,
        Page(1),
        _listed,
        notifications.c.notification_id == notification_id,
        notifications.c.state.in_(_SHOWN),
        _in(sight),
    )
    return found.items[0] if found.items else None


async def unplanned(conn: AsyncConnection, since: datetime | None, page: Page) -> Slice[Unplanned]:
    """Notices given outside any round since then, in the order in which they were prepared."""
    where: list[ColumnElement[bool]] = [notifications.c.unplanned]
    if since is not None:
        where.append(notifications.c.served_at >= since)

    def line(row: Row[Any], one: Notice) -> Unplanned:
        return Unplanned(
            one.notification_id, row.offender_id, one.tier, one.channel, one.served_at, one.served_by, one.place
        )

    return await _page(conn, page, line, *where)


async def holds(conn: AsyncConnection, page: Page) -> Slice[Hold]:
    """Notices that wait for a person's word, oldest first."""
    return await _page(conn, page, _hold, notifications.c.asks)


async def corrections(conn: AsyncConnection, page: Page, sight: Sight, *, decides: bool) -> Slice[ToCorrect]:
    """Notices about which he is still to be told something, oldest first. `decides`: also those not decided, and why."""
    where = [
        notifications.c.state == NotificationState.CORRECTED,
        notifications.c.corrected_at.is_(None),
        _in(sight),
    ]
    if not decides:
        where.append(notifications.c.correction.is_not(None))

    def line(row: Row[Any], one: Notice) -> ToCorrect:
        reason = one.ended if decides else None
        return ToCorrect(
            one.notification_id, row.offender_id, one.tier, reason, one.served_at, one.correction, one.version
        )

    return await _page(conn, page, line, *where)


def _in(sight: Sight) -> ColumnElement[bool]:
    return sight.of(notifications.c.offender_id, notifications.c.notification_id)


_LIFTABLE = {hold.value: hold for hold in LiftableHold}


def _listed(row: Row[Any], one: Notice) -> Listed:
    return Listed(
        one.notification_id,
        row.offender_id,
        one.tier,
        one.channel,
        one.language,
        _SHOWN[one.state],
        one.prepared_at,
        one.serve_by,
        one.claimed_by,
        one.route,
        row.tries,
        one.version,
        *one.plan,
        needs_round=one.needs_round,
    )


def _hold(row: Row[Any], one: Notice) -> Hold:
    liftable = tuple(_LIFTABLE[reason] for reason in row.reasons if reason in _LIFTABLE)
    return Hold(one.notification_id, row.offender_id, one.tier, liftable, one.prepared_at, one.version)


async def _page(
    conn: AsyncConnection, page: Page, line: Callable[[Row[Any], Notice], T], *where: ColumnElement[bool]
) -> Slice[T]:
    tried = select(func.count()).where(attempts.c.notification_id == notifications.c.notification_id)
    query = select(notifications, tried.scalar_subquery().label("tries")).where(*where)
    found = await page.of(conn, query, notifications.c.prepared_at, notifications.c.notification_id)
    lifted = await _lifted(conn, [row.notification_id for row in found.items])
    return found.map(lambda row: line(row, replace(notice(row), lifts=tuple(lifted[row.notification_id]))))


async def _lifted(conn: AsyncConnection, notification_ids: Sequence[str]) -> Mapping[str, list[Lift]]:
    by_notice: dict[str, list[Lift]] = defaultdict(list)
    rows = await conn.execute(select(lifts).where(lifts.c.notification_id.in_(notification_ids)))
    for row in rows:
        by_notice[row.notification_id].append(lift(row))
    return by_notice
