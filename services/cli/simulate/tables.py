"""Two tables that counties keep: who is held now (the jail's roster), and the notices that were given before this system.

They are read by the mappings that are shipped, `deploy/mappings/roster.yaml` and `notices.yaml`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from schemas.incident import CustodyChange, CustodyChanged, IncidentReported, NotificationRecorded
from services.cli.simulate.aftermath import JAIL
from services.cli.simulate.flat import ZONE
from services.cli.simulate.history import Life

ROSTER: Final = ("booking", "person", "name", "booked", "facility", "hearing", "status", "charge")
NOTICES: Final = ("agency", "offender_id", "person", "notice", "tier", "served")
_CHARGES: Final = {
    "14-33(c)(2)": "ASSAULT ON A FEMALE", "14-33(a)": "SIMPLE ASSAULT", "14-32.4(b)": "ASSAULT BY STRANGULATION",
    "14-32": "ASSAULT WITH A DEADLY WEAPON", "14-277.1": "COMMUNICATING THREATS", "14-39": "KIDNAPPING",
    "14-27.22": "SECOND DEGREE FORCIBLE RAPE", "14-51": "BURGLARY", "14-17": "MURDER",
    "14-134.3": "DOMESTIC CRIMINAL TRESPASS", "14-127": "INJURY TO REAL PROPERTY", "50B-4.1(a)": "VIOL DVPO 50B",
}  # fmt: skip


def row(*values: str) -> bytes:
    """One line of CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue().encode()


def charge_text(statute: str) -> str:
    """As jails and courts write it."""
    return _CHARGES.get(statute, statute)


def held(life: Life) -> Iterator[tuple[float, bytes]]:
    """His bookings that have not ended: one row each."""
    bookings: dict[str, dict[CustodyChange, datetime]] = {}
    charges = {}
    for sent in life.sent:
        data = sent.event.data
        if isinstance(data, CustodyChanged):
            bookings.setdefault(data.booking_id, {})[data.change] = data.at
        elif isinstance(data, IncidentReported) and data.arrest is not None:
            charges[data.incident_id.partition(":")[2]] = data.offenses[0].statute or ""
    for booking, changes in bookings.items():
        if CustodyChange.RELEASED in changes:
            continue
        number = booking.partition(":")[2]
        known = life.known[0].identifiers
        charge = charges.get(number.removeprefix("J"), "")
        booked, hearing = changes[CustodyChange.BOOKED], changes.get(CustodyChange.HEARING_SET)
        yield booked.timestamp(), row(
            number, known.agency_person or "", known.name or "", _moment(booked), JAIL,
            _moment(hearing) if hearing else "", "in", charge_text(charge),
        )  # fmt: skip


def notices(life: Life) -> Iterator[tuple[float, bytes]]:
    """Those he was given: one row each."""
    for sent in life.sent:
        data = sent.event.data
        if isinstance(data, NotificationRecorded):
            agency = sent.event.source.rpartition("/")[2]
            number = data.notification_id.partition(":")[2].removesuffix(".notice")
            served = f"{data.served_at:%Y-%m-%dT%H:%M:%S%z}"
            yield sent.at.timestamp(), row(agency, data.offender_id, "", number, data.tier, served)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M}"
