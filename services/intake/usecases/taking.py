"""One transaction: what is new in some units, the people it changes, all that is to be said of it, and the count."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.incident import IncidentExpunged
from schemas.mapping import Mapping
from services.common.database import Database
from services.intake.checking import in_time
from services.intake.domain import AsOf, Feed, FeedPausedError, Terms, Unit
from services.intake.mapped.changes import Changes, changes
from services.intake.mapped.snapshot import Snapshot
from services.intake.people import People, named
from services.intake.renaming import described_in, renamed
from services.intake.saying import EventKey, Said, keys_of, say
from services.intake.store import outbox
from services.intake.store.bookings import has_bookings, keep_bookings, known_bookings
from services.intake.store.feeds import FeedKey, expunge, heard, last_snapshot, paused, snapshot_taken
from services.intake.store.identities import forget_incidents, keep_sightings, renames
from services.intake.store.people import load_people, save_people
from services.intake.store.receipts import Receipt, find_receipt, keep_receipt


@dataclass(frozen=True, slots=True)
class Taken:
    """`upto`: the outbox row up to which the stream must have everything. `paused`: of this feed too much was refused.

    `waits`: it has too much to be expunged, and nothing was taken.
    """

    upto: int
    said: Said
    paused: FeedKey | None = None
    waits: bool = False


async def take(
    database: Database, units: Sequence[Unit], feed: Feed, as_of: AsOf, now: datetime, terms: Terms
) -> Taken:
    """Whole or not at all, and the same units again change nothing: whoever does not know how it ended does it again.

    Raises `FeedPausedError` where nothing is taken from this feed until a person resumes it.
    """
    async with database.write() as conn:
        await outbox.alone(conn)
        return await _take(conn, units, feed, as_of, now, terms)


async def take_with_receipt(
    database: Database,
    receipt_id: str,
    units: Sequence[Unit],
    feed: Feed,
    now: datetime,
    terms: Terms,
    digest: str,
) -> Receipt:
    """`take`, and a receipt of it; sent again, the same receipt and nothing else, unless something that was refused is not any
    more: its time has come, or its sender may send it. Raises `FeedPausedError`.
    """
    async with database.write() as conn:
        await outbox.alone(conn)
        known = await find_receipt(conn, receipt_id)
        if known is not None and (known.digest != digest or not _refused(known.rejects) - _refused(_rejects(units))):
            return known
        taken = await _take(conn, units, feed, AsOf.NOW, now, terms)
        receipt = _receipt(receipt_id, units, feed, now, taken, digest)
        if known is not None:
            receipt = _with_earlier(receipt, known)
        if not taken.waits:
            await keep_receipt(conn, receipt)
    if taken.waits:  # outside, so that the pause is kept
        raise FeedPausedError(*(taken.paused or (feed.agency, feed.name)), expunges=True)
    return receipt


def _receipt(receipt_id: str, units: Sequence[Unit], feed: Feed, now: datetime, taken: Taken, digest: str) -> Receipt:
    return Receipt(
        receipt_id,
        feed.agency,
        now,
        taken.upto,
        len(units),
        sum(len(unit.events) for unit in units),
        taken.said.repeated,
        _rejects(units),
        digest,
    )


def _rejects(units: Sequence[Unit]) -> list[dict[str, Any]]:
    return [
        {"place": reject.line, "code": str(reject.code), "field": reject.field, "mend": reject.mend}
        for reject in (unit.reject for unit in units)
        if reject
    ]


def _refused(rejects: Sequence[dict[str, Any]]) -> set[int]:
    return {each["place"] for each in rejects}


def _with_earlier(receipt: Receipt, known: Receipt) -> Receipt:
    """What was taken before is not refused by now, though this sender may not send it."""
    before = _refused(receipt.rejects) - _refused(known.rejects)
    return replace(
        receipt,
        events=receipt.events + len(before),
        repeated=receipt.repeated + len(before),
        rejects=[each for each in receipt.rejects if each["place"] not in before],
    )


async def take_snapshot(
    database: Database, snapshot: Snapshot, mapping: Mapping, at: datetime, now: datetime, terms: Terms
) -> tuple[Taken, Changes | None]:
    """What has changed since the last snapshot of this roster; one that is older than the last is passed over (None)."""
    feed = Feed(mapping.name, mapping.agency)
    key = (feed.agency, feed.name)
    snapshot = in_time(snapshot, now, feed.name)
    async with database.write() as conn:
        await outbox.alone(conn)
        last = await last_snapshot(conn, key)
        seen_at = last.at if last.at is not None and last.at <= now else None  # else by a clock that was wrong
        if seen_at is not None and at <= seen_at:
            return Taken(await outbox.last(conn), Said()), None
        known = await known_bookings(conn, key, snapshot.bookings)
        found = changes(
            known,
            snapshot,
            mapping,
            at,
            first=not known and not await has_bookings(conn, key),
            empty_at=seen_at,
            accept_short=last.accept_short,
            held_at_fault=last.held_at_fault,
        )
        taken = await _take(conn, found.units, feed, AsOf.NOW, now, terms, snapshot.rows)
        await keep_bookings(conn, key, found.kept)
        await snapshot_taken(conn, key, at, found.fault, found.held_at_fault, now)
        return taken, found


async def _take(
    conn: AsyncConnection,
    units: Sequence[Unit],
    feed: Feed,
    as_of: AsOf,
    now: datetime,
    terms: Terms,
    read: int | None = None,
) -> Taken:
    units = await _renamed(conn, units)
    keys = {(feed.agency_of(unit), feed.name) for unit in units} | {(feed.agency, feed.name)}
    if (stopped := await paused(conn, keys)) is not None:
        raise FeedPausedError(*stopped)
    names = {name for unit in units for event in unit.events for name in named(event)}
    names |= {each.offender_id for unit in units for each in (*unit.facts, *unit.sightings)}
    seen = await outbox.known(conn, keys_of(units), terms.seal)
    expunged = _expunged(units, feed, seen)
    if (stopped := await paused(conn, expunged, expunges=True)) is not None:
        raise FeedPausedError(*stopped, expunges=True)
    if (stopped := await expunge(conn, expunged, terms.expunctions, now)) is not None:
        return Taken(await outbox.last(conn), Said(), stopped, waits=True)
    known = await load_people(conn, names)
    people = People(known, terms.seal)
    said = say(units, people, seen, as_of)
    await outbox.put(conn, said.keys, said.messages, now, terms.seal)
    await save_people(conn, {name: known[name] for name in people.changed})
    await _identities(conn, said, people, now, terms)
    await heard(conn, feed, units, said.fresh, terms.limit, now, read)
    return Taken(await outbox.last(conn), said, await paused(conn, keys))


def _expunged(units: Sequence[Unit], feed: Feed, seen: Collection[EventKey]) -> Counter[FeedKey]:
    """How many there are of each agency's feed, but for those that were taken before."""
    return Counter(
        (feed.agency_of(unit), feed.name)
        for unit in units
        for event in unit.events
        if isinstance(event.data, IncidentExpunged) and (event.source, event.id) not in seen
    )


async def _identities(conn: AsyncConnection, said: Said, people: People, now: datetime, terms: Terms) -> None:
    """What new records know offenders by; and of what is expunged, nothing."""
    seen = [sighting for unit in said.fresh for sighting in (*unit.sightings, *described_in(unit))]
    kept = [each for each in seen if not people.is_expunged(each.offender_id, each.incident_id)]
    await keep_sightings(conn, kept, now, terms.seal)
    events = (event.data for unit in said.fresh for event in unit.events)
    await forget_incidents(conn, (data.incident_id for data in events if isinstance(data, IncidentExpunged)))


async def _renamed(conn: AsyncConnection, units: Sequence[Unit]) -> Sequence[Unit]:
    """Whoever a split took out of a merge goes under another id than readers make."""
    names = {each for unit in units for event in unit.events for each in named(event)}
    names |= {each.offender_id for unit in units for each in (*unit.facts, *unit.sightings)}
    now = await renames(conn, names)
    return [renamed(unit, now) for unit in units] if now else units


def digest_of(raw: bytes) -> str:
    """By which the same body is known again."""
    return hashlib.sha256(raw).hexdigest()
