"""What is kept of a booking from one snapshot to the next, and what is told of it when it is new or has changed. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas import incident as contract
from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.incident import CustodyChange
from schemas.mapping import Mapping
from services.intake.mapped.snapshot import Booking


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


class Telling:
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
            custody_event(
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


def booked(told: Telling, before: Held | None) -> Held:
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


def changed(told: Telling, before: Held) -> Held:
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


def custody_event(
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


def _incident(told: Telling, revision: int) -> Event[Data]:
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
