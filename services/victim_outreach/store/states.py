"""Case files to and from the tables. The loop's transaction alone commits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.policies import PolicyStore
from services.common.shelves import Shelf, rows_as
from services.common.sql import rows_of, upsert
from services.common.turns import in_turns
from services.victim_outreach import domain
from services.victim_outreach.domain import CaseFile, Custody, Release
from services.victim_outreach.rules import changed_women
from services.victim_outreach.store import news, tables
from services.victim_outreach.store.tables import metadata

Step = tuple[CaseFile, CaseFile]
"""Before and after."""


_KINDS: Mapping[Table, type[Any]] = {
    tables.referrals: domain.Referral,
    tables.tasks: domain.Task,
    tables.attempts: domain.Attempt,
    tables.annulled_attempts: domain.AnnulledAttempt,
    tables.gates: domain.Gate,
    tables.holds: domain.Hold,
    tables.overrides: domain.Override,
    tables.deliveries: domain.Delivery,
    tables.victims: domain.Victim,
    tables.cases: domain.Case,
    tables.profiles: domain.Profile,
    tables.screens: domain.Screen,
    tables.consents: domain.Consent,
    tables.links: domain.Link,
    tables.messages: domain.Message,
    tables.told_profiles: domain.ToldProfile,
    tables.told_attempts: domain.ToldAttempt,
}
"""What the rows of each table are; a case file keeps them under the table's name."""
_SHELVES: Sequence[Shelf[CaseFile]] = [Shelf(table, attrgetter(table.name)) for table in _KINDS]


class OutreachStore(PolicyStore):
    """See `services.common.service.Store`."""

    metadata = metadata

    def new(self, key: str) -> CaseFile:
        return CaseFile(key)

    async def load(self, conn: AsyncConnection, keys: Collection[str]) -> dict[str, CaseFile]:
        heads = await rows_of(conn, tables.offenders, sorted(keys))
        if not heads:
            return {}
        found: dict[str, dict[str, Any]] = {key: _of_head(row) for key, [row] in heads.items()}
        for shelf in _SHELVES:
            kept = await rows_of(conn, shelf.table, list(heads))
            kind, key = _KINDS[shelf.table], attrgetter(*shelf.key)
            async for offender_id, rows in in_turns(kept.items()):
                found[offender_id][shelf.table.name] = {key(entry): entry for entry in rows_as(kind, rows)}
        return {key: CaseFile(key, **values) for key, values in found.items()}

    async def save(self, conn: AsyncConnection, lane: int, changed: Mapping[str, Step]) -> None:
        steps = list(changed.values())
        await upsert(conn, tables.offenders, [_head(after, lane) for _, after in steps], ["offender_id"])
        for shelf in _SHELVES:
            await shelf.forget(conn, steps)
            await shelf.keep(conn, lane, steps)
        await news.add(conn, [woman for before, after in steps for woman in sorted(changed_women(before, after))])

    async def due(self, conn: AsyncConnection, lane: int, now: datetime) -> Sequence[str]:
        """Offenders with a task fallen overdue, a hold run out or a gate that can clear."""
        offenders = tables.offenders.c
        rows = await conn.scalars(
            select(offenders.offender_id)
            .where(offenders.lane == lane, offenders.wake_at <= now)
            .order_by(offenders.offender_id)
        )
        return rows.all()


def _head(file: CaseFile, lane: int) -> dict[str, Any]:
    custody, release = file.custody, file.release
    return {
        "offender_id": file.offender_id,
        "lane": lane,
        "wake_at": file.wake_at,
        "booking_id": custody.booking_id if custody else None,
        "held": custody.held if custody else None,
        "hearing_at": custody.hearing_at if custody else None,
        "release_booking_id": release.booking_id if release else None,
        "released_at": release.released_at if release else None,
        "release_recorded_at": release.recorded_at if release else None,
        "release_facility": release.facility if release else None,
    }


def _of_head(row: Row[Any]) -> dict[str, Any]:
    custody = Custody(row.booking_id, row.held, row.hearing_at) if row.booking_id else None
    return {"wake_at": row.wake_at, "custody": custody, "release": release_of(row)}


def release_of(row: Row[Any]) -> Release | None:
    """His last release, from the row of `offenders`."""
    if not row.release_booking_id:
        return None
    return Release(row.release_booking_id, row.released_at, row.release_recorded_at, row.release_facility)
