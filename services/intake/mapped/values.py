"""One row's columns as texts, dates, numbers and codes, as the mapping file says. Errors name the column, never the value."""

from __future__ import annotations

from collections.abc import Mapping as Table
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from schemas.mapping import Kind, Mapping
from schemas.rejects import RejectCode
from services.intake.identity import Identifiers
from services.intake.mapped.rows import Row, RowError

_LONGEST: Final = 200
_EARLIEST, _LATEST = 1900, 2200
_TIMES: Final = {
    Kind.INCIDENTS: "occurred",
    Kind.ROSTER: "booked",
    Kind.ORDERS: "from",
    Kind.DISPOSITIONS: "disposed",
    Kind.NOTICES: "served",
}
"""When it was what a row tells of."""
T = TypeVar("T")


@dataclass(frozen=True)
class Values:
    """A row under a mapping. Every reading raises `RowError`; a column that is not mapped is not known."""

    mapping: Mapping
    row: Row

    def wrong(self, name: str, code: RejectCode = RejectCode.ROW_VALUE) -> RowError:
        return RowError(self.row.line, code, self.mapping.columns.get(name, name))

    @cached_property
    def _unknown(self) -> frozenset[str]:
        return frozenset(value.upper() for value in self.mapping.unknown)

    def text(self, name: str) -> str | None:
        """None where nothing is known."""
        column = self.mapping.columns.get(name)
        value = self.row.values.get(column, "").strip() if column else ""
        if not value or value.upper() in self._unknown:
            return None
        if len(value) > _LONGEST:
            raise self.wrong(name, RejectCode.OUT_OF_RANGE)
        if any(ord(character) < 32 or character == "\x7f" for character in value):
            raise self.wrong(name)
        return value

    def needed(self, name: str) -> str:
        if (value := self.text(name)) is None:
            raise self.wrong(name, RejectCode.MISSING_FIELD)
        return value

    def moment(self, name: str) -> datetime | None:
        """A time; one without a zone is in the mapping's, a date alone is its first moment."""
        found = self._dated(name)
        return found[0] if found else None

    def _dated(self, name: str) -> tuple[datetime, str] | None:
        """The time, and the form it is in."""
        value = self.text(name)
        if value is None:
            return None
        for form in self.mapping.dates:
            try:
                found = datetime.strptime(value, form)
            except ValueError:
                continue
            if not _EARLIEST <= found.year < _LATEST:
                break
            return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(self.mapping.time_zone)), form
        raise self.wrong(name, RejectCode.ROW_DATE)

    def needed_moment(self, name: str) -> datetime:
        if (value := self.moment(name)) is None:
            raise self.wrong(name, RejectCode.MISSING_FIELD)
        return value

    def born(self, name: str) -> date | None:
        """A birth date, never after what the row tells of; a year of two figures is in the century that can be meant."""
        found = self._dated(name)
        if found is None:
            return None
        day, last = found[0].date(), self._told_on
        if last is None or day <= last:
            return day
        try:
            if "%y" in found[1]:
                return day.replace(year=day.year - 100)
        except ValueError:  # 29 February 1900
            pass
        raise self.wrong(name, RejectCode.ROW_DATE)

    @cached_property
    def _told_on(self) -> date | None:
        """None where the row's own time cannot be read: that is its error, not the birth date's."""
        try:
            found = self.moment(_TIMES[self.mapping.kind])
        except RowError:
            return None
        return found.date() if found else None

    def whole(self, name: str, least: int, most: int) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise self.wrong(name, RejectCode.OUT_OF_RANGE)
        return int(value)

    def yes(self, name: str) -> bool | None:
        """None where it is not known, which is not no."""
        value = self.text(name)
        if value is None:
            return None
        if value.upper() in {each.upper() for each in self.mapping.yes}:
            return True
        if value.upper() in {each.upper() for each in self.mapping.no}:
            return False
        raise self.wrong(name)

    def one_of(self, name: str, table: Table[str, T]) -> T | None:
        """The entry of the table, upper and lower case alike; of two the later one: this system's own words stand first."""
        value = self.text(name)
        if value is None:
            return None
        for word, meaning in reversed([*table.items()]):
            if word.upper() == value.upper():
                return meaning
        raise self.wrong(name)

    @property
    def agency(self) -> str:
        """ORI."""
        return self.ori("agency") or self.mapping.agency

    def ori(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not (len(value) == 9 and value.isascii() and value.isalnum() and value.isupper()):
            raise self.wrong(name, RejectCode.BAD_FORMAT)
        return value

    def number(self, name: str) -> str:
        """An incident's, booking's or order's own number."""
        self.needed(name)
        return self.short(name) or ""

    def short(self, name: str) -> str | None:
        """A text that becomes part of an id."""
        value = self.text(name)
        if value is not None and len(value) > 100:
            raise self.wrong(name, RejectCode.OUT_OF_RANGE)
        return value

    def language(self, name: str) -> str | None:
        """ISO 639, two letters or three."""
        value = self.text(name)
        if value is not None and not (value.isascii() and value.isalpha() and len(value) in (2, 3)):
            raise self.wrong(name, RejectCode.BAD_FORMAT)
        return value.lower() if value else None

    def identifiers(self, report: str) -> Identifiers | None:
        """Who he is; None where nothing names anybody: no known offender."""
        known = self.named(report)
        if known is None:
            return None
        if known.name is not None and len(known.name) > _LONGEST:
            raise self.wrong("last_name", RejectCode.OUT_OF_RANGE)
        return replace(known, birth_date=self.born("birth_date"), sex=self.text("sex"))

    def named(self, report: str) -> Identifiers | None:
        """What makes his `offender_id`, and no more: rows that belong together do so whatever else in them is wrong."""
        last, first = self.text("last_name"), self.text("first_name")
        name = self.text("name") or (f"{last}, {first}" if last and first else last or first)
        place = self.whole("offender_no", 1, 99)
        known = Identifiers(
            agency=self.agency,
            report=report,
            place=place or 1,
            state_id=self.text("state_id"),
            fbi_number=self.text("fbi_number"),
            agency_person=self.text("person"),
            name=name,
        )
        named = (known.state_id, known.fbi_number, known.agency_person, known.name, place)
        return known if any(named) else None

    def one_man(self, seen: dict[str, object], him: Identifiers) -> None:
        """`seen`: what the rows before tell of him, to which this is added. Raises `RowError` where this tells of another."""
        own = {"name": " ".join((him.name or "").split()).casefold(), "birth_date": him.birth_date}
        for name, value in own.items():
            if value and seen.setdefault(name, value) != value:
                raise self.wrong("last_name" if name not in self.mapping.columns else name, RejectCode.ROW_CONFLICT)
