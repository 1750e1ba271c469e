"""One woman over all offenders and ids: what links say, what every profile of hers says, and who else she might be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.victim_outreach import domain
from services.victim_outreach.domain import case_of_victim
from services.victim_outreach.store.states import rows_as
from services.victim_outreach.store.tables import attempts, links, profiles, referrals

T = TypeVar("T")

_ROUNDS = 20
"""Ids found through ids found through ids: more is no woman but a fault."""


@dataclass(frozen=True, slots=True)
class Woman:
    """Every id and case of hers that is known here."""

    victim_ids: frozenset[str]
    case_ids: frozenset[str]
    offender_ids: frozenset[str]


async def woman_of(conn: AsyncConnection, case_id: str) -> Woman:
    """The woman of a case, with every offender. Unnamed, she has this case alone."""
    rows = (await conn.execute(select(referrals).where(referrals.c.case_id == case_id))).all()
    named = frozenset(row.victim_id for row in rows if row.victim_id is not None)
    ids = await linked_ids(conn, named)
    cases, offenders = {case_id}, {row.offender_id for row in rows}
    for row in await conn.execute(select(referrals).where(referrals.c.victim_id.in_(ids))):
        cases |= {row.case_id, *(case_of_victim(row.offender_id, each) for each in ids)}
        offenders.add(row.offender_id)
    return Woman(ids, frozenset(cases), frozenset(offenders))


async def offenders_of(conn: AsyncConnection, victim_ids: Collection[str]) -> frozenset[str]:
    """Every offender who has one of these, or an id linked to one, among his victims."""
    ids = await linked_ids(conn, victim_ids)
    return frozenset(await conn.scalars(select(referrals.c.offender_id).where(referrals.c.victim_id.in_(ids))))


async def linked_ids(conn: AsyncConnection, ids: Collection[str]) -> frozenset[str]:
    """All ids that people said are hers, through whichever offender they said it."""
    known = frozenset(ids)
    for _ in range(_ROUNDS):
        both = or_(links.c.victim_id.in_(known), links.c.other_victim_id.in_(known))
        found = await conn.execute(select(links).where(both, links.c.ended_at.is_(None)))
        more = known | {each for row in found for each in (row.victim_id, row.other_victim_id)}
        if more == known:
            break
        known = more
    return known


async def profiles_of(conn: AsyncConnection, woman: Woman) -> list[domain.Profile]:
    """What she told anybody of how she may be reached."""
    return await _of(conn, profiles, domain.Profile, woman)


async def attempts_of(conn: AsyncConnection, woman: Woman) -> list[domain.Attempt]:
    return await _of(conn, attempts, domain.Attempt, woman)


async def _of(conn: AsyncConnection, table: Table, kind: type[T], woman: Woman) -> list[T]:
    return rows_as(kind, (await conn.execute(select(table).where(table.c.case_id.in_(woman.case_ids)))).all())
