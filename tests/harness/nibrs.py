"""Lines of NIBRS flat files, built column by column: the columns stand in the tests, not in the code under test."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

ORI = "ZZ0010000"

Columns = tuple[int, str]
"""First column, counted from 1, and the text that begins there."""


def segment(
    length: int, level: str, action: str, number: str, *columns: Columns, ori: str = ORI, month: str = "01"
) -> str:
    """One segment, blanks wherever nothing is said."""
    text = list(f"{length:04}{level}{action}{month}2025    {ori}{number:<12}".ljust(length))
    for first, value in columns:
        text[first - 1 : first - 1 + len(value)] = value
    return "".join(text)


def administrative(number: str, *columns: Columns, action: str = "I", length: int = 88, month: str = "01") -> str:
    """At 20:00 on 10 January 2025, not cleared exceptionally."""
    given = ((38, "20250110"), (47, "20"), (49, "N"), *columns)
    return segment(length, "1", action, number, *given, month=month)


def offense(number: str, code: str = "13B", *columns: Columns, length: int = 71) -> str:
    return segment(length, "2", "I", number, (38, code), (41, "C"), (45, "20"), *columns)


def victim(
    number: str, sequence: int = 1, codes: str = "13B", related: str = "01BG", *columns: Columns, length: int = 141
) -> str:
    """`codes`: three columns each; `related`: offender number and relationship, four columns each."""
    given = ((38, f"{sequence:03}"), (41, codes), (71, "I"), (72, "31"), (76, "FW"), (90, related), *columns)
    return segment(length, "4", "I", number, *given)


def offender(number: str, sequence: int = 1, look: str = "30  MW", length: int = 46) -> str:
    """`look`: four columns of age, then sex and race."""
    return segment(length, "5", "I", number, (38, f"{sequence:02}"), (40, look))


def arrestee(number: str, sequence: int = 1, look: str = "30  MW", code: str = "13B", day: str = "20250110") -> str:
    """By arrest transaction `A` and the number."""
    given = ((38, f"{sequence:02}"), (40, f"A{number}"), (52, day), (60, "O"), (61, "N"), (62, code), (71, look))
    return segment(110, "6", "I", number, *given)


def group_b(
    number: str, sequence: int = 1, code: str = "90Z", look: str = "42  MW", action: str = "A", day: str = "20250112"
) -> str:
    """A Group B arrest report."""
    given = ((38, f"{sequence:02}"), (40, day), (48, "T"), (49, code), (58, look))
    return segment(66, "7", action, number, *given)


def zero_report() -> str:
    return segment(43, "0", "A", "000000000000", (38, "012025"))


def incident(number: str, *, arrested: bool = False) -> list[str]:
    """An assault of a girlfriend by one man; the least that is whole."""
    whole = [administrative(number), offense(number), victim(number), offender(number)]
    return [*whole, arrestee(number)] if arrested else whole


def written(path: Path, lines: Iterable[str | bytes], end: bytes = b"\r\n") -> Path:
    """The lines as a file, gzip if the name ends so."""
    raw = b"".join((line if isinstance(line, bytes) else line.encode("latin-1")) + end for line in lines)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path
