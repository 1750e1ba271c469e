"""Case files to and from the tables. The loop's transaction alone commits."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Row, Table, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.policies import PolicyStore
from services.common.sql import rows_of, upsert
from services.common.turns import in_turns
from services.victim_outreach import domain
from services.victim_outreach.domain import CaseFile, Custody, Release
from services.victim_outreach.rules import changed_women
from services.victim_outreach.store import news, tables
from services.victim_outreach.store.tables import metadata

T = TypeVar("T")

Step = tuple[CaseFile, CaseFile]
"""Before and after."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """One mapping of a case file and the table its entries are the rows of; `key` names the columns of its key."""

    name: str
    table: Table
    kind: type[Any]
    key: tuple[str, ...]

    def entries(self, file: CaseFile) -> Mapping[Any, Any]:
        found: Mapping[Any, Any] = getattr(file, self.name)
        return found

    def entry(self, row: Row[Any]) -> tuple[Any, Any]:
        [made] = rows_as(self.kind, [row])
        key = tuple(getattr(made, column) for column in self.key)
        return (key if len(key) > 1 else key[0]), made

    def changed(self, steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
        for before, after in steps:
            known = self.entries(before)
            for key, entry in self.entries(after).items():
                if known.get(key) != entry:
                    values = {field.name: getattr(entry, field.name) for field in fields(self.kind)}
                    yield {"offender_id": after.offender_id, "lane": lane, **values}

    def gone(self, steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
        for before, after in steps:
            left = self.entries(after)
            for key, entry in self.entries(before).items():
                if key not in left:
                    values = {f"gone_{column}": getattr(entry, column) for column in self.key}
                    yield {"gone_offender_id": before.offender_id, **values}


def rows_as(kind: type[T], rows: Sequence[Row[Any]]) -> list[T]:
    """Each row as what the lane keeps in memory: columns and fields have the same names."""
    names = [field.name for field in fields(cast(Any, kind))]
    return [kind(**{name: _frozen(getattr(row, name)) for name in names}) for row in rows]


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


_SHELVES = (
    _Shelf("referrals", tables.referrals, domain.Referral, ("referral_id",)),
    _Shelf("tasks", tables.tasks, domain.Task, ("task_id",)),
    _Shelf("attempts", tables.attempts, domain.Attempt, ("task_id", "number")),
    _Shelf("annulled", tables.annulled_attempts, domain.AnnulledAttempt, ("task_id", "number")),
    _Shelf("gates", tables.gates, domain.Gate, ("pair_id",)),
    _Shelf("holds", tables.holds, domain.Hold, ("hold_id",)),
    _Shelf("overrides", tables.overrides, domain.Override, ("pair_id", "by")),
    _Shelf("deliveries", tables.deliveries, domain.Delivery, ("notification_id",)),
    _Shelf("victims", tables.victims, domain.Victim, ("place",)),
    _Shelf("cases", tables.cases, domain.Case, ("case_id",)),
    _Shelf("profiles", tables.profiles, domain.Profile, ("case_id", "owner")),
    _Shelf("screens", tables.screens, domain.Screen, ("case_id", "number")),
    _Shelf("consents", tables.consents, domain.Consent, ("consent_id",)),
    _Shelf("links", tables.links, domain.Link, ("victim_id", "other_victim_id")),
    _Shelf("messages", tables.messages, domain.Message, ("message_id",)),
    _Shelf("told_profiles", tables.told_profiles, domain.ToldProfile, ("from_case_id", "victim_id", "owner")),
    _Shelf("told_attempts", tables.told_attempts, domain.ToldAttempt, ("task_id", "number")),
)


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
            async for offender_id, rows in in_turns(kept.items()):
                found[offender_id][shelf.name] = dict(map(shelf.entry, rows))
        return {key: CaseFile(key, **values) for key, values in found.items()}

    async def save(self, conn: AsyncConnection, lane: int, changed: Mapping[str, Step]) -> None:
        steps = list(changed.values())
        await upsert(conn, tables.offenders, [_head(after, lane) for _, after in steps], ["offender_id"])
        for shelf in _SHELVES:
            await _forget(conn, shelf, list(shelf.gone(steps)))
            await upsert(conn, shelf.table, list(shelf.changed(steps, lane)), ["offender_id", *shelf.key])
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


async def _forget(conn: AsyncConnection, shelf: _Shelf, gone: Sequence[Mapping[str, Any]]) -> None:
    if gone:
        columns = ("offender_id", *shelf.key)
        same = [shelf.table.c[column] == bindparam(f"gone_{column}") for column in columns]
        await conn.execute(delete(shelf.table).where(*same), list(gone))


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
    }


def _of_head(row: Row[Any]) -> dict[str, Any]:
    custody = Custody(row.booking_id, row.held, row.hearing_at) if row.booking_id else None
    release = (
        Release(row.release_booking_id, row.released_at, row.release_recorded_at) if row.release_booking_id else None
    )
    return {"wake_at": row.wake_at, "custody": custody, "release": release}
