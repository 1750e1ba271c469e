"""One case as a reader may see it: tasks and records of owners in the reader's sight, and what she consented to be told."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.advocacy import ContactSafety
from schemas.outreach import ContactChannel, TaskOwner
from services.common.paging import Page, Slice
from services.common.shelves import rows_as
from services.victim_outreach import domain
from services.victim_outreach.store import women
from services.victim_outreach.store.cases.reach import POLICE, Reach, Sight
from services.victim_outreach.store.cases.shapes import (
    AttemptLine,
    Case,
    CaseLine,
    ConsentLine,
    Contact,
    Guarding,
    HoldLine,
    HoursLine,
    LinkLine,
    MessageLine,
    PoliceLine,
    ProfileLine,
    ReferralLine,
    SaidLine,
    ScreenLine,
)
from services.victim_outreach.store.lists import lines, seen_by, task_lines
from services.victim_outreach.store.tables import (
    cases,
    consents,
    gates,
    holds,
    links,
    messages,
    referrals,
    screens,
    tasks,
    victims,
)

_REACHES = re.compile(r"(tel:)?\+?[\d\s().-]{7,}|\S+@\S+")
"""A telephone number or an e-mail address: all that is shown of her contact once she has a substitute address."""


async def case_of(conn: AsyncConnection, case_id: str, owners: Collection[TaskOwner] | None = None) -> str | None:
    """The offender of a case; given `owners`, of one in which a task of theirs may be seen."""
    query = select(referrals.c.offender_id).where(referrals.c.case_id == case_id).limit(1)
    if owners is not None:
        query = query.where(select(tasks.c.task_id).where(tasks.c.case_id == case_id, seen_by(owners)).exists())
    found: str | None = await conn.scalar(query)
    return found


async def consent_at(conn: AsyncConnection, case_id: str, consent_id: str) -> tuple[str, str] | None:
    """The offender and the case that a consent of the woman of a case is kept with: here if it is, else in force if it is."""
    woman = await women.woman_of(conn, case_id)
    query = select(consents).where(consents.c.consent_id == consent_id, consents.c.case_id.in_(woman.case_ids))
    rows = (await conn.execute(query.order_by(consents.c.offender_id))).all()
    here = await case_of(conn, case_id)
    found = min(rows, key=lambda row: (row.offender_id != here, row.revoked_at is not None), default=None)
    return (found.offender_id, found.case_id) if found else None


async def case_list(
    conn: AsyncConnection, owners: Collection[TaskOwner], page: Page, *, closed: bool | None = None
) -> Slice[CaseLine]:
    """Cases with a task the reader may see, oldest first. One that has gone with his record is open where it is now."""
    seen = select(tasks.c.task_id).where(tasks.c.case_id == cases.c.case_id, seen_by(owners)).exists()
    query = select(cases).where(seen)
    if closed is not None:
        is_open = and_(cases.c.closed_at.is_(None), ~_has_gone())
        query = query.where(cases.c.closed_at.is_not(None) if closed else is_open)
    found = await page.of(conn, query, cases.c.opened_at, cases.c.case_id)
    return found.map(lambda row: lines(CaseLine, [row])[0])


def _has_gone() -> ColumnElement[bool]:
    its = select(referrals.c.referral_id).where(referrals.c.case_id == cases.c.case_id)
    return and_(its.where(referrals.c.moved_to.is_not(None)).exists(), ~its.where(~referrals.c.withdrawn).exists())


async def shown_case(conn: AsyncConnection, case_id: str, sight: Sight, now: datetime) -> Case | None:
    """One case; None where there is no task in it that the reader may see."""
    of_case = tasks.c.case_id == case_id
    seen = (await conn.execute(select(tasks).where(of_case, seen_by(sight.owners)).order_by(tasks.c.due_at))).all()
    if not seen:
        return None
    offender_id = seen[0].offender_id
    told = (
        await conn.execute(
            select(referrals).where(referrals.c.case_id == case_id).order_by(referrals.c.place, referrals.c.referral_id)
        )
    ).all()
    woman = await women.woman_of(conn, case_id)
    she = await reach_of(conn, woman, now)
    all_seen = set(await conn.scalars(_seen_tasks(woman, sight.owners)))
    profiles, tried = she.profiles_for(sight.owners), she.attempts_of(all_seen)
    tried.sort(key=lambda one: (one.attempted_at, one.task_id, one.number))
    kept = (await conn.execute(select(cases).where(cases.c.case_id == case_id))).first()
    hers = screens.c.case_id.in_(woman.case_ids)
    screened = await conn.execute(
        select(screens).where(hers, screens.c.owner.in_(sight.owners)).order_by(screens.c.recorded_at)
    )
    sent = await conn.execute(
        select(messages)
        .where(messages.c.case_id.in_(woman.case_ids), messages.c.task_id.in_(all_seen))
        .order_by(messages.c.asked_at, messages.c.message_id)
    )
    return Case(
        case_id=case_id,
        case=lines(CaseLine, [kept])[0] if kept else None,
        contacts=await _contacts(conn, offender_id, told, woman),
        safe_contact=she.shown(sight.owners, all_seen),
        police=await _police(conn, case_id, woman, she, sight, all_seen) if sight.advocate else None,
        referrals=lines(ReferralLine, told),
        tasks=tuple(await task_lines(conn, seen)),
        attempts=lines(AttemptLine, [one for one in tried if one.case_id == case_id]),
        profiles=tuple(map(_profile, profiles)),
        screens=lines(ScreenLine, rows_as(domain.Screen, screened.all())),
        consents=lines(ConsentLine, [one for one in she.allowed if one.owner in sight.owners]),
        messages=lines(MessageLine, sent.all()),
        links=await _links(conn, woman) if sight.advocate else (),
        guarding=await _guarding(conn, offender_id, told, sight) if sight.guarding else None,
    )


async def reach_of(conn: AsyncConnection, woman: women.Woman, now: datetime) -> Reach:
    """All there is of how she may be reached; what of it a reader may see is for the reader's owners to say."""
    allowed = await _consents(conn, woman)
    return Reach(await women.profiles_of(conn, woman), await women.attempts_of(conn, woman), allowed, now)


