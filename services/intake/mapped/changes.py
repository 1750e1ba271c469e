"""What has changed from one snapshot of a roster to the next. Pure.

A booking that is new, or a change of one, is said whatever else is wrong with a snapshot. That somebody is gone is believed
only of a snapshot that can be believed: one that is empty, lacks too many of those held, or has rows that may be anybody's, is
a fault, and nobody counts as released by it. (Oregon's feed once told 8,000 people of releases that were none.)
Whose row cannot be read but for the booking's number is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas import incident as contract
from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.incident import CustodyChange
from schemas.mapping import Mapping
from services.intake.domain import Unit
from services.intake.identity import Sighting
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


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept of a booking from one snapshot to the next. `released_at`: not held since."""

    offender_id: str
    booked_at: datetime
    facility: str | None = None
    hearing_at: datetime | None = None
    released_at: datetime | None = None
    missing_since: datetime | None = None
    transferred: bool = False
    charges: str = ""
    charged: int = 0
    """How many charges of his were last told."""
    revision: int = 0
    """Of the incident that the booking's charges become."""


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
        told = _Telling(mapping, booking, at, bulk=is_history)
        now = _booked(told, before) if before is None or before.released_at is not None else _changed(told, before)
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
    event = _custody(mapping, agency, booking_id, held.offender_id, CustodyChange.RELEASED, released, held.facility, at)
    found.units.append(Unit(0, (event,)))
    found.kept[booking_id] = replace(held, released_at=released, missing_since=None)


class _Telling:
    """The events of one booking of a snapshot."""

    def __init__(self, mapping: Mapping, booking: Booking, at: datetime, *, bulk: bool) -> None:
        self.mapping = mapping
        self.booking = booking
        self.at = at
        self.bulk = bulk or mapping.bulk
        self.events: list[Event[Data]] = []

    def custody(self, change: CustodyChange, moment: datetime) -> None:
        booking = self.booking
        self.events.append(
            _custody(
                self.mapping,
                booking.agency,
                booking.booking_id,
                booking.offender_id,
                change,
                moment,
                booking.facility,
                self.at,
            )
        )

    def charged(self, now: Held) -> Held:
        """The charges of the booking as an incident, if one of them may concern a partner."""
        booking = self.booking
        relevant = any(charge.has_victim or charge.prohibited for charge in booking.charges)
        digest = hashlib.sha256(repr((booking.charges, booking.arrest)).encode()).hexdigest() if relevant else ""
        if digest == now.charges or (not digest and not now.revision):
            return now
        now = replace(now, charges=digest, charged=len(booking.charges), revision=now.revision + 1)
        self.events.append(_incident(self, now.revision))
        return now


def _booked(told: _Telling, before: Held | None) -> Held:
    """New, or here again under the number of a stay that had ended: held from when he is seen, if he was not booked anew.

    Shown as released later than was told, he was not here again: the release is told as it is now known.
    """
    booking = told.booking
    moment = booking.booked_at
    if before is not None and before.released_at is not None:
        if not booking.held and booking.released_at <= before.released_at:  # type: ignore[operator]
            return before
        if not booking.held and moment <= before.released_at:
            assert booking.released_at is not None
            told.custody(CustodyChange.RELEASED, booking.released_at)
            return replace(before, released_at=booking.released_at)
        if moment <= before.released_at:
            moment = max(told.at, before.released_at + timedelta(seconds=1))
    told.custody(CustodyChange.BOOKED, moment)
    if booking.hearing_at is not None:
        told.custody(CustodyChange.HEARING_SET, booking.hearing_at)
    if booking.released_at is not None:
        told.custody(CustodyChange.RELEASED, booking.released_at)
    his = before if before is not None and before.offender_id == booking.offender_id else None
    return Held(
        booking.offender_id,
        moment,
        booking.facility,
        booking.hearing_at,
        booking.released_at,
        None,
        booking.transferred,
        his.charges if his else "",
        his.charged if his else 0,
        before.revision if before else 0,  # the incident's, whoever had the number
    )


def _changed(told: _Telling, before: Held) -> Held:
    """Held before and there now: a transfer is the same booking in another facility."""
    booking = told.booking
    if booking.facility not in (None, before.facility):
        told.custody(CustodyChange.BOOKED, before.booked_at)
    if booking.hearing_at not in (None, before.hearing_at):
        assert booking.hearing_at is not None
        told.custody(CustodyChange.HEARING_SET, booking.hearing_at)
    released = None if booking.released_at is None else max(booking.released_at, before.booked_at)
    if released is not None:
        told.custody(CustodyChange.RELEASED, released)
    return replace(
        before,
        facility=booking.facility or before.facility,
        hearing_at=booking.hearing_at or before.hearing_at,
        released_at=released,
        missing_since=None,
        transferred=booking.transferred,
    )


def _custody(
    mapping: Mapping,
    agency: str,
    booking_id: str,
    offender_id: str,
    change: CustodyChange,
    moment: datetime,
    facility: str | None,
    at: datetime,
) -> Event[Data]:
    """The id has the snapshot's time in it: a hearing that is set back to where it was is news."""
    data = contract.CustodyChanged(
        offender_id=offender_id,
        booking_id=booking_id,
        change=change,
        at=moment,
        facility=facility[:120] if facility else None,
    )
    content = hashlib.sha256(data.canonical()).hexdigest()
    return Event(
        id=deterministic_id("custody", booking_id, content, at.isoformat()),
        source=f"/agencies/{agency}/{mapping.name}",
        subject=offender_id,
        time=at,
        data=data,
        dataclassification=Classification.RESTRICTED,
    )


def _incident(told: _Telling, revision: int) -> Event[Data]:
    """Nobody has said whom it was done to: one victim without a name, relationship unknown, so that somebody asks."""
    booking = told.booking
    codes = list(dict.fromkeys(charge.code for charge in booking.charges if charge.has_victim))
    breaches = [breach for charge in booking.charges for breach in charge.prohibited]
    charged = any(charge.charged for charge in booking.charges)
    data = contract.IncidentReported(
        incident_id=booking.incident_id,
        revision=revision,
        agency=booking.agency,
        occurred_at=booking.booked_at,
        reported_at=booking.booked_at,
        offender=contract.Offender(offender_id=booking.offender_id, birth_date=booking.known.birth_date),
        victims=[contract.Victim(victim_no=1, relationship="RU", offenses=codes)] if codes else [],
        offenses=[
            contract.Offense(code=charge.code, charged=charge.charged, force=list(charge.force), statute=charge.statute)
            for charge in booking.charges
        ],
        prohibited_behavior=list(dict.fromkeys(breaches)),
        probable_cause=True if charged else None,
        offender_informed=True if charged else None,
        arrest=contract.Arrest(arrest_id=booking.arrest, arrested_at=booking.booked_at, type=booking.arrest_type)
        if booking.arrest
        else None,
        bulk=told.bulk,
    )
    content = hashlib.sha256(data.canonical()).hexdigest()
    return Event(
        id=deterministic_id("mapped", data.TYPE, data.incident_id, revision, booking.offender_id, content),
        source=f"/agencies/{booking.agency}/{told.mapping.name}",
        subject=booking.offender_id,
        time=booking.booked_at,
        data=data,
        dataclassification=Classification.RESTRICTED,
        correlationid=data.incident_id,
    )


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
