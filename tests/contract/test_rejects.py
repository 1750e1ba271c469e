"""Every reject code has a row in docs/rejects.md and is really produced; no text of a reject holds what was sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiokafka import ConsumerRecord

from schemas.envelope import Message, decode
from schemas.mapping_file import load_mapping
from schemas.rejects import MENDS, InvalidRecord, RejectCode
from schemas.topics import Topic
from services.common.records import dead_letter, parse
from services.intake.app import Format, read_units
from services.intake.domain import Reject
from services.intake.lines import Source
from services.intake.nibrs.layout import LAYOUTS
from tests.harness import feed, nibrs, nibrs_xml

PAGE = Path(__file__).parents[2] / "docs" / "rejects.md"
CANARY = "Canary O'Planted"
HEX = CANARY.encode().hex()


def rows() -> dict[str, list[str]]:
    """The table of codes: by code its other cells."""
    found = re.findall(r"^\| `([a-z0-9_]+)` \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {code: [cell.strip() for cell in cells.split("|")] for code, cells in found}


def changed(path: str, value: Any) -> bytes:
    """An incident with one thing changed, or removed if `value` is `...`."""
    event = feed.envelope(feed.incident())
    *way, last = path.split(".")
    here: Any = event
    for step in way:
        here = here[int(step) if step.isdigit() else step]
    if value is ...:
        del here[last]
    else:
        here[last] = value
    return json.dumps(event).encode()


RELATIONSHIP = "victims.0.relationship"
HEARTBEAT = feed.line({"lane": 3}, "ipvi.gate.heartbeat.v1")

# fmt: off
BAD_LINES: list[tuple[str, bytes, RejectCode, str | None]] = [
    ("broken JSON", b'{"specversion": "1.0", "subject": "' + CANARY.encode(), RejectCode.BROKEN_JSON, None),
    ("a blank line", b"", RejectCode.EMPTY_VALUE, None),
    ("binary noise", b"\x00\xff\xfe\x80" + CANARY.encode(), RejectCode.NOT_UTF8, None),
    ("Latin-1", '{"name": "Canaría"}'.encode("latin-1"), RejectCode.NOT_UTF8, None),
    ("a list", json.dumps([CANARY]).encode(), RejectCode.NOT_AN_EVENT, None),
    ("no CloudEvents 1.0", changed("specversion", CANARY), RejectCode.NOT_AN_EVENT, "specversion"),
    ("a megabyte", changed("data.note", CANARY * 70_000), RejectCode.TOO_LARGE, None),
    ("an unknown type", changed("type", CANARY), RejectCode.UNKNOWN_TYPE, "type"),
    ("another service's event", HEARTBEAT, RejectCode.NOT_ON_THIS_TOPIC, "type"),
    ("no subject", changed("subject", ...), RejectCode.MISSING_FIELD, "subject"),
    ("no data", changed("data", ...), RejectCode.MISSING_FIELD, "data"),
    ("data that is text", changed("data", CANARY), RejectCode.WRONG_TYPE, "data"),
    ("another's subject", changed("subject", CANARY), RejectCode.KEY_MISMATCH, "subject"),
    ("an attribute that is a number", changed("id", 7), RejectCode.WRONG_TYPE, "id"),
    ("an attribute of their own", changed(CANARY, 7), RejectCode.WRONG_TYPE, "attribute"),
    ("no offence code", changed("data.offenses.0.code", ...), RejectCode.MISSING_FIELD, "offenses.0.code"),
    ("a number as text", changed("data.revision", CANARY), RejectCode.WRONG_TYPE, "revision"),
    ("text for true", changed("data.offenses.0.charged", CANARY), RejectCode.WRONG_TYPE, "offenses.0.charged"),
    ("text for a list", changed("data.victims", CANARY), RejectCode.WRONG_TYPE, "victims"),
    ("a relationship in words", changed(f"data.{RELATIONSHIP}", CANARY), RejectCode.UNKNOWN_CODE, RELATIONSHIP),
    ("a breach in words", changed("data.prohibited_behavior", [CANARY]), RejectCode.UNKNOWN_CODE, None),
    ("an unknown class", changed("dataclassification", CANARY), RejectCode.UNKNOWN_CODE, "dataclassification"),
    ("an age of 300", changed("data.offender.age", 300), RejectCode.OUT_OF_RANGE, "offender.age"),
    ("a revision that no table holds", changed("data.revision", 10**15), RejectCode.OUT_OF_RANGE, "revision"),
    ("a victim's number likewise", changed("data.victims.0.victim_no", 10**9), RejectCode.OUT_OF_RANGE, "victims.0.victim_no"),
    ("nested too deep", changed("data.note", CANARY).replace(b'"' + CANARY.encode() + b'"', b"[" * 300 + b"]" * 300),
     RejectCode.BROKEN_JSON, "data"),
    ("a long id", changed("data.victims.0.victim_id", CANARY * 20), RejectCode.OUT_OF_RANGE, "victims.0.victim_id"),
    ("an agency by name", changed("data.agency", CANARY), RejectCode.BAD_FORMAT, "agency"),
    ("a NUL", changed("data.victims.0.victim_id", CANARY + "\0"), RejectCode.BAD_FORMAT, "data"),
    ("a date that is none", changed("data.offender.birth_date", CANARY), RejectCode.BAD_TIME, "offender.birth_date"),
    ("a time without a zone", changed("data.occurred_at", "2025-01-10T20:00:00"), RejectCode.BAD_TIME, "occurred_at"),
    ("a time that is none", changed("time", CANARY), RejectCode.BAD_TIME, "time"),
]
# fmt: on


def refused(path: Path, kind: Format) -> list[Reject]:
    units = read_units(Source(path), kind, lambda _: ZoneInfo("UTC"))
    return [unit.reject for unit in units if unit.reject]


@pytest.mark.parametrize(("what", "line", "code", "field"), BAD_LINES, ids=[what for what, *_ in BAD_LINES])
def test_a_bad_line_is_refused_and_the_rest_goes_on(
    tmp_path: Path, what: str, line: bytes, code: RejectCode, field: str | None
) -> None:
    good = feed.line(feed.incident())
    path = nibrs.written(tmp_path / "feed.jsonl", [good, line, good], end=b"\n")
    units = list(read_units(Source(path), Format.CLOUDEVENTS, lambda _: ZoneInfo("UTC")))
    assert [len(unit.events) for unit in units] == [1, 0, 1]
    reject = units[1].reject
    assert reject is not None
    assert (reject.file, reject.line, reject.code, reject.raw) == ("feed.jsonl", 2, code, line)
    assert field is None or reject.field == field
    assert_silent(reject)


def assert_silent(reject: Reject) -> None:
    for text in (str(reject), repr(reject), reject.field or "", reject.mend):
        assert "anar" not in text
        assert HEX not in text


WHOLE = nibrs.incident("25-001", arrested=True)
BAD_REPORTS: dict[RejectCode, list[str | bytes]] = {
    RejectCode.NIBRS_TRUNCATED: [*WHOLE[:2], WHOLE[2][:97], *WHOLE[3:]],
    RejectCode.NIBRS_LENGTH: [*WHOLE[:2], WHOLE[2] + CANARY, *WHOLE[3:]],
    RejectCode.NIBRS_SEGMENT: [WHOLE[0], WHOLE[1][:4] + "8" + WHOLE[1][5:40] + CANARY],
    RejectCode.NIBRS_FIELD: [*WHOLE[:2], nibrs.victim("25-001", 1, "13B", "01BG", (92, CANARY)), *WHOLE[3:]],
    RejectCode.NIBRS_ORPHAN: [*WHOLE[1:]],
    RejectCode.MISSING_FIELD: [*WHOLE[:3]],
}


@pytest.mark.parametrize("code", BAD_REPORTS, ids=str)
def test_a_bad_report_is_refused_and_the_rest_goes_on(tmp_path: Path, code: RejectCode) -> None:
    path = nibrs.written(tmp_path / "feed.txt", [*nibrs.incident("1"), *BAD_REPORTS[code], *nibrs.incident("2")])
    units = list(read_units(Source(path), Format.NIBRS_FLAT, lambda _: ZoneInfo("UTC")))
    assert [len(unit.events) for unit in units] == [1, 0, 1]
    reject = units[1].reject
    assert reject is not None
    assert reject.code is code
    assert_silent(reject)


XML = "".join(nibrs_xml.converted([line.encode() for line in nibrs.incident("1")]))
TABLE = "case_id,person_id,offense_date,charge_description,charge_degree\n"
BAD_FILES: dict[RejectCode, tuple[Format, str]] = {
    RejectCode.XML_BROKEN: (Format.NIBRS_XML, XML.replace("</nc:Incident>", CANARY)),
    RejectCode.XML_FORBIDDEN: (Format.NIBRS_XML, XML.replace("?>", f"?><!DOCTYPE x [<!ENTITY a '{CANARY}'>]>")),
    RejectCode.ROW_LENGTH: (Format.CSV, f"{TABLE}K1,P1,{CANARY}\n"),
    RejectCode.ROW_DATE: (Format.CSV, f"{TABLE}K1,P1,{CANARY},Battery,M\n"),
    RejectCode.ROW_VALUE: (Format.CSV, f"{TABLE}K1,P1\0{CANARY},2014-01-02,Battery,M\n"),
}
"""`row_conflict` is made in the tests of mapped tables, what is checked after reading in those of `checking`."""


@pytest.mark.parametrize("code", BAD_FILES, ids=str)
def test_what_is_wrong_with_xml_and_tables_is_named_and_not_quoted(tmp_path: Path, code: RejectCode) -> None:
    kind, text = BAD_FILES[code]
    path = tmp_path / "feed"
    path.write_text(text)
    mapping = load_mapping("broward") if kind is Format.CSV else None
    rejected = [
        unit.reject for unit in read_units(Source(path), kind, lambda _: ZoneInfo("UTC"), mapping) if unit.reject
    ]
    assert [reject.code for reject in rejected] == [code]
    assert_silent(rejected[0])


# records of a topic ----------------------------------------------------------------------------------------------


def record(
    value: bytes | None, *headers: tuple[str, bytes], key: bytes | None = b"O1", topic: Topic = Topic.INCIDENTS
) -> ConsumerRecord:
    return ConsumerRecord(topic.value, 0, 7, 1_736_546_400_000, 0, key, value, None, -1, -1, tuple(headers))


GOOD = feed.line(feed.incident())
BAD_RECORDS: dict[RejectCode, ConsumerRecord] = {
    RejectCode.EMPTY_VALUE: record(None),
    RejectCode.HEADER_NOT_UTF8: record(b"{}", ("ce_id", b"\xff" + CANARY.encode())),
    RejectCode.MISSING_KEY: record(GOOD, key=None),
    RejectCode.KEY_NOT_UTF8: record(GOOD, key=b"\xff" + CANARY.encode()),
    RejectCode.KEY_MISMATCH: record(GOOD, key=CANARY.encode()),
    RejectCode.NOT_ON_THIS_TOPIC: record(GOOD, topic=Topic.DECISIONS),
}


@pytest.mark.parametrize("code", BAD_RECORDS, ids=str)
def test_a_bad_record_is_refused_with_its_original_bytes(code: RejectCode) -> None:
    bad = BAD_RECORDS[code]
    parsed = parse(bad)
    assert parsed.invalid is not None
    assert parsed.invalid.code is code
    assert "anar" not in str(parsed.invalid)
    letter = dead_letter(bad, parsed.invalid, Topic.CLASSIFIER_REJECTS, 0)
    assert (letter.message.key, letter.message.value) == (bad.key, bad.value)
    ours = [value for name, value in letter.message.headers if not name.startswith("original-")]
    assert not any(b"anar" in value for value in ours)


def test_a_record_of_neither_mode_is_no_event() -> None:
    with pytest.raises(InvalidRecord) as caught:
        decode(Message(b"O1", b"{}", (("ce_id", b"1"), ("content-type", b"application/cloudevents+json"))))
    assert caught.value.code is RejectCode.NOT_AN_EVENT


# the page ----------------------------------------------------------------------------------------------


def test_every_code_has_a_row_and_no_row_is_left_over() -> None:
    assert list(rows()) == [str(code) for code in RejectCode]
    assert all(len(cells) == 3 and cells[0] and cells[2] for cells in rows().values())
    assert set(MENDS) == set(RejectCode)


def test_every_code_is_produced() -> None:
    """Here, but for `conflicting_revision`, which only a history can tell (tests of the classifier)."""
    lines = {code for _, _, code, _ in BAD_LINES}
    here = lines | set(BAD_REPORTS) | set(BAD_RECORDS) | set(BAD_FILES)
    elsewhere = {RejectCode.CONFLICTING_REVISION, RejectCode.ROW_CONFLICT}
    elsewhere |= {RejectCode.ANOTHER_AGENCY, RejectCode.KIND_NOT_ALLOWED, RejectCode.IN_FUTURE}
    assert here == set(RejectCode) - elsewhere


def test_the_page_knows_every_segment_and_field() -> None:
    page = PAGE.read_text("utf-8")
    for layout in LAYOUTS.values():
        [row] = re.findall(rf"^\| {layout.level} \| `{layout.name}` \|(.*)$", page, re.MULTILINE)
        assert ", ".join(map(str, layout.lengths)) in row
        header = set(LAYOUTS["0"].columns)
        assert all(f"`{name}`" in row for name in layout.columns if name not in header)
        assert all(f"`{name}`" in page for name in header)


def test_examples_on_the_page_are_fields_that_are_refused(tmp_path: Path) -> None:
    fields = {field for _, _, _, field in BAD_LINES} | {"revision", "when", "rel"}
    fields |= {"arrest_id", "arrest.arrested_at", "booked"}  # tests of `checking`
    for code, lines in BAD_REPORTS.items():
        fields |= {reject.field for reject in refused(nibrs.written(tmp_path / code, lines), Format.NIBRS_FLAT)}
    shown = {example for cells in rows().values() for example in re.findall(r"`([^`]+)`", cells[1])}
    assert shown <= fields
