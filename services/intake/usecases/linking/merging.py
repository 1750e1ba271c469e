"""Two records made one, and what is asked of a person where that is not certain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.incident import OffenderMerged
from services.intake.domain import AsOf, Terms, Unit
from services.intake.linkage.rules import Bars, Contradiction, Known, fit_together
from services.intake.linkage.rules import shared as in_common
from services.intake.people import Own, People, named
from services.intake.saying import SOURCE, say
from services.intake.store import linkage, outbox
from services.intake.store.linkage import DIFFERENT, MOOT, OPEN, Candidate, Link
from services.intake.store.people import load_people, save_people
from services.intake.usecases.linking.groups import Group, Groups

AT_ONCE: Final = 200
"""Records or pairs in one transaction: whoever takes from agencies waits for it."""
BARS: Final = Bars()


async def against_merging(conn: AsyncConnection, one: Group, other: Group) -> Contradiction | None:
    """What speaks against making one of two groups, whatever speaks for one pair: the registers, or a person's word."""
    if not fit_together(one.known, other.known):
        return Contradiction.STATE_NUMBERS
    if await linkage.between(conn, one.ids, other.ids, {DIFFERENT}):
        return Contradiction.DECIDED
    return None


def question(
    one: Known, other: Known, probability: float | None, against: Contradiction | None, terms: Terms
) -> Candidate:
    codes = tuple(sorted(in_common(one, other)))
    first, second = sorted((one.record_id, other.record_id))
    return Candidate(
        terms.seal(f"pair|{first}|{second}")[:36],
        one.record_id,
        other.record_id,
        probability,
        terms.seal("|".join(codes))[:16],
        codes,
        str(against) if against else None,
    )


async def merge(conn: AsyncConnection, groups: Groups, one: Group, other: Group, terms: Terms, link: Link) -> None:
    """The one whose records came first stays. Questions between the two are moot."""
    stays, goes = sorted((one, other), key=lambda group: (group.since, group.root))
    before = await linkage.times(conn, "merge", stays.root, goes.root)
    event = event_of(
        OffenderMerged(offender_id=stays.root, merged_offender_id=goes.root),
        deterministic_id("identity", "merged", stays.root, goes.root, before),
        stays.root,
        link.at,
    )
    await say_events(conn, [event], terms, link.at)
    await linkage.note(conn, replace(link, event_id=event.id, offender_id=stays.root, other_id=goes.root))
    for asked in await linkage.between(conn, stays.ids, goes.ids, {OPEN}):
        if asked.candidate_id != link.candidate_id:
            await linkage.answer(conn, asked.candidate_id, MOOT, link.at)
    groups.unite(stays, goes)


def event_of(data: Data, event_id: str, subject: str, at: datetime) -> Event[Data]:
    return Event(
        id=event_id, source=SOURCE, subject=subject, time=at, data=data, dataclassification=Classification.RESTRICTED
    )


async def say_events(
    conn: AsyncConnection,
    events: Sequence[Event[Data]],
    terms: Terms,
    now: datetime,
    own: Mapping[str, Own] = MappingProxyType({}),
) -> None:
    """Into the outbox, with the records of people that follow. `own`: of who were one, with a record of each in `events`."""
    known = await load_people(conn, {name for event in events for name in named(event)})
    people = People(known, terms.seal)
    for who, his in own.items():
        people.part(who, his)
    said = say([Unit(0, tuple(events))], people, (), AsOf.NOW)
    await outbox.put(conn, said.keys, said.messages, now, terms.seal)
    await save_people(conn, {name: known[name] for name in people.changed})
