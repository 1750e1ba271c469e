"""One person after another from the classifier's tables, in an order that two readings share.

Whoever was merged is read with the record he was merged into. What was expunged is not there, and no notice given for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from schemas.classification import Tier
from schemas.envelope import Event, pair_id
from schemas.incident import NotificationRecorded
from schemas.notification import Channel, NotificationServed, NotificationWithdrawn
from schemas.policy import Policy
from services.classifier.domain import Decided, Finding, Kept, Offender
from services.classifier.store import ClassifierStore
from services.classifier.store.tables import offenders
from services.classifier.terms import OnePolicy
from services.classifier.usecases.settling import names_of
from services.common.database import Database
from services.common.tables import lanes

CHUNK = 500
"""People in memory at once."""


class Element(StrEnum):
    """How a notice was given, as the strategy's parts are spoken of."""

    LETTER = "letter"
    CALL = "call"
    VISIT = "visit"
    CALL_IN = "call_in"
    PROVIDER = "provider"
    NOT_RECORDED = "not_recorded"
    """Given before this system was there."""


ELEMENTS: Mapping[Channel, Element] = {
    Channel.LETTER_IN_HAND: Element.LETTER,
    Channel.MAIL: Element.LETTER,
    Channel.PHONE: Element.CALL,
    Channel.FACE_TO_FACE: Element.VISIT,
    Channel.CUSTODY_VISIT: Element.VISIT,
    Channel.CALL_IN: Element.CALL_IN,
    Channel.PROVIDER_REFERRAL: Element.PROVIDER,
}


@dataclass(frozen=True, slots=True)
class Given:
    """One notice that he was given."""

    notification_id: str
    tier: Tier
    served_at: datetime
    element: Element
    incident_id: str | None = None
    """Null: of before this system."""
    recorded_at: datetime | None = None
    """When its incident was first decided upon, which is when it was recorded."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person, under whatever ids he was told of."""

    offender_id: str
    incidents: tuple[Finding, ...]
    """Those that stand and have a partner among their victims, by `occurred_at`, then `incident_id`."""
    tiers: Mapping[str, Tier | None]
    """His list after each of them, under the policy it is read with."""
    notices: tuple[Given, ...]
    """By `served_at`."""
    records: tuple[Event[Kept], ...]
    """Courts, jails, orders."""
    decisions: tuple[Decided, ...]
    """In the order they were made."""


async def people(database: Database, policy: Policy) -> AsyncIterator[Person]:
    """Everybody of whom anything is left, by id as the database sorts them; `CHUNK` at a time.

    Each chunk is one short read, so that nothing that writes waits; a person is always read whole.
    """
    store = ClassifierStore(OnePolicy(policy))
    after = ""
    while True:
        async with database.read() as conn:
            mine = offenders.c
            query = select(mine.offender_id).where(mine.offender_id > after, mine.alias_to.is_(None))
            ids = (await conn.scalars(query.order_by(mine.offender_id).limit(CHUNK))).all()
            found = await store.load(conn, ids)
            merged = await store.load(conn, {each for one in found.values() for each in one.absorbed})
        for offender_id in ids:
            one = found[offender_id]
            told = person(one, [merged[each] for each in sorted(one.absorbed) if each in merged])
            if told.incidents or told.notices:
                yield told
        if len(ids) < CHUNK:
            return
        after = ids[-1]


async def newest(database: Database) -> datetime | None:
    """The highest record time in any lane: how far what is known reaches. None: nothing has come."""
    async with database.read() as conn:
        found: datetime | None = await conn.scalar(select(func.max(lanes.c.clock)))
        return found


def person(one: Offender, merged: Iterable[Offender] = ()) -> Person:
    """`merged`: the records that went into his, for what was decided under their ids."""
    findings = sorted(one.assessment.findings.values(), key=lambda each: each.place)
    decisions = sorted(_decided([one, *merged]), key=lambda each: (each.decided_at, each.place, each.decision_id))
    recorded: dict[str, datetime] = {}
    for decided in decisions:
        if decided.pair_id is not None:
            recorded[decided.pair_id] = min(decided.decided_at, recorded.get(decided.pair_id, decided.decided_at))
    incidents = {
        pair_id(incident_id, name): incident_id
        for incident_id in one.history.strands
        for name in names_of(one, incident_id)
    }
    records = one.history.records.items()
    notices = [
        given for (kind, _), event in records if kind == "notice" for given in _given(event, incidents, recorded)
    ]
    return Person(
        offender_id=one.offender_id,
        incidents=tuple(each for each in findings if each.qualifies),
        tiers=one.assessment.standing.tiers,
        notices=tuple(sorted(notices, key=lambda each: (each.served_at, each.notification_id))),
        records=tuple(event for (kind, _), event in records if kind in ("disposition", "order", "custody")),
        decisions=tuple(decisions),
    )


def _decided(records: Iterable[Offender]) -> Iterator[Decided]:
    for one in records:
        yield from one.decisions.values()


def _given(event: Event[Any], incidents: Mapping[str, str], recorded: Mapping[str, datetime]) -> Iterator[Given]:
    """Nothing for a notice whose incident has left no trace, or is not his any more."""
    match data := event.data:
        case NotificationRecorded():
            yield Given(data.notification_id, Tier(data.tier), data.served_at, Element.NOT_RECORDED)
        case NotificationServed() | NotificationWithdrawn(mistake=None) if data.pair_id in incidents:
            element = ELEMENTS[data.channel]
            incident_id = incidents[data.pair_id]
            at = recorded.get(data.pair_id)
            yield Given(data.notification_id, data.tier, data.served_at, element, incident_id, at)
