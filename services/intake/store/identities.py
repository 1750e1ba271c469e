"""What records know offenders by, as rows: kept once each, found by number, and gone with the last incident they tell of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.seal import Seal
from services.common.sql import upsert
from services.intake.identity import Sighting
from services.intake.linkage.rules import Known
from services.intake.store.tables import IN_ONE_QUERY, candidates, identities, identity_marks, people, renamed

_MOST: Final = {"name": 400, "sex": 20, "number": 200}
"""Characters kept: what is longer names nobody."""

Row = tuple[int, Known]
"""Its number in the order in which records came, and the record."""


async def keep_sightings(conn: AsyncConnection, seen: Iterable[Sighting], at: datetime, seal: Seal) -> None:
    """Each record once, whatever how often and in how many files it comes. One that has neither name nor number is nobody's."""
    rows: dict[str, dict[str, Any]] = {}
    marks: set[tuple[str, str, str]] = set()
    for each in seen:
        row = _row(each, at, seal)
        if not any(row[name] for name in ("name", "state_number", "fbi_number", "own_number")):
            continue
        rows[row["record_id"]] = row
        marks.add((row["record_id"], each.incident_id or "", each.arrest_id or ""))
    known: set[str] = set()
    for some in _some(sorted(rows)):
        known |= set(await conn.scalars(select(identities.c.record_id).where(identities.c.record_id.in_(some))))
    new = [row for name, row in rows.items() if name not in known]
    if new:
        await conn.execute(identities.insert(), new)
    names = ("record_id", "incident_id", "arrest_id")
    await upsert(conn, identity_marks, [dict(zip(names, mark, strict=True)) for mark in sorted(marks)], names)


def _row(seen: Sighting, at: datetime, seal: Seal) -> dict[str, Any]:
    """The id is a keyed hash: it stands in addresses and in the read log, and a name must not be found by trying."""
    known = seen.known
    row = {
        "offender_id": seen.offender_id,
        "agency": known.agency,
        "state_number": f"{known.agency[:2]}:{known.state_id}"[: _MOST["number"]] if known.state_id else None,
        "fbi_number": known.fbi_number[: _MOST["number"]] if known.fbi_number else None,
        "own_number": f"{known.agency}:{known.agency_person}"[: _MOST["number"]] if known.agency_person else None,
        "name": known.name[: _MOST["name"]] if known.name else None,
        "birth_date": known.birth_date,
        "sex": known.sex[: _MOST["sex"]] if known.sex else None,
    }
    return row | {"record_id": seal(repr(sorted(row.items(), key=lambda one: one[0])))[:36], "at": at}


async def forget_incidents(conn: AsyncConnection, incidents: Iterable[str]) -> None:
    """After an expunction: what no other incident tells of is gone, and with it every question about it."""
    for some in _some(sorted(set(incidents))):
        named = list(
            await conn.scalars(
                select(identity_marks.c.record_id).where(identity_marks.c.incident_id.in_(some)).distinct()
            )
        )
        await conn.execute(delete(identity_marks).where(identity_marks.c.incident_id.in_(some)))
        for part in _some(named):
            left = select(identity_marks.c.record_id).where(identity_marks.c.record_id.in_(part))
            gone = sorted(set(part) - set(await conn.scalars(left)))
            await conn.execute(delete(identities).where(identities.c.record_id.in_(gone)))
            await conn.execute(delete(candidates).where(or_(candidates.c.one.in_(gone), candidates.c.other.in_(gone))))


async def after(conn: AsyncConnection, seq: int, limit: int) -> list[Row]:
    """The next records in the order in which they came."""
    query = select(identities).where(identities.c.seq > seq).order_by(identities.c.seq).limit(limit)
    return await _rows(conn, (await conn.execute(query)).all())


async def newest(conn: AsyncConnection) -> int:
    return await conn.scalar(select(func.max(identities.c.seq))) or 0


async def everyone(conn: AsyncConnection) -> AsyncIterator[Row]:
    """All, in the order in which they came."""
    upto = 0
    while some := await after(conn, upto, IN_ONE_QUERY):
        for row in some:
            yield row
        upto = some[-1][0]


