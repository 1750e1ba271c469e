"""Lists as CSV (RFC 4180) that a spreadsheet may open: no cell can be taken for a formula.

A cell that begins with = + - @, a tab, a carriage return, a line feed or NUL (also in full width) is given an apostrophe in
front, and every cell is quoted, so that a separator within cannot begin a new one (OWASP, CSV injection; ASVS 1.2.10).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

MEDIA_TYPE = "text/csv"

_STARTS_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠")


def as_csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A line with the names, then one a row. UTF-8 with a byte order mark: without, Excel takes it for Windows-1252."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: Any) -> str:
    """Values as in the JSON; several in one cell, separated by blanks."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list() | tuple():
            return safe(" ".join(_cell(one) for one in value))
        case dict():
            return safe(" ".join(f"{name}: {_cell(one)}" for name, one in value.items()))
        case _:
            return safe(str(value))


def safe(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS_FORMULA) else text
