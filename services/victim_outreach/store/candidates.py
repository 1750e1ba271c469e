"""Who a woman might be in another record: found by name, birth date and contact; decided by a person, never here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.victim_outreach.store import women
from services.victim_outreach.store.tables import victims

MOST = 50
"""Candidates shown: more is a name like any other, and no help."""
_SCANNED = 20_000
_ACCENTED = re.compile(r"[aceinosuyz]")
"""Letters that are often written with an accent, or without the one they have."""
_DIGITS = 10
"""Of a telephone number, from its end: agencies write the country or leave it out."""


class Likeness(StrEnum):
    """What two records have in common."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another victim id that may be the same woman."""

    victim_id: str
    name: str | None
    birth_date: date | None
    alike: tuple[Likeness, ...]


@dataclass(frozen=True, slots=True)
class _Marks:
    names: frozenset[frozenset[str]]
    births: frozenset[date]
    reaches: frozenset[str]


async def candidates(conn: AsyncConnection, case_id: str) -> list[Candidate]:
    """Most alike first. Those already linked are not among them."""
    woman = await women.woman_of(conn, case_id)
    own = (await conn.execute(select(victims).where(victims.c.victim_id.in_(woman.victim_ids)))).all()
    marks = _Marks(
        frozenset(words_of(row.name) for row in own if row.name),
        frozenset(row.birth_date for row in own if row.birth_date),
        frozenset(mark for row in own for mark in reaches_of(row.contact)),
    )
    conditions = list(_conditions(marks))
    if not conditions:
        return []
    found: dict[str, Candidate] = {}
    query = select(victims).where(
        victims.c.victim_id.is_not(None), victims.c.victim_id.not_in(woman.victim_ids), or_(*conditions)
    )
    for row in await conn.execute(query.order_by(victims.c.victim_id).limit(_SCANNED)):
        alike = tuple(_alike(marks, row.name, row.birth_date, row.contact))
        known = found.get(row.victim_id)
        if _enough(alike, marks, row.birth_date) and (known is None or len(alike) > len(known.alike)):
            found[row.victim_id] = Candidate(row.victim_id, row.name, row.birth_date, alike)
    return sorted(found.values(), key=lambda one: (-len(one.alike), one.victim_id))[:MOST]


def like_name(words: Iterable[str]) -> ColumnElement[bool]:
    """Wider than what is alike: SQL only keeps the records out that cannot be."""
    return and_(*(func.lower(victims.c.name).like(f"%{_ACCENTED.sub('_', word)}%") for word in words))


def _conditions(marks: _Marks) -> Iterable[ColumnElement[bool]]:
    """Wider than what is alike, too."""
    for name in marks.names:
        yield like_name(name)
    if marks.births:
        yield victims.c.birth_date.in_(marks.births)
    for mark in marks.reaches:
        yield func.lower(cast(victims.c.contact, String)).contains(
            mark[-4:] if mark.isdigit() else mark, autoescape=True
        )


def _alike(marks: _Marks, name: str | None, birth: date | None, contact: Iterable[str]) -> Iterable[Likeness]:
    if name and words_of(name) in marks.names:
        yield Likeness.NAME
    if birth in marks.births:
        yield Likeness.BIRTH_DATE
    if marks.reaches & set(reaches_of(contact)):
        yield Likeness.CONTACT


def _enough(alike: tuple[Likeness, ...], marks: _Marks, birth: date | None) -> bool:
    """A way to reach her; a name, unless the birth dates are known to differ; a birth date alone is nobody's."""
    if Likeness.CONTACT in alike or len(alike) > 1:
        return True
    return alike == (Likeness.NAME,) and (birth is None or not marks.births)


def words_of(name: str) -> frozenset[str]:
    """Its words in any order, without accents and marks."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return frozenset(re.findall(r"[^\W\d_]+", "".join(each for each in plain if not unicodedata.combining(each))))


def reaches_of(contact: Iterable[str]) -> Iterable[str]:
    """E-mail addresses and telephone numbers, written alike."""
    for way in contact:
        if "@" in way:
            yield way.strip().lower().removeprefix("mailto:")
        elif len(digits := re.sub(r"\D", "", way)) >= 7 and not re.search(r"[a-z]{2}", way.removeprefix("tel:")):
            yield digits[-_DIGITS:]
