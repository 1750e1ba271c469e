"""What is asked of a record once it is read: whose it is, whether its sender may send it, and whether its time has come.

The same for every way in, and after reading: what a reader makes of a file depends on the file alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from schemas.envelope import Data, Event
from schemas.incident import (
    CaseDisposed,
    CustodyChange,
    CustodyChanged,
    IncidentExpunged,
    IncidentReported,
    IncidentRetracted,
    NotificationRecorded,
    OffenderMerged,
    OffenderSplit,
    OrderChanged,
)
from schemas.kinds import SentKind
from schemas.person import OffenderDescribed, VictimsDescribed
from schemas.rejects import InvalidRecord, RejectCode
from services.intake.cloudevents import check_agency
from services.intake.domain import Reject, Unit
from services.intake.mapped.snapshot import Snapshot

_KIND_OF: Final[dict[type[Data], SentKind]] = {
    IncidentReported: SentKind.INCIDENTS,
    IncidentRetracted: SentKind.INCIDENTS,
    IncidentExpunged: SentKind.EXPUNCTIONS,
    VictimsDescribed: SentKind.VICTIMS,
    CustodyChanged: SentKind.CUSTODY,
    OrderChanged: SentKind.ORDERS,
    CaseDisposed: SentKind.DISPOSITIONS,
    NotificationRecorded: SentKind.NOTICES,
    OffenderMerged: SentKind.PEOPLE,
    OffenderSplit: SentKind.PEOPLE,
    OffenderDescribed: SentKind.PEOPLE,
}

_A_DAY: Final = timedelta(days=1)
"""For a clock or a time zone that is hours ahead, and what is known by its date alone: no woman waits for a clock to be set."""
_A_YEAR: Final = timedelta(days=366)
"""How far off an order may begin."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends. Without an agency: whoever runs this system, whose files may tell of any."""

    agency: str | None = None
    kinds: frozenset[SentKind] | None = None
    """Nothing else. None: everything, but over HTTP of dispositions its own arrests', and no notices."""
    over_http: bool = False


OPERATOR: Final = Sender()


def check(event: Event[Data], sender: Sender, now: datetime) -> None:
    """Raises `InvalidRecord` where this sender may not send it, or it tells of what is still to come."""
    if sender.agency is not None:
        check_agency(event, sender.agency)
    if sender.kinds is not None:
        if _KIND_OF[type(event.data)] not in sender.kinds:
            raise InvalidRecord(RejectCode.KIND_NOT_ALLOWED, "type")
    elif sender.over_http:
        _check_own_case(event.data, sender.agency)
    for field, at, margin in _told(event):
        if at > now + margin:
            raise InvalidRecord(RejectCode.IN_FUTURE, field)


def checked(unit: Unit, sender: Sender, now: datetime, file: str) -> Unit:
    """The unit, or its reject: one record that is refused takes the rest of its unit along, and nothing else."""
    try:
        for event in unit.events:
            check(event, sender, now)
    except InvalidRecord as wrong:
        raw = b"\n".join(event.data.canonical() for event in unit.events)
        return Unit(unit.line, reject=Reject(file, unit.line, wrong.code, wrong.field, raw, len(raw)))
    return unit


def in_time(snapshot: Snapshot, now: datetime, file: str) -> Snapshot:
    """Without who is to be booked yet: refused, and as one whose row cannot be read he is there, and not gone."""
    ahead = {key: one for key, one in snapshot.bookings.items() if one.booked_at > now + _A_DAY}
    if not ahead:
        return snapshot
    refused = (
        Unit(one.line, reject=Reject(file, one.line, RejectCode.IN_FUTURE, "booked", key.encode(), len(key.encode())))
        for key, one in ahead.items()
    )
    return replace(
        snapshot,
        bookings={key: one for key, one in snapshot.bookings.items() if key not in ahead},
        rejected=(*snapshot.rejected, *refused),
        unread=snapshot.unread | ahead.keys(),
    )


def _check_own_case(data: Data, agency: str | None) -> None:
    """Of an arrest the ORI before its number says whose it is; of a notice nothing does."""
    if isinstance(data, CaseDisposed) and not data.arrest_id.startswith(f"{agency}:"):
        raise InvalidRecord(RejectCode.ANOTHER_AGENCY, "arrest_id")
    if isinstance(data, NotificationRecorded):
        raise InvalidRecord(RejectCode.KIND_NOT_ALLOWED, "type")


def _told(event: Event[Data]) -> Iterator[tuple[str, datetime, timedelta]]:
    """Each time that must have come, and how far ahead it may be all the same. A hearing and the end of an order lie ahead."""
    data = event.data
    yield "time", event.time, _said_ahead(event)
    match data:
        case IncidentReported():
            yield "occurred_at", data.occurred_at, _A_DAY
            yield "reported_at", data.reported_at, _A_DAY
            if data.arrest is not None:
                yield "arrest.arrested_at", data.arrest.arrested_at, _A_DAY
        case CustodyChanged() if data.change is not CustodyChange.HEARING_SET:
            yield "at", data.at, _A_DAY
        case NotificationRecorded():
            yield "served_at", data.served_at, _A_DAY
        case OrderChanged():
            yield "from", data.from_, _A_YEAR
        case OffenderDescribed(custody=custody) if custody is not None:
            if custody.booked_at is not None:
                yield "custody.booked_at", custody.booked_at, _A_DAY
            if custody.released_at is not None:
                yield "custody.released_at", custody.released_at, _A_DAY
        case _:
            pass


def _said_ahead(event: Event[Data]) -> timedelta:
    """By it the later of two words on an order counts; tables have it from `from`."""
    match event.data:
        case OrderChanged(from_=begins) if event.time <= begins:
            return _A_YEAR
        case _:
            return _A_DAY
