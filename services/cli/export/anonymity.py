"""k-anonymity over what an acquaintance or a newspaper knows of a man, and the Parquet files that are left.

A person is told of by agency, year, gravest list and age band only where `K` persons share all four; else by less, and
where that is not enough, not at all. Within those who are alike an offence that fewer than `K` have is told as `other`;
if even that is rare, no offence is told of any of them. Runs in DuckDB over staged files, with a bound on memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.export.rows import OTHER, TABLES

if TYPE_CHECKING:  # not for every command
    import duckdb

K = 11
"""As for tables of outreach: the threshold of the Centers for Medicare & Medicaid Services."""
MEMORY = "512MB"
ANY = "*"

LEVELS: tuple[Mapping[str, str], ...] = (
    {"agency": "agency", "year": "year", "age": "age_10"},
    {"agency": "agency", "year": "year", "age": "age_2"},
    {"agency": f"'{ANY}'", "year": "year", "age": "age_10"},
    {"agency": f"'{ANY}'", "year": "year", "age": "age_2"},
    {"agency": f"'{ANY}'", "year": "NULL", "age": "age_2"},
    {"agency": f"'{ANY}'", "year": "NULL", "age": f"'{ANY}'"},
)
"""What is told of a person beside his gravest list, from most to least."""


@dataclass(frozen=True, slots=True)
class Told:
    """How many persons were told of at each of `LEVELS`, how many not at all, and rows a table."""

    levels: tuple[int, ...]
    withheld: int
    rows: Mapping[str, int]


def release(staged: Path, out: Path, k: int = K) -> Told:
    """Write `<table>.parquet` under `out` from `<table>.csv` under `staged`. The same rows give the same bytes."""
    import duckdb

    with duckdb.connect(str(staged / "staged.duckdb")) as db:
        db.execute(f"SET memory_limit = '{MEMORY}'")
        db.execute("SET threads = 1")
        db.execute(f"SET temp_directory = '{_quoted(staged / 'spill')}'")
        for name, columns in TABLES.items():
            kinds = ", ".join(f"'{column}': '{kind}'" for column, kind in columns.items())
            path = _quoted(staged / f"{name}.csv")
            form = """auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = ''"""
            read = f"read_csv('{path}', columns = {{{kinds}}}, {form})"
            db.execute(f"CREATE TABLE {name} AS SELECT * FROM {read}")  # noqa: S608 (names of ours)
        levels = tuple(_told_at(db, level, k) for level in range(len(LEVELS)))
        withheld = _count(db, "persons WHERE level IS NULL")
        _generalise_offenses(db, k)
        counts = {name: _copy(db, query, out / f"{name}.parquet") for name, query in _queries().items()}
    return Told(levels, withheld, counts)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _told_at(db: duckdb.DuckDBPyConnection, level: int, k: int) -> int:
    """Take those who are alike in numbers at this level, of those who were not at one that tells more."""
    if level == 0:
        db.execute("ALTER TABLE persons ADD COLUMN level INTEGER")
    alike = ", ".join(("gravest_tier", *LEVELS[level].values()))
    db.execute(
        f"UPDATE persons SET level = {level} WHERE person IN (SELECT person FROM "  # noqa: S608 (names of ours)
        f"(SELECT person, count(*) OVER (PARTITION BY {alike}) AS alike FROM persons WHERE level IS NULL) WHERE alike >= {k})"
    )
    return _count(db, f"persons WHERE level = {level}")


def _generalise_offenses(db: duckdb.DuckDBPyConnection, k: int) -> None:
    """Persons who are told of alike are a class; offences are counted in persons of it."""
    told = {column: _case(column) for column in ("agency", "year", "age")}
    classes = ", ".join(f"{expression} AS {column}" for column, expression in told.items())
    alike = "dense_rank() OVER (ORDER BY level, gravest_tier, agency, year, age) AS class"
    db.execute(
        f"CREATE TABLE told AS SELECT person, level, gravest_tier, {classes}, {alike} "  # noqa: S608 (names of ours)
        "FROM persons WHERE level IS NOT NULL"
    )
    for rare in (f"'{OTHER}'", "NULL"):
        whole = "" if rare != "NULL" else f"AND offense = '{OTHER}'"
        db.execute(
            "CREATE OR REPLACE TABLE rare AS SELECT class, offense FROM incidents JOIN told USING (person) "  # noqa: S608
            f"WHERE offense IS NOT NULL {whole} GROUP BY ALL HAVING count(DISTINCT person) < {k}"
        )
        match = "" if rare == "NULL" else "AND rare.offense = incidents.offense"
        db.execute(
            f"UPDATE incidents SET offense = {rare} FROM told, rare "  # noqa: S608 (names of ours)
            f"WHERE told.person = incidents.person AND rare.class = told.class {match}"
        )


def _case(column: str) -> str:
    cases = " ".join(f"WHEN {level} THEN {told[column]}" for level, told in enumerate(LEVELS))
    return f"CASE level {cases} END"


def _queries() -> Mapping[str, str]:
    """What is told, in an order that says nothing."""
    order = {"persons": "person", "incidents": "person, number"}
    found = {"persons": "SELECT person, agency, year, gravest_tier, age FROM told ORDER BY person"}
    for name in ("incidents", "decisions", "notices"):
        columns = ", ".join(TABLES[name])
        by = order.get(name, columns)
        found[name] = f"SELECT {columns} FROM {name} SEMI JOIN told USING (person) ORDER BY {by}"  # noqa: S608
    return found


def _copy(db: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    found = db.execute(f"COPY ({query}) TO '{_quoted(path)}' (FORMAT parquet, COMPRESSION zstd)").fetchone()
    assert found is not None
    return int(found[0])


def _count(db: duckdb.DuckDBPyConnection, what: str) -> int:
    found = db.execute(f"SELECT count(*) FROM {what}").fetchone()  # noqa: S608 (names of ours)
    assert found is not None
    return int(found[0])
