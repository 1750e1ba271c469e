"""Expunction in the loop's own tables: nothing of what is erased stays in journal, inbox or dead letters.

What was not published yet still has to go out, or the claim would find a hole: its row keeps id and sequence, and no data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Text, and_, bindparam, cast, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.records import STUB
from services.common.service import Redaction
from services.common.tables import inbox, journal, rejects

ERASED_SOURCE = "/erased"
"""Source of an inbox row whose own could tell what it was; its id is then where the record lay."""
_STUB_HEADERS = frozenset({"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_dataclassification"})
_IN_CHUNK = 400


async def erase(conn: AsyncConnection, about: Sequence[str], redactions: Sequence[Redaction]) -> None:
    """Overwrite all that is about one of `about`, then every other place that names what may not be named."""
    for start in range(0, len(about), _IN_CHUNK):
        some = about[start : start + _IN_CHUNK]
        await _empty(conn, (await conn.execute(_rows(journal.c.about.in_(some)))).all())
        await _unname(conn, some)
    for redaction in redactions:
        await _redact(conn, redaction)


def redacted(value: bytes, text: str) -> bytes | None:
    """JSON without list entries that are `text`; None where it still stands somewhere."""
    try:
        clean = orjson.dumps(_without(orjson.loads(value), text))
    except orjson.JSONDecodeError:
        return None
    return None if _holds(clean, text) else clean


def _without(part: Any, text: str) -> Any:
    match part:
        case dict():
            return {name: _without(value, text) for name, value in part.items()}
        case list():
            return [_without(value, text) for value in part if value != text]
        case _:
            return part


def _holds(data: bytes, text: str) -> bool:
    """Whether it is one of the strings of this JSON: the number of an incident may begin that of another."""
    return any(b'"' + form + b'"' in data for form in _forms(text))


def _mentions(data: bytes | None, text: str) -> bool:
    """Whether it stands in these bytes, whatever they are, and is not part of a longer number."""
    return any(
        re.search(rb"(?<![0-9A-Za-z])" + re.escape(form) + rb"(?![0-9A-Za-z])", data or b"") for form in _forms(text)
    )


def _forms(text: str) -> Collection[bytes]:
    """As itself, and as the spellings JSON has for it."""
    plain, ascii_ = json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]
    return {form.encode() for form in (text, plain, ascii_, ascii_.replace("/", "\\/"))}


async def _redact(conn: AsyncConnection, redaction: Redaction) -> None:
    text = redaction.text
    said = _rows(and_(journal.c.subject.in_(redaction.subjects), journal.c.erased.is_(False)))
    gone, kept = [], []
    for row in await conn.execute(said):
        headers = [pair for pair in row.headers if pair[0] in _STUB_HEADERS or not _mentions(_bytes(pair), text)]
        value = row.value
        if value is not None and _holds(value, text):
            value = redacted(value, text)
            if value is None:
                gone.append(row)
                continue
        if value is not row.value or len(headers) < len(row.headers):
            kept.append(_change(row, value, headers, erased=False))
    await _write(conn, kept)
    # Of a dead letter that could not be read nobody knows whom it was about, nor was it decided in his lane.
    letters = and_(
        journal.c.lane == rejects.c.partition,
        journal.c.in_topic == rejects.c.topic,
        journal.c.in_offset == rejects.c.offset,
        journal.c.subject.is_(None),
        journal.c.erased.is_(False),
    )
    named = or_(*(_contains(conn, form) for form in _forms(text)))
    found = await conn.execute(_rows(and_(letters, named)))
    named_in = [row for row in found if any(_mentions(part, text) for part in (row.value, *map(_bytes, row.headers)))]
    await _empty(conn, [*gone, *named_in])


def _bytes(header: Sequence[str]) -> bytes:
    return header[1].encode("latin-1")


def _contains(conn: AsyncConnection, part: bytes) -> ColumnElement[bool]:
    """Whether a value, or the text of its headers, holds these bytes."""
    in_headers = func.instr if conn.dialect.name == "sqlite" else func.strpos
    headers = in_headers(cast(journal.c.headers, Text), part.decode("latin-1")) > 0
    if conn.dialect.name == "sqlite":
        return or_(func.instr(journal.c.value, part) > 0, headers)
    return or_(func.position(literal(part).op("IN")(journal.c.value)) > 0, headers)


def _rows(where: ColumnElement[bool]) -> Any:
    return select(journal.c.lane, journal.c.seq, journal.c.value, journal.c.headers).where(where)


async def _empty(conn: AsyncConnection, rows: Iterable[Row[Any]]) -> None:
    await _write(conn, [_change(row, None, _stub(row.headers), erased=True) for row in rows])


def _stub(headers: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    return [*(pair for pair in headers if pair[0] in _STUB_HEADERS), (STUB, "true")]


def _change(row: Row[Any], value: bytes | None, headers: Sequence[Any], *, erased: bool) -> Mapping[str, Any]:
    return {"b_lane": row.lane, "b_seq": row.seq, "b_value": value, "b_headers": list(headers), "b_erased": erased}


async def _write(conn: AsyncConnection, changes: Sequence[Mapping[str, Any]]) -> None:
    if changes:
        await conn.execute(
            update(journal)
            .where(journal.c.lane == bindparam("b_lane"), journal.c.seq == bindparam("b_seq"))
            .values(value=bindparam("b_value"), headers=bindparam("b_headers"), erased=bindparam("b_erased")),
            list(changes),
        )


async def _unname(conn: AsyncConnection, about: Sequence[str]) -> None:
    """An agency may have put the incident's number into the ids of its events."""
    rows = (await conn.execute(select(inbox).where(inbox.c.about.in_(about)))).all()
    if rows:
        await conn.execute(
            update(inbox)
            .where(inbox.c.source == bindparam("b_source"), inbox.c.id == bindparam("b_id"))
            .values(source=ERASED_SOURCE, id=bindparam("b_place"), about=None, digest=None),
            [
                {"b_source": row.source, "b_id": row.id, "b_place": f"{row.topic}/{row.lane}/{row.offset}"}
                for row in rows
            ],
        )
