"""A roster file as one snapshot: who is held at one moment, and the rows that could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Final

from pydantic import ValidationError

from schemas.mapping import Kind, Mapping
from schemas.rejects import InvalidRecord, RejectCode
from services.intake.domain import InputError, Unit
from services.intake.identity import Identifiers, offender_id, offender_ids
from services.intake.lines import Source
from services.intake.mapped.charges import Charge, charge_of
from services.intake.mapped.reader import reject_of
from services.intake.mapped.rows import Row, RowError, rows
from services.intake.mapped.values import Values

_AN_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Booking:
    """One booking as the roster shows it; charges of several rows together."""

    agency: str
    number: str
    offender_id: str
    booked_at: datetime
    known: Identifiers = field(repr=False)
    facility: str | None = None
    hearing_at: datetime | None = None
    released_at: datetime | None = None
    transferred: bool = False
    """On the way to another facility: held all the same."""
    charges: tuple[Charge, ...] = ()
    arrest: str | None = None
    """Number of the arrest, with the ORI of the agency that made it."""
    arrest_type: str = "T"
    language: str | None = None
    counsel: str | None = field(default=None, repr=False)
    line: int = 0

    @property
    def booking_id(self) -> str:
        return f"{self.agency}:{self.number}"

    @property
    def incident_id(self) -> str:
        """Of its charges, where one may concern a partner."""
        return f"{self.agency}:booking-{self.number}"[:110]

    @property
    def held(self) -> bool:
        return self.released_at is None

    def of_stay(self, offender_id: str) -> Booking:
        """A number that he gets in jail makes nobody else of him: he stays who he was when the stay began.

        One that takes another's place may be another man's: it stays out of what links him, and so does what stands beside it.
        """
        now = replace(self, offender_id=offender_id)
        if not self.known.is_numbered or offender_id in offender_ids(_of_booking(self.known, self.number)):
            return now
        return replace(now, known=Identifiers(self.agency, self.known.report), language=None, counsel=None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a roster file holds. `unread`: the bookings of rows that could not be read, None where not even that could be."""

    bookings: dict[str, Booking]
    rejected: tuple[Unit, ...]
    rows: int
    unread: frozenset[str | None] = frozenset()

    @property
    def whole(self) -> bool:
        """Whose every row is could be told, so that who is missing is not there."""
        return None not in self.unread

    def all_of(self, booking_id: str) -> bool:
        """Every row of this booking could be read."""
        return self.whole and booking_id not in self.unread


def read_snapshot(source: Source, mapping: Mapping) -> Snapshot:
    """By booking id, in the order of the file. Raises `InputError` where the file is not this table, or breaks off."""
    if mapping.kind is not Kind.ROSTER:
        raise InputError(f"{source.path}: mapping {mapping.name} is of kind {mapping.kind}, not of a roster")
    found: dict[str, Booking] = {}
    rejected: list[Unit] = []
    unread: set[str | None] = set()
    count = 0
    for row in rows(source, encoding=mapping.encoding, delimiter=mapping.delimiter, needed=mapping.columns.values()):
        count += 1
        try:
            booking = _booking(mapping, row)
            if booking is not None:
                known = found.get(booking.booking_id)
                found[booking.booking_id] = _together(known, booking, Values(mapping, row)) if known else booking
        except (InvalidRecord, ValidationError) as wrong:
            rejected.append(Unit(row.line, reject=reject_of(source, [row], wrong)))
            unread.add(_booking_id(mapping, row))
    return Snapshot(found, tuple(rejected), count, frozenset(unread))


def _booking_id(mapping: Mapping, row: Row) -> str | None:
    """Whatever else in the row cannot be read."""
    if row.error:
        return None
    values = Values(mapping, row)
    try:
        return f"{values.agency}:{values.number('booking')}"
    except RowError:
        return None


def _booking(mapping: Mapping, row: Row) -> Booking | None:
    """None where nobody is named: nobody can be followed."""
    if row.error:
        raise row.error
    values = Values(mapping, row)
    number = values.number("booking")
    him = values.identifiers(number)
    booked = values.needed_moment("booked")
    released = _released(values, booked)
    status = values.text("status")
    charge = charge_of(values)
    arrest = values.short("arrest")
    him = him or Identifiers(values.agency, f"booking {number}")
    return Booking(
        agency=values.agency,
        number=number,
        offender_id=offender_id(_of_booking(him, number)),
        booked_at=booked,
        facility=values.text("facility"),
        hearing_at=values.moment("hearing"),
        released_at=released,
        transferred=status is not None and status.upper() in {each.upper() for each in mapping.transferred},
        charges=(charge,) if charge else (),
        arrest=f"{values.ori('arrest_agency') or values.agency}:{arrest}" if arrest else None,
        arrest_type=values.one_of("arrest_type", {"O": "O", "S": "S", "T": "T", **mapping.arrest_types}) or "T",
        known=him,
        language=values.language("language"),
        counsel=values.text("counsel"),
        line=row.line,
    )


def _released(values: Values, booked: datetime) -> datetime | None:
    """Not before he was booked: but a date alone is its first moment, and when summer time ends an hour comes twice."""
    released = values.moment("released")
    if released is None:
        return None
    before = booked.astimezone(UTC) - released.astimezone(UTC)
    is_day_alone = released.time() == time() and released.date() == booked.date()
    if before > _AN_HOUR and not is_day_alone:
        raise values.wrong("released", RejectCode.ROW_CONFLICT)
    return booked if before > timedelta() else released


def _of_booking(him: Identifiers, number: str) -> Identifiers:
    """A booking's number must not be taken for an incident's."""
    return replace(him, report=f"booking {number}")


def _together(known: Booking, more: Booking, values: Values) -> Booking:
    """Two rows of one booking are two charges of it; rows that tell of two men are not. Held for one, he is held."""
    if known.offender_id != more.offender_id:
        raise values.wrong("booking", RejectCode.ROW_CONFLICT)
    him = known.known
    if not him.is_numbered:  # the booking's number alone makes one of them
        seen: dict[str, object] = {}
        values.one_man(seen, him)
        values.one_man(seen, more.known)
    ends = (known.released_at, more.released_at)
    return replace(
        known,
        known=replace(him, name=him.name or more.known.name, birth_date=him.birth_date or more.known.birth_date),
        charges=(*known.charges, *more.charges),
        hearing_at=known.hearing_at or more.hearing_at,
        released_at=None if known.held or more.held else max(end for end in ends if end),
    )
