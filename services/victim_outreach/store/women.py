"""One woman over all offenders and ids: what links say, what every profile of hers says, and who else she might be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Row, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.referral import ReferralOutreach
from services.common.shelves import rows_as
from services.victim_outreach import domain
from services.victim_outreach.domain import case_id, case_of_victim
from services.victim_outreach.store.tables import attempts, links, profiles, referrals, tasks

T = TypeVar("T")

ROUNDS = 20
"""Ids found through ids found through ids: more is no woman but a fault."""


@dataclass(frozen=True, slots=True)
class Woman:
    """Every id and case of hers that is known here."""

    victim_ids: frozenset[str]
    case_ids: frozenset[str]
    moved: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Cases with a record that was merged into another's: hers with that one."""
    before: frozenset[str] = frozenset()
    """Those she had before she was named, or said to be his partner. What she said there is kept in the others as well."""


async def woman_of(conn: AsyncConnection, case_id: str) -> Woman:
    """The woman of a case, with every offender. Unnamed, she has this case alone."""
    rows = (await conn.execute(select(referrals).where(referrals.c.case_id == case_id))).all()
    named = frozenset(row.victim_id for row in rows if row.victim_id is not None)
    ids = await linked_ids(conn, named)
    cases = {case_id}
    hers = (await conn.execute(select(referrals).where(referrals.c.victim_id.in_(ids)))).all()
    for row in hers:
        cases |= {row.case_id, *(case_of_victim(row.offender_id, each) for each in ids)}
    before = frozenset(await cases_before(conn, hers))
    return Woman(ids, frozenset(cases), moved_cases(hers, ids), before)


def moved_cases(hers: Iterable[Row[Any]], ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """By case that has moved, those it may have moved to. `hers`: all referrals of one woman."""
    gone: dict[str, set[str]] = {}
    stays = set()
    for row in hers:
        if not row.withdrawn:
            stays.add(row.offender_id)
        elif row.moved_to is not None:
            gone.setdefault(row.offender_id, set()).add(row.moved_to)
    return {
        case_of_victim(offender, each): frozenset(case_of_victim(other, one) for other in to for one in ids)
        for offender, to in gone.items()
        if offender not in stays
        for each in ids
    }


async def cases_before(conn: AsyncConnection, hers: Iterable[Row[Any]]) -> Mapping[str, tuple[str, str]]:
    """As in the lane (`CaseFile.case_before`): by each case, the offender and the id she has there now."""
    found = {
        case_id(row.offender_id, row.referral_id, None, row.purpose): row
        for row in hers
        if not row.withdrawn and row.outreach == ReferralOutreach.OPENED
    }
    named = {before: row for before, row in found.items() if row.victim_id is not None and row.case_id != before}
    if not named:
        return {}
    meant = await conn.execute(select(tasks.c.case_id, tasks.c.victim_id).where(tasks.c.case_id.in_(named)))
    others = {row.case_id for row in meant if row.victim_id not in (None, named[row.case_id].victim_id)}
    return {before: (row.offender_id, row.victim_id) for before, row in named.items() if before not in others}


def in_force(profiles: Iterable[domain.Profile], moved: Mapping[str, frozenset[str]]) -> list[domain.Profile]:
    """Without those that stayed behind when his record was merged, once they have arrived where it went."""
    known = list(profiles)
    return [
        one
        for one in known
        if not any(
            other.case_id in moved.get(one.case_id, ())
            and other.owner == one.owner
            and other.recorded_at >= one.recorded_at
            for other in known
        )
    ]


async def offenders_of(conn: AsyncConnection, victim_ids: Collection[str]) -> frozenset[str]:
    """Every offender who has one of these, or an id linked to one, among his victims."""
    ids = await linked_ids(conn, victim_ids)
    return frozenset(await conn.scalars(select(referrals.c.offender_id).where(referrals.c.victim_id.in_(ids))))


async def linked_ids(conn: AsyncConnection, ids: Collection[str]) -> frozenset[str]:
    """All ids that people said are hers, through whichever offender they said it."""
    known = frozenset(ids)
    for _ in range(ROUNDS):
        both = or_(links.c.victim_id.in_(known), links.c.other_victim_id.in_(known))
        found = await conn.execute(select(links).where(both, links.c.ended_at.is_(None)))
        more = known | {each for row in found for each in (row.victim_id, row.other_victim_id)}
        if more == known:
            break
        known = more
    return known


async def profiles_of(conn: AsyncConnection, woman: Woman) -> list[domain.Profile]:
    """What she told anybody of how she may be reached."""
    return in_force(await _of(conn, profiles, domain.Profile, woman.case_ids), woman.moved)


async def attempts_of(conn: AsyncConnection, woman: Woman) -> list[domain.Attempt]:
    return await _of(conn, attempts, domain.Attempt, woman.case_ids | woman.before)


async def _of(conn: AsyncConnection, table: Table, kind: type[T], case_ids: Collection[str]) -> list[T]:
    return rows_as(kind, (await conn.execute(select(table).where(table.c.case_id.in_(case_ids)))).all())
