"""A table, unit by unit. Incidents: all rows of one incident and person; all else: a row.

Rows of one incident are read together, whoever's they are: the women in them are numbered once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from schemas.mapping import Kind, Mapping
from schemas.rejects import InvalidRecord, RejectCode
from services.intake.domain import InputError, Reject, Unit
from services.intake.lines import Source, UnreadError
from services.intake.mapped.court import row_event
from services.intake.mapped.incidents import MOST_ROWS, incident_of, number_of
from services.intake.mapped.rows import Row, RowError, rows
from services.intake.mapped.values import Values
from services.intake.mapped.women import Women, person_of, women_of
from services.intake.repeats import Key, repeats

_KEPT_BYTES: Final = 1_500_000


def read_mapped(source: Source, mapping: Mapping) -> Iterator[Unit]:
    """One unit per incident and person, or per row, in the order in which they are whole.

    Incidents are read twice, in bounded memory: rows of one may lie anywhere in the file. Raises `InputError` where the file
    is not this table, or reading breaks off.
    """
    if mapping.kind is Kind.ROSTER:
        raise InputError(f"{source.path}: a roster is read as a snapshot, with --format roster")
    if mapping.kind is Kind.INCIDENTS:
        yield from _incidents(source, mapping)
        return
    for row in _rows(source, mapping):
        yield _of_row(source, mapping, row)


def _rows(source: Source, mapping: Mapping) -> Iterator[Row]:
    return rows(source, encoding=mapping.encoding, delimiter=mapping.delimiter, needed=mapping.columns.values())


def _of_row(source: Source, mapping: Mapping, row: Row) -> Unit:
    try:
        if row.error:
            raise row.error
        found = row_event(Values(mapping, row))
    except (InvalidRecord, ValidationError) as wrong:
        return Unit(row.line, reject=reject_of(source, [row], wrong))
    return Unit(row.line, (found[0],), facts=found[1], sightings=(found[2],)) if found else Unit(row.line)


def _incidents(source: Source, mapping: Mapping) -> Iterator[Unit]:
    """The first pass counts the rows of each incident that has more than one."""
    counts = {key: len(marks) for key, marks in repeats(_marked(source, mapping)).items()}
    held: dict[Key, list[Row]] = {}
    for row in _rows(source, mapping):
        key = _key(mapping, row)
        if key is None or key not in counts:
            yield from _incident(source, mapping, [row])
            continue
        if counts[key] > MOST_ROWS:  # refused at once: none is held for the others
            many = Values(mapping, row).wrong("incident", RejectCode.OUT_OF_RANGE)
            yield Unit(row.line, reject=reject_of(source, [row], many))
            continue
        together = held.setdefault(key, [])
        together.append(row)
        if len(together) == counts[key]:
            yield from _incident(source, mapping, held.pop(key))
    if held:
        raise UnreadError(f"{source.path}: its rows changed while it was read; ingest it again")


def _marked(source: Source, mapping: Mapping) -> Iterator[tuple[Key, str]]:
    for row in _rows(source, mapping):
        if (key := _key(mapping, row)) is not None:
            yield key, "+"


def _key(mapping: Mapping, row: Row) -> Key | None:
    """None where it cannot be told to which incident the row belongs: a unit of its own."""
    if row.error:
        return None
    try:
        return (*number_of(Values(mapping, row)), "")
    except RowError:
        return None


def _incident(source: Source, mapping: Mapping, together: list[Row]) -> Iterator[Unit]:
    """A unit a person, in the order of their first rows, and one for each row that cannot tell whose it is."""
    everything = [Values(mapping, row) for row in together]
    women = women_of([values for values in everything if not values.row.error])
    by_person: dict[str, list[Values]] = {}
    for values in everything:
        try:
            if values.row.error:
                raise values.row.error
            by_person.setdefault(person_of(values), []).append(values)
        except RowError as wrong:
            yield Unit(values.row.line, reject=reject_of(source, [values.row], wrong))
    for of_one in by_person.values():
        yield _of_one(source, of_one, women)


def _of_one(source: Source, together: list[Values], women: Women) -> Unit:
    line = together[0].row.line
    try:
        found = incident_of(together, women)
    except (InvalidRecord, ValidationError) as wrong:
        return Unit(line, reject=reject_of(source, [values.row for values in together], wrong))
    return Unit(line, (found[0],), facts=found[1], sightings=(found[2],)) if found else Unit(line)


def reject_of(source: Source, together: list[Row], wrong: InvalidRecord | ValidationError) -> Reject:
    """Names the broken row, holds all of the unit. What only the contract finds wrong has no column to blame."""
    if isinstance(wrong, ValidationError):
        wrong = RowError(together[0].line, RejectCode.OUT_OF_RANGE)
    line = wrong.line if isinstance(wrong, RowError) else together[0].line
    raw = b"\n".join(row.raw for row in together)
    return Reject(
        source.name, line, wrong.code, wrong.field, raw[:_KEPT_BYTES], sum(row.size + 1 for row in together) - 1
    )
