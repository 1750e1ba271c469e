"""The county's stream: everybody's lives, put in the order in which they came, of any size in flat memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from enum import StrEnum
from typing import Final

from schemas.envelope import to_json_line
from schemas.person import OffenderDescribed, VictimsDescribed
from services.cli.simulate import court, flat, tables
from services.cli.simulate.county import County
from services.cli.simulate.history import Life, life
from services.cli.simulate.people import people

_CACHE_KIB: Final = 16_384
_ENDLESS: Final = 1 << 40

Rows = Iterator[tuple[float, bytes]]
"""What one life gives: when, and one or more whole lines."""


class Format(StrEnum):
    """In which form the county is written."""

    CLOUDEVENTS = "cloudevents"
    """All of it: one event a line."""
    INCIDENTS = "incidents"
    """The same without names and contacts: what the classifier reads, and `ipvi replay`."""
    NIBRS_FLAT = "nibrs-flat"
    ROSTER = "roster"
    NOTICES = "notices"
    DISPOSITIONS = "dispositions"
    ORDERS = "orders"


def lives(county: County) -> Iterator[Life]:
    """Of everybody, person by person, until the county has as many offenders or incidents as it should."""
    left = county.incidents
    for person in people(county.seed, _ENDLESS if county.offenders is None else county.offenders):
        if left is not None and left <= 0:
            return
        made = life(person, county, _ENDLESS if left is None else left)
        if left is not None:
            left -= made.incidents
        yield made


def feed(
    county: County, kind: Format = Format.CLOUDEVENTS, tell: Callable[[Life], object] = lambda _: None
) -> Iterator[bytes]:
    """Whole lines, in the order in which they reached the county. `tell` is given each life, before the first line."""
    written: dict[Format, Callable[[Life], Rows]] = {
        Format.CLOUDEVENTS: _events,
        Format.INCIDENTS: _incidents,
        Format.NIBRS_FLAT: flat.reports,
        Format.ROSTER: tables.held,
        Format.NOTICES: tables.notices,
        Format.DISPOSITIONS: court.dispositions,
        Format.ORDERS: court.orders,
    }
    headers = {
        Format.ROSTER: tables.ROSTER,
        Format.NOTICES: tables.NOTICES,
        Format.DISPOSITIONS: court.DISPOSITIONS,
        Format.ORDERS: court.ORDERS,
    }
    if kind in headers:
        yield tables.row(*headers[kind])

    def rows() -> Rows:
        for made in lives(county):
            tell(made)
            yield from written[kind](made)

    yield from sorted_on_disk(rows())


def _events(life: Life) -> Rows:
    for sent in life.sent:
        yield sent.at.timestamp(), to_json_line(sent.event) + b"\n"


def _incidents(life: Life) -> Rows:
    for sent in life.sent:
        if not isinstance(sent.event.data, OffenderDescribed | VictimsDescribed):
            yield sent.at.timestamp(), to_json_line(sent.event) + b"\n"


def sorted_on_disk(rows: Iterable[tuple[float, bytes]]) -> Iterator[bytes]:
    """By the number, else as they came. SQLite sorts in a temporary file, so that memory does not grow."""
    with closing(sqlite3.connect("")) as spool:
        spool.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        spool.execute("PRAGMA temp_store = FILE")
        spool.execute("CREATE TABLE lines (at REAL NOT NULL, line BLOB NOT NULL)")
        spool.executemany("INSERT INTO lines VALUES (?, ?)", rows)
        for (line,) in spool.execute("SELECT line FROM lines ORDER BY at, rowid"):
            yield line
