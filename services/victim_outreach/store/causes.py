"""What tasks that he causes are about, from what the lane keeps of notices to him and of his release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.outreach import TaskKind
from services.common.shelves import rows_as
from services.victim_outreach.domain import Delivery, Release, Task
from services.victim_outreach.rules import Cause, cause_of, notice_of
from services.victim_outreach.store.states import release_of
from services.victim_outreach.store.tables import deliveries, offenders

_OF_DELIVERIES = (TaskKind.BEFORE_DELIVERY, TaskKind.AFTER_DELIVERY)


async def causes(conn: AsyncConnection, shown: Sequence[tuple[str, Task]]) -> list[Cause]:
    """Of each task, with whose it is; in their order."""
    notices = await _notices(conn, shown)
    his = {offender for offender, task in shown if task.kind is TaskKind.CUSTODY_RELEASE}
    releases = await _releases(conn, his)
    return [cause_of(task, notices[offender], releases.get(offender)) for offender, task in shown]


async def _notices(conn: AsyncConnection, shown: Sequence[tuple[str, Task]]) -> Mapping[str, dict[str, Delivery]]:
    found: dict[str, dict[str, Delivery]] = defaultdict(dict)
    wanted = {(offender, notice_of(task.about)) for offender, task in shown if task.kind in _OF_DELIVERIES}
    if wanted:
        theirs = deliveries.c.offender_id.in_({offender for offender, _ in wanted})
        query = select(deliveries).where(theirs, deliveries.c.notification_id.in_({notice for _, notice in wanted}))
        rows = (await conn.execute(query)).all()
        for row, one in zip(rows, rows_as(Delivery, rows), strict=True):
            found[row.offender_id][one.notification_id] = one
    return found


async def _releases(conn: AsyncConnection, offender_ids: set[str]) -> Mapping[str, Release]:
    if not offender_ids:
        return {}
    rows = await conn.execute(select(offenders).where(offenders.c.offender_id.in_(offender_ids)))
    return {row.offender_id: release for row in rows if (release := release_of(row)) is not None}
