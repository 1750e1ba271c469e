"""What has changed from one snapshot of a roster to the next. Pure.

A booking that is new, or a change of one, is said whatever else is wrong with a snapshot. That somebody is gone is believed
only of a snapshot that can be believed: one that is empty, lacks too many of those held, or has rows that may be anybody's, is
a fault, and nobody counts as released by it. (Oregon's feed once told 8,000 people of releases that were none.)
Whose row cannot be read but for the booking's number is there.
"""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas.incident import CustodyChange
from schemas.mapping import Mapping
from services.intake.domain import Unit
from services.intake.identity import Sighting
from services.intake.mapped.held import Held, Telling, booked, changed, custody_event
from services.intake.mapped.snapshot import Booking, Snapshot
from services.intake.people import Facts, OffenderFacts

LOST_AFTER: Final = timedelta(hours=24)
"""On the way to another facility and not seen for so long: no longer held here. (VINE saw 8 hours for transfers.)"""

_A_DAY: Final = timedelta(days=1)


class Fault(StrEnum):
    """Why nobody counts as released by a snapshot."""

    EMPTY = "snapshot_empty"
    SHORT = "snapshot_short"
    UNREADABLE = "snapshot_unreadable"
    """Of a row it cannot be read whose it is, and somebody is missing who may stand in it."""


@dataclass(slots=True)
class Changes:
    """What follows from a snapshot: units to be taken, bookings to be kept, and what is wrong with it."""

    units: list[Unit] = field(default_factory=list)
    kept: dict[str, Held] = field(default_factory=dict)
    fault: Fault | None = None
    held_at_fault: int | None = None
    """How many were held when the fault began."""


def changes(
    known: Table[str, Held],
    snapshot: Snapshot,
    mapping: Mapping,
    at: datetime,
    *,
    first: bool = False,
    empty_at: datetime | None = None,
    accept_short: bool = False,
    held_at_fault: int | None = None,
) -> Changes:
    """`known`: those held by the snapshots before, and those of this snapshot that were held once. `at`: when it was taken.

    `first`: nobody was seen before; charges in it are a history load, but of those who were booked since the last empty
    snapshot (`empty_at`), or on the day before it. `accept_short`: a person has said that it is right.
    `held_at_fault`: of the snapshot before, where it had a fault.
    """
    found = Changes(list(snapshot.rejected))
    for booking_id, booking in snapshot.bookings.items():
        before = known.get(booking_id)
        if not _is_over(booking, before, at, all_read=booking_id not in snapshot.unread):
            booking = replace(booking, released_at=None)
        shown_as = booking.offender_id
        if before is not None and (before.released_at is None or booking.booked_at <= before.released_at):
            booking = booking.of_stay(before.offender_id)
        is_history = first and (empty_at is None or booking.booked_at < empty_at - _A_DAY)
        told = Telling(mapping, booking, at, bulk=is_history)
        now = booked(told, before) if before is None or before.released_at is not None else changed(told, before)
        if snapshot.all_of(booking_id) or len(booking.charges) >= now.charged:  # fewer: one may be in a row not read
            now = told.charged(now)
        if now != before:
            found.kept[booking_id] = now
        if told.events:
            unit = Unit(booking.line, tuple(told.events), facts=_facts(booking), sightings=_sightings(booking, now))
            found.units.append(unit)
        elif booking.offender_id != shown_as:
            found.units.append(Unit(booking.line, sightings=_sightings(booking, now)))  # what links the two
    away = {key: held for key, held in known.items() if held.released_at is None and key not in snapshot.bookings}
    missing = {key: held for key, held in away.items() if key not in snapshot.unread}
    found.kept |= {key: replace(held, missing_since=None) for key, held in away.items() if key not in missing}
    held = sum(each.released_at is None for each in known.values())
    if held_at_fault is not None:
        held = min(held, held_at_fault)  # whoever is booked while a wing is missing does not make the wing a small part
    found.fault = None if accept_short else _fault(held, missing, snapshot, mapping)
    found.held_at_fault = held if found.fault else None
    for booking_id, gone in missing.items():
        _gone(found, mapping, booking_id, gone, at, believed=found.fault is None)
    return found


def _is_over(booking: Booking, before: Held | None, at: datetime, *, all_read: bool) -> bool:
    """A release to come is a plan. A row of his that cannot be read may say that he is held: then none ends his stay."""
    if booking.released_at is None or booking.released_at > at:
        return False
    is_known = before is not None and before.released_at is not None and booking.booked_at <= before.released_at
    return all_read or is_known


def _fault(held: int, missing: Table[str, Held], snapshot: Snapshot, mapping: Mapping) -> Fault | None:
    gone = sum(not each.transferred for each in missing.values())
    if not snapshot.bookings and held:
        return Fault.EMPTY
    if gone and not snapshot.whole:
        return Fault.UNREADABLE
    limits = mapping.snapshot
    return Fault.SHORT if gone > max(limits.always_possible, limits.most_missing * held) else None


def _gone(found: Changes, mapping: Mapping, booking_id: str, held: Held, at: datetime, *, believed: bool) -> None:
    if held.transferred:
        since = held.missing_since or at
        if at - since < LOST_AFTER or not believed:
            found.kept[booking_id] = replace(held, missing_since=since)
            return
    elif not believed:
        return
    agency = booking_id.partition(":")[0]
    released = max(at, held.booked_at)
    event = custody_event(
        mapping, agency, booking_id, held.offender_id, CustodyChange.RELEASED, released, held.facility, at
    )
    found.units.append(Unit(0, (event,)))
    found.kept[booking_id] = replace(held, released_at=released, missing_since=None)


def _facts(booking: Booking) -> tuple[Facts, ...]:
    facts = OffenderFacts(
        booking.offender_id,
        name=booking.known.name,
        birth_date=booking.known.birth_date,
        language=booking.language,
        counsel=booking.counsel,
    )
    return (facts,)


def _sightings(booking: Booking, held: Held) -> tuple[Sighting, ...]:
    """The number of the arrest is what the police's own report of it has too."""
    incident = booking.incident_id if held.charges or held.charged else None
    return (Sighting(booking.offender_id, booking.known, incident, booking.arrest),)
