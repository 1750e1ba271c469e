"""A file's rows, each with its line: CSV with a header, a JSON list of objects, or one JSON object a line.

A torn line costs its own row alone: a quote that is never closed swallows at most a few lines, and is then given up.
"""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from schemas.envelope import json_again
from schemas.rejects import InvalidRecord, RejectCode
from services.intake.domain import InputError
from services.intake.lines import Line, Source

_MOST_LINES: Final = 20
"""Lines that one quoted row may go over."""
_MOST_JSON: Final = 64 * 1024 * 1024
_BOM: Final = "\ufeff"


class RowError(InvalidRecord):
    """This row cannot be read; `line` is where it begins."""

    def __init__(self, line: int, code: RejectCode, field: str | None = None) -> None:
        self.line = line
        super().__init__(code, field)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its values by the columns' own names, or why it cannot be read."""

    line: int
    raw: bytes = field(repr=False)
    size: int
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    error: RowError | None = None


def rows(source: Source, *, encoding: str, delimiter: str, needed: Iterable[str]) -> Iterator[Row]:
    """Raises `InputError` where the file has no header, lacks a column of `needed`, or cannot be read further."""
    lines = source.lines()
    first = next((line for line in lines if not line.is_blank), None)
    if first is None:
        raise InputError(f"{source.path}: the file is empty: not even a header")
    start = first.raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"[":
        yield from _json_list(source, first, lines)
    elif start == b"{":
        yield from (_json_row(line) for line in _again(first, lines) if not line.is_blank)
    else:
        yield from _csv(source, first, lines, encoding, delimiter, set(needed))


def _again(first: Line, rest: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from rest


# CSV -------------------------------------------------------------------------------------------------


def _csv(
    source: Source, first: Line, lines: Iterator[Line], encoding: str, delimiter: str, needed: set[str]
) -> Iterator[Row]:
    try:
        header = [name.strip() for name in _fields(first.raw.decode(encoding).lstrip(_BOM), delimiter)]
    except (UnicodeDecodeError, csv.Error):
        raise InputError(f"{source.path}: the header in line {first.number} cannot be read") from None
    if missing := sorted(needed - set(header)):
        raise InputError(f"{source.path}: no column {missing[0]!r}, which the mapping names")
    if len(set(header)) < len(header):
        raise InputError(f"{source.path}: two columns of one name in the header")
    held: list[Line] = []
    for line in lines:
        if not held and line.is_blank:
            continue
        held.append(line)
        if _is_open(held, encoding, delimiter):
            if len(held) < _MOST_LINES:
                continue
            # A quote that is not closed: only its own line is lost, the lines after it are rows again.
            yield _broken(held[0], RejectCode.ROW_LENGTH)
            held = yield from _given_up(held[1:], header, encoding, delimiter)
            continue
        held = yield from _told(held, header, encoding, delimiter)
    while held:
        yield _broken(held[0], RejectCode.ROW_LENGTH)
        held = yield from _given_up(held[1:], header, encoding, delimiter)


def _given_up(lines: list[Line], header: list[str], encoding: str, delimiter: str) -> Generator[Row, None, list[Line]]:
    """Rows of lines that were held for an open quote. Returns those at the end that are open themselves."""
    held: list[Line] = []
    for line in lines:
        held.append(line)
        if not _is_open(held, encoding, delimiter):
            if not line.is_blank or len(held) > 1:
                held = yield from _told(held, header, encoding, delimiter)
            else:
                held = []
    return held


def _told(held: list[Line], header: list[str], encoding: str, delimiter: str) -> Generator[Row, None, list[Line]]:
    """The row of these lines. Two quotes that were never closed look like one that was: then only the first line is lost."""
    row = _csv_row(held, header, encoding, delimiter)
    if row.error is None or len(held) == 1:
        yield row
        return []
    yield _broken(held[0], row.error.code)
    return (yield from _given_up(held[1:], header, encoding, delimiter))


def _is_open(lines: list[Line], encoding: str, delimiter: str) -> bool:
    """Whether a quoted field goes on in the next line, as `csv` reads it: a quote within a value (6'1") opens nothing."""
    if not any(b'"' in line.raw for line in lines):
        return False
    texts = [line.raw.decode(encoding, "replace") for line in lines]
    reader = csv.reader([*texts, ""], delimiter=delimiter, strict=len(lines) > 1)
    with suppress(csv.Error):  # told of the whole row
        next(reader)
    return reader.line_num > len(lines)


def _csv_row(lines: list[Line], header: list[str], encoding: str, delimiter: str) -> Row:
    raw = b"\n".join(line.raw for line in lines)
    number, size = lines[0].number, sum(line.size + 1 for line in lines) - 1
    try:
        found = _fields(raw.decode(encoding), delimiter, strict=len(lines) > 1)
    except UnicodeDecodeError:
        return Row(number, raw, size, error=RowError(number, RejectCode.NOT_UTF8))
    except csv.Error:
        return Row(number, raw, size, error=RowError(number, RejectCode.ROW_LENGTH))
    if len(found) != len(header) or size > len(raw):
        return Row(number, raw, size, error=RowError(number, RejectCode.ROW_LENGTH))
    return Row(number, raw, size, dict(zip(header, (value.strip() for value in found), strict=True)))


def _fields(text: str, delimiter: str, *, strict: bool = False) -> list[str]:
    """Raises `csv.Error`; `strict` also where more than a delimiter follows a closing quote."""
    [found] = list(csv.reader([text], delimiter=delimiter, strict=strict)) or [[]]
    return found


def _broken(line: Line, code: RejectCode) -> Row:
    return Row(line.number, line.raw, line.size, error=RowError(line.number, code))


# JSON ------------------------------------------------------------------------------------------------


def _json_list(source: Source, first: Line, rest: Iterator[Line]) -> Iterator[Row]:
    """A list is read whole: one that breaks off is no list, and what it would have held is not known."""
    parts, size = [], 0
    for line in _again(first, rest):
        size += line.size + 1
        if size > _MOST_JSON or line.size > len(line.raw):
            raise InputError(f"{source.path}: a JSON list of more than {_MOST_JSON >> 20} MiB; send one object a line")
        parts.append(line.raw)
    raw = b"\n".join(parts)
    try:
        found = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        yield Row(first.number, raw, size, error=RowError(first.number, RejectCode.BROKEN_JSON))
        return
    for number, each in enumerate(found, start=1):
        try:
            yield _of_object(number, json_again(each), each)
        except InvalidRecord as wrong:
            yield Row(number, raw, size, error=RowError(number, wrong.code))


def _json_row(line: Line) -> Row:
    try:
        if line.size > len(line.raw):
            raise orjson.JSONDecodeError("cut", "", 0)
        return _of_object(line.number, line.raw, orjson.loads(line.raw.removeprefix(b"\xef\xbb\xbf")))
    except (orjson.JSONDecodeError, InvalidRecord):
        return _broken(line, RejectCode.BROKEN_JSON)


def _of_object(number: int, raw: bytes, found: Any) -> Row:
    """In a list the row's place stands for its line."""
    if not isinstance(found, dict):
        return Row(number, raw, len(raw), error=RowError(number, RejectCode.NOT_AN_EVENT))
    return Row(number, raw, len(raw), {name: _text(value) for name, value in found.items()})


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value.strip() if isinstance(value, str) else json_again(value).decode()