def _profile(profile: domain.Profile) -> ProfileLine:
    [line] = lines(ProfileLine, [profile])
    return replace(
        line,
        channels=tuple(SaidLine(ContactChannel(one), ContactSafety(said), at) for one, said, at in profile.channels),
        hours=tuple(HoursLine(*entry) for entry in profile.hours),
    )


async def _consents(conn: AsyncConnection, woman: women.Woman) -> list[domain.Consent]:
    """Of one that went with his record each lane has a copy: taken back anywhere, it is taken back."""
    query = select(consents).where(consents.c.case_id.in_(woman.case_ids))
    found: dict[str, domain.Consent] = {}
    for one in rows_as(domain.Consent, (await conn.execute(query.order_by(consents.c.given_at))).all()):
        known = found.get(one.consent_id, one)
        found[one.consent_id] = replace(known, revoked_at=known.revoked_at or one.revoked_at)
    return list(found.values())


def _seen_tasks(woman: women.Woman, owners: Collection[TaskOwner]) -> Any:
    hers = tasks.c.case_id.in_(woman.case_ids | woman.before)
    return select(tasks.c.task_id).where(hers, seen_by(owners))


async def _police(
    conn: AsyncConnection, case_id: str, woman: women.Woman, she: Reach, sight: Sight, all_seen: Collection[str]
) -> PoliceLine | None:
    """What police are shown beside what this reader is. None where they see no case of hers with him."""
    if await case_of(conn, case_id, POLICE) is None:
        return None
    theirs = set(await conn.scalars(_seen_tasks(woman, POLICE)))
    return she.beside(POLICE, theirs, sight.owners, all_seen)


async def _contacts(
    conn: AsyncConnection, offender_id: str, told: Sequence[Row[Any]], woman: women.Woman
) -> tuple[Contact, ...]:
    """Every record police have of her with him. A substitute address in any record of hers hides every other."""
    rows = await conn.execute(
        select(victims).where(victims.c.offender_id == offender_id, _is_she(told)).order_by(victims.c.place)
    )
    known = rows.all()
    carded = select(victims.c.place).where(
        victims.c.victim_id.in_(woman.victim_ids), victims.c.substitute_address.is_not(None)
    )
    hidden = any(row.substitute_address for row in known) or (await conn.execute(carded.limit(1))).first() is not None
    return tuple(
        Contact(
            name=row.name,
            contact=tuple(way for way in row.contact if not hidden or _REACHES.fullmatch(way)),
            language=row.language,
            substitute_address=row.substitute_address,
            lethality_screen=row.lethality_screen,
        )
        for row in known
    )


def _is_she(told: Sequence[Row[Any]]) -> ColumnElement[bool]:
    """Named: every record with her id. Not named: the place she has in the incident, while that is known. Of no referral:
    nobody, not all.
    """
    return or_(
        false(),
        *(
            victims.c.victim_id == referral.victim_id
            if referral.victim_id is not None
            else and_(victims.c.incident_id == referral.incident_id, victims.c.victim_no == referral.victim_no)
            for referral in told
            if referral.victim_id is not None or referral.incident_id is not None
        ),
    )


async def _links(conn: AsyncConnection, woman: women.Woman) -> tuple[LinkLine, ...]:
    found = await conn.execute(
        select(links)
        .where(links.c.victim_id.in_(woman.victim_ids), links.c.ended_at.is_(None))
        .order_by(links.c.victim_id, links.c.other_victim_id)
    )
    return tuple(dict.fromkeys(lines(LinkLine, found.all())))


async def _guarding(conn: AsyncConnection, offender_id: str, told: Sequence[Row[Any]], sight: Sight) -> Guarding:
    pairs = [referral.pair_id for referral in told]
    kept = await conn.execute(select(gates).where(gates.c.offender_id == offender_id, gates.c.pair_id.in_(pairs)))
    placed = await conn.execute(
        select(holds).where(holds.c.offender_id == offender_id, holds.c.ended_at.is_(None)).order_by(holds.c.until)
    )
    shown = (
        one if sight.lifts is None or one.by in sight.lifts else replace(one, by=None)
        for one in lines(HoldLine, placed.all())
    )
    return Guarding({row.pair_id: row.state for row in kept}, tuple(shown))
