"""A woman who calls back is found by what she says of herself, where the reader's pages show it; nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.outreach import TaskOwner
from services.victim_outreach.domain import Profile, case_of_victim
from services.victim_outreach.store import women
from services.victim_outreach.store.candidates import like_name, reaches_of, words_of
from services.victim_outreach.store.cases.reading import reach_of
from services.victim_outreach.store.cases.shapes import CaseLine
from services.victim_outreach.store.lists import lines, seen_by
from services.victim_outreach.store.tables import cases, links, profiles, referrals, tasks, victims

MOST = 20
"""Cases shown: who has more of one woman needs no search."""
_SCANNED = 2_000
"""Rows looked at that SQL cannot tell from what is sought: with all its digits in their order there are a few at most."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A way to reach her, as `reaches_of` writes it; or a name's words with a birth date."""

    way: str | None = field(default=None, repr=False)
    words: frozenset[str] = field(default=frozenset(), repr=False)
    birth_date: date | None = field(default=None, repr=False)


async def found_cases(
    conn: AsyncConnection, sought: Sought, owners: Collection[TaskOwner], now: datetime
) -> list[CaseLine]:
    """Cases with a task the reader may see, on whose page it stands; oldest first. None: nothing is told by that."""
    its = await _of_police(conn, sought) | await _of_hers(conn, sought, owners, now)
    seen = select(tasks.c.task_id).where(tasks.c.case_id == cases.c.case_id, seen_by(owners)).exists()
    query = select(cases).where(cases.c.case_id.in_(sorted(its)), seen)
    rows = (await conn.execute(query.order_by(cases.c.opened_at, cases.c.case_id).limit(MOST))).all()
    return list(lines(CaseLine, rows))


async def _of_police(conn: AsyncConnection, sought: Sought) -> set[str]:
    """As the contacts of a page: of the offender's own records, hers by id, or by her place in the incident."""
    unnamed = and_(
        referrals.c.victim_id.is_(None),
        victims.c.incident_id == referrals.c.incident_id,
        victims.c.victim_no == referrals.c.victim_no,
    )
    hers = and_(
        victims.c.offender_id == referrals.c.offender_id, or_(victims.c.victim_id == referrals.c.victim_id, unnamed)
    )
    query = (
        select(referrals.c.case_id, victims.c.name, victims.c.birth_date, victims.c.contact)
        .join(victims, hers)
        .where(_may_be(sought))
        .order_by(referrals.c.case_id)
        .limit(_SCANNED)
    )
    return {row.case_id for row in await conn.execute(query) if _is_it(sought, row.name, row.birth_date, row.contact)}


def _may_be(sought: Sought) -> ColumnElement[bool]:
    if sought.way is not None:
        return _holds(victims.c.contact, sought.way)
    return and_(victims.c.birth_date == sought.birth_date, like_name(sought.words))


def _holds(column: ColumnElement[list[str]], way: str) -> ColumnElement[bool]:
    """Wider than it is: the digits of a number in their order, whatever stands between them."""
    text = func.lower(cast(column, String))
    return text.like("%" + "%".join(way) + "%") if way.isdigit() else text.contains(way, autoescape=True)


def _is_it(sought: Sought, name: str | None, birth: date | None, contact: Iterable[str]) -> bool:
    if sought.way is not None:
        return sought.way in reaches_of(contact)
    return birth == sought.birth_date and name is not None and words_of(name) == sought.words


async def _of_hers(conn: AsyncConnection, sought: Sought, owners: Collection[TaskOwner], now: datetime) -> set[str]:
    """By an address she gave to people whose records the reader may see, or let the agency see: on every page of hers."""
    if sought.way is None:
        return set()
    query = select(profiles.c.offender_id, profiles.c.case_id).where(_holds(profiles.c.channels, sought.way)).distinct()
    found: set[str] = set()
    for row in await conn.execute(query.order_by(profiles.c.offender_id, profiles.c.case_id).limit(_SCANNED)):
        for case_id in await _shared(conn, row.offender_id, row.case_id) - found:
            woman = await women.woman_of(conn, case_id)
            she = await reach_of(conn, woman, now)
            if any(sought.way in reaches_of(_addresses(one)) for one in she.profiles_for(owners)):
                found |= woman.case_ids | {case_id}
    return found


def _addresses(profile: Profile) -> list[str]:
    return [address for _, _, address in profile.channels if address is not None]


async def _shared(conn: AsyncConnection, offender_id: str, case_id: str) -> set[str]:
    """Cases to which what is kept under this id belongs: itself, or that of an id linked to hers."""
    hers = (await conn.execute(select(referrals).where(referrals.c.offender_id == offender_id))).all()
    linked = await conn.execute(select(links).where(links.c.offender_id == offender_id))
    ids = {row.victim_id for row in hers if row.victim_id is not None}
    ids |= {each for row in linked for each in (row.victim_id, row.other_victim_id)}
    same = await women.linked_ids(conn, {each for each in ids if case_of_victim(offender_id, each) == case_id})
    return {row.case_id for row in hers if row.case_id == case_id or row.victim_id in same}
