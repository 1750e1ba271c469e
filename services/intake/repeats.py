"""What occurs more than once in a file, found on disk: memory holds the repeats alone, however many there are that do not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Final

Key = tuple[str, str, str]
_CACHE_KIB: Final = 8_192


def repeats(found: Iterable[tuple[Key, str]]) -> dict[Key, str]:
    """Of each key that comes more than once the marks (one character each) it came with, in their order."""
    with closing(sqlite3.connect("")) as spool:  # a temporary file of SQLite's
        spool.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        spool.execute("CREATE TABLE seen (a TEXT, b TEXT, c TEXT, marks TEXT, PRIMARY KEY (a, b, c)) WITHOUT ROWID")
        spool.executemany(
            "INSERT INTO seen VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET marks = marks || excluded.marks",
            ((*key, mark) for key, mark in found),
        )
        return {(a, b, c): marks for a, b, c, marks in spool.execute("SELECT * FROM seen WHERE length(marks) > 1")}