async def by_id(conn: AsyncConnection, record_ids: Iterable[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for some in _some(sorted(set(record_ids))):
        rows = (await conn.execute(select(identities).where(identities.c.record_id.in_(some)))).all()
        found |= {known.record_id: (seq, known) for seq, known in await _rows(conn, rows)}
    return found


async def of_offenders(conn: AsyncConnection, names: Iterable[str]) -> list[Row]:
    """All records under these ids, in order."""
    found: list[Row] = []
    for some in _some(sorted(set(names))):
        rows = (await conn.execute(select(identities).where(identities.c.offender_id.in_(some)))).all()
        found += await _rows(conn, rows)
    return sorted(found, key=lambda row: row[0])


async def sharing_numbers(conn: AsyncConnection, records: Iterable[Known]) -> list[Row]:
    """All records with a number that one of these has, these among them, in order."""
    found: dict[int, Any] = {}
    told = list(records)
    for column, name in (
        (identities.c.state_number, "state_number"),
        (identities.c.fbi_number, "fbi_number"),
        (identities.c.own_number, "own_number"),
    ):
        for some in _some(sorted({value for each in told if (value := getattr(each, name))})):
            found |= {row.seq: row for row in await conn.execute(select(identities).where(column.in_(some)))}
    return await _rows(conn, [found[seq] for seq in sorted(found)])


async def incidents_of(conn: AsyncConnection, record_ids: Iterable[str]) -> list[str]:
    """Of which incidents these records tell."""
    return sorted(await marks_of(conn, record_ids) - {""})


async def marks_of(conn: AsyncConnection, record_ids: Iterable[str]) -> set[str]:
    """The incidents of which these records tell; the empty one, if one came with none."""
    found: set[str] = set()
    for some in _some(sorted(set(record_ids))):
        query = select(identity_marks.c.incident_id).where(identity_marks.c.record_id.in_(some))
        found |= set(await conn.scalars(query))
    return found


async def folded(conn: AsyncConnection, roots: Iterable[str]) -> dict[str, str]:
    """Who each id is that stands for one of `roots`, they themselves among them."""
    found = {root: root for root in roots}
    wanted = set(found)
    while wanted:
        more: dict[str, str] = {}
        for some in _some(sorted(wanted)):
            query = select(people.c.offender_id, people.c.merged_into).where(people.c.merged_into.in_(some))
            more |= {row.offender_id: found[row.merged_into] for row in await conn.execute(query)}
        wanted = set(more) - set(found)
        found |= more
    return found


async def rename(conn: AsyncConnection, names: Iterable[str], now: str) -> None:
    """From now on what comes under these ids is `now`'s; so are the records that came."""
    moved = sorted(set(names))
    for some in _some(moved):
        await conn.execute(update(identities).where(identities.c.offender_id.in_(some)).values(offender_id=now))
        await conn.execute(update(renamed).where(renamed.c.now.in_(some)).values(now=now))
    await upsert(conn, renamed, [{"offender_id": name, "now": now} for name in moved], ["offender_id"])


async def renames(conn: AsyncConnection, names: Iterable[str]) -> dict[str, str]:
    """Those of `names` under which another comes now."""
    found: dict[str, str] = {}
    for some in _some(sorted(set(names))):
        query = select(renamed).where(renamed.c.offender_id.in_(some))
        found |= {row.offender_id: row.now for row in await conn.execute(query)}
    return found


async def _rows(conn: AsyncConnection, rows: Sequence[Any]) -> list[Row]:
    arrests: dict[str, set[str]] = {}
    for some in _some([row.record_id for row in rows]):
        query = select(identity_marks.c.record_id, identity_marks.c.arrest_id).where(
            identity_marks.c.record_id.in_(some), identity_marks.c.arrest_id != ""
        )
        for mark in await conn.execute(query):
            arrests.setdefault(mark.record_id, set()).add(mark.arrest_id)
    return [
        (
            row.seq,
            Known(
                row.record_id, row.offender_id, row.agency, row.state_number, row.fbi_number, row.own_number, row.name,
                row.birth_date, row.sex, frozenset(arrests.get(row.record_id, ())),
            ),
        )
        for row in rows
    ]  # fmt: skip


def _some(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + IN_ONE_QUERY] for start in range(0, len(names), IN_ONE_QUERY))
