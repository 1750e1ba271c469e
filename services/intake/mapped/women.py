"""The women of one incident, told apart over all its rows, whoever did it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from itertools import count
from typing import Any

from schemas.person import DescribedVictim
from schemas.rejects import RejectCode
from services.intake.identity import offender_id
from services.intake.mapped.rows import RowError
from services.intake.mapped.values import Values
from services.intake.people.victims import told_otherwise

Woman = tuple[str, ...]
"""What the rows of one incident tell a victim from another by."""
Women = Mapping[Woman, DescribedVictim]
"""Those of one incident: the number of each in it, and the first name and birth date that a row gives her."""


def person_of(values: Values) -> str:
    """Who the row is about; empty where nobody is named as offender. Raises `RowError`."""
    him = values.named(values.number("incident"))
    return offender_id(him) if him else ""


def women_of(rows: Sequence[Values]) -> Women:
    """Of rows of one incident, whoever's they are. Who is given no number has the first that is given to nobody, in no row
    whatever else is wrong with it; where that cannot be told she is left out.

    Counted for each man apart, the first woman of one would go by the id of the first woman of another.
    """
    told: list[tuple[Woman, Values]] = []
    taken: set[int | None] = set()
    countable = True
    for row in rows:
        try:
            taken.add(_given(row))
            if (woman := woman_of(row)) is not None:
                told.append((woman, row))
        except RowError:  # told of his rows
            countable = False
    names = {woman for woman, _ in told}
    found: dict[Woman, dict[str, Any]] = {}
    for woman, row in told:
        known = found.setdefault(as_known(woman, names), {})
        own = {"victim_no": _given(row), "name": _name(row), "birth_date": _birth(row)}
        known.update({name: value for name, value in own.items() if value and name not in known})
    free = (number for number in count(1) if number not in taken)
    return {
        woman: DescribedVictim(**{"victim_no": known.get("victim_no") or next(free), **known})
        for woman, known in found.items()
        if countable or "victim_no" in known
    }


def _given(row: Values) -> int | None:
    return row.whole("victim_no", 1, 999)


def _name(row: Values) -> str | None:
    """As `_birth`."""
    with suppress(RowError):
        return row.text("victim_name")
    return None


def _birth(row: Values) -> date | None:
    """None too where it cannot be read: his rows are refused for it, and her number is kept for her until they come again."""
    with suppress(RowError):
        return row.born("victim_birth_date")
    return None


def woman_of(row: Values) -> Woman | None:
    """Her person number, her number in the incident, her name and birth date: none is taken for another. Without any she is
    whoever is told of in his rows. None where the row tells of no woman. Raises `RowError`.
    """
    if person := row.text("victim"):
        return ("person", person)
    if number := _given(row):
        return ("number", str(number))
    if name := row.text("victim_name"):
        return ("name", " ".join(name.split()).casefold(), str(_birth(row) or ""))
    return ("his", person_of(row)) if row.text("relationship") else None


def as_known(woman: Woman, known: Iterable[Woman]) -> Woman:
    """A name without a birth date is the one of that name that has one, if there is one alone."""
    if woman[0] != "name" or woman[2]:
        return woman
    same = [each for each in known if each[:2] == woman[:2] and each[2]]
    return same[0] if len(same) == 1 else woman


def place_of(of_her: Sequence[Values], known: DescribedVictim, taken: Container[int]) -> int:
    """Her number in the incident. Raises `RowError` where rows give her two, or that of another of his victims, or two women's
    names.
    """
    for row in of_her:
        if told_otherwise(known, row.text("victim_name"), row.born("victim_birth_date")):
            raise row.wrong("victim_name", RejectCode.ROW_CONFLICT)
    given = {number for row in of_her if (number := _given(row))} or {known.victim_no}
    if len(given) > 1 or any(number in taken for number in given):
        raise of_her[-1].wrong("victim_no", RejectCode.ROW_CONFLICT)
    return given.pop()
