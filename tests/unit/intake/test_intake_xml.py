"""NIBRS XML: the same facts as the flat file, whatever is broken costs its own report, and no entity is ever expanded."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.incident import IncidentReported, IncidentRetracted
from schemas.rejects import RejectCode
from services.intake.domain import Unit
from services.intake.lines import Source
from services.intake.nibrs import read_nibrs, read_nibrs_xml
from tests.harness import nibrs, nibrs_xml
from tests.unit.intake.test_intake_honolulu import FILE


def zone(_: str) -> ZoneInfo:
    return ZoneInfo("Pacific/Honolulu")


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def read(path: Path) -> list[Unit]:
    return list(read_nibrs_xml(Source(path), zone))


def xml(*lines: str) -> list[str]:
    return list(nibrs_xml.converted([line.encode("latin-1") for line in lines]))


LINES = [
    *nibrs.incident("25-001", arrested=True),
    nibrs.administrative("25-002", action="D"),
    *nibrs.incident("25-002"),
    nibrs.group_b("B-1"),
    nibrs.group_b("B-1", sequence=2, code="90C"),
    nibrs.group_b("B-2", action="D"),
    nibrs.administrative("25-003", action="D"),
    *nibrs.incident("25-004"),
    *nibrs.incident("25-004", arrested=True),
    *nibrs.incident("25-005")[:3],
    nibrs.offender("25-005", 0, "00    "),
    nibrs.zero_report(),
]


def test_the_same_month_in_both_formats(tmp_path: Path) -> None:
    flat = nibrs.written(tmp_path / "flat.txt", LINES)
    both = list(read_nibrs(Source(flat), zone)), read(written(tmp_path / "month.xml", "".join(xml(*LINES))))
    events = [[event for unit in units for event in unit.events] for units in both]
    assert events[0] == events[1]
    assert [unit.reject for units in both for unit in units if unit.reject] == []
    assert {type(event.data) for event in events[0]} == {IncidentReported, IncidentRetracted}


@pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not there (shared/data/SOURCES.md says whence)")
def test_a_real_month_in_both_formats(tmp_path: Path) -> None:
    """The first 800 incidents: the whole month takes five seconds, and was found to be the same too."""
    some = gzip.decompress(FILE.read_bytes()).splitlines()[:6_000]
    while some[-1][4:5] != b"1":
        some.pop()
    flat = nibrs.written(tmp_path / "flat.txt", some[:-1])
    whole = written(tmp_path / "month.xml", "".join(nibrs_xml.converted(some[:-1])))
    events = [event for unit in read_nibrs(Source(flat), zone) for event in unit.events]
    assert len(events) > 500
    assert [event for unit in read(whole) for event in unit.events] == events


def test_a_delete_that_gives_no_honest_number_is_refused(tmp_path: Path) -> None:
    for number in ("9" * 5_000, "00001", "0", "x"):
        text = "".join(xml(nibrs.group_b("B-1", action="D"))).replace("SequenceID>01", f"SequenceID>{number}")
        [unit] = read(written(tmp_path / "d.xml", text))
        assert unit.reject is not None
        assert (unit.reject.code, unit.reject.field) == (RejectCode.NIBRS_FIELD, "Arrestee.ArrestSequenceID")


def replaced(*lines: str, action: str) -> str:
    text = "".join(xml(*lines))
    return text.replace("ActionCategoryCode>I<", f"ActionCategoryCode>{action}<")


def test_a_replaced_report_takes_back_whom_it_no_longer_names(tmp_path: Path) -> None:
    two = [*nibrs.incident("25-001"), nibrs.offender("25-001", 2, "40  MB")]
    first, second = xml(*two)[1], xml(*nibrs.incident("25-001"))[1].replace(">I<", ">R<", 1)
    path = written(tmp_path / "r.xml", nibrs_xml.HEAD + first + second + nibrs_xml.TAIL)
    units = read(path)
    assert [type(event.data) for unit in units for event in unit.events] == [
        IncidentReported,
        IncidentReported,
        IncidentReported,
        IncidentRetracted,
    ]


@pytest.mark.parametrize(
    ("written_as", "hour"),
    [
        ("2025-01-10T20:00:00", 20),
        ("2025-01-10T20:00:00-10:00", 20),
        ("2025-01-11T06:00:00Z", 20),
        ("2025-01-11T01:30:00-05:00", 20),
        ("2025-01-11T09:59:59.9Z", 23),
    ],
)
def test_a_time_with_a_zone_is_that_moment(tmp_path: Path, written_as: str, hour: int) -> None:
    """In Honolulu, whose day the arrest's is too."""
    text = "".join(xml(*nibrs.incident("25-001", arrested=True))).replace("2025-01-10T20:00:00", written_as)
    text = text.replace("<nc:Date>2025-01-10</nc:Date>", "<nc:DateTime>2025-01-11T09:00:00Z</nc:DateTime>")
    [unit] = read(written(tmp_path / "t.xml", text))
    [data] = [event.data for event in unit.events]
    assert isinstance(data, IncidentReported)
    assert data.occurred_at == datetime(2025, 1, 10, hour, tzinfo=zone(""))
    assert data.arrest is not None
    assert data.arrest.arrested_at == data.occurred_at, "not before its incident"


BOMB = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("prolog", [BOMB, OUTSIDE, "<!DOCTYPE l SYSTEM 'http://127.0.0.1/x.dtd'>"])
def test_document_types_and_entities_are_refused(tmp_path: Path, prolog: str) -> None:
    head, *rest = xml(*nibrs.incident("25-001"))
    first, _, root = head.partition("\n")
    text = "".join([first, "\n", prolog, root, *rest]).replace("13B", "&c;")
    [unit] = read(written(tmp_path / "bomb.xml", text))
    assert unit.reject is not None
    assert unit.reject.code is RejectCode.XML_FORBIDDEN


@pytest.mark.parametrize(
    "broken",
    [
        lambda text: text.replace("</nibrs:Report>", ""),
        lambda text: text.replace("<nc:Incident>", "<nc:Incident", 1),
        lambda text: text.replace("<nc:Incident>", "<nc:Incident>\x01", 1),
        lambda text: text.replace("13B", "&unknown;", 1),
        lambda text: text.replace("</j:Victim>", "", 1),
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("nc:Incident>", "xx:Incident>"),
        lambda text: text.replace("<nc:Incident>", "<nc:Incident>" + "<a>" * 100 + "</a>" * 100, 1),
    ],
)
def test_a_broken_report_leaves_its_neighbours_alone(tmp_path: Path, broken: object) -> None:
    head, one, two, three, tail = xml(*nibrs.incident("1"), *nibrs.incident("2"), *nibrs.incident("3"))
    assert callable(broken)
    units = read(written(tmp_path / "b.xml", "".join([head, one, broken(two), three, tail])))
    assert [event.correlationid for unit in units for event in unit.events] == ["ZZ0010000:1", "ZZ0010000:3"]
    [reject] = [unit.reject for unit in units if unit.reject]
    assert reject.line == (head + one).count("\n") + 1 or reject.code is RejectCode.TOO_LARGE
    assert b"<nibrs:Report>" in reject.raw


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1", "windows-1252", "UTF-16", "UTF-16LE", "UTF-16BE"])
def test_a_broken_report_leaves_its_neighbours_alone_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    """More of them than are read at once."""
    head, *reports, tail = xml(*(line for n in range(60) for line in nibrs.incident(f"{n}")))
    reports = [report.replace("</nibrs:Report>", "<Text>José</Text></nibrs:Report>") for report in reports]
    reports[1] = reports[1].replace("</j:Victim>", "", 1)
    reports[30] = reports[30].replace("<nc:Incident>", "<nc:Incident>\x01", 1)
    text = "".join([head.replace("UTF-8", encoding), *reports, tail])
    path = tmp_path / "b.xml"
    path.write_bytes(text.encode(encoding))
    units = read(path)
    assert [unit.line for unit in units if unit.reject] == [
        ("".join([head, *reports[:n]])).count("\n") + 1 for n in (1, 30)
    ]
    assert [event.correlationid for unit in units for event in unit.events] == [
        f"ZZ0010000:{n}" for n in range(60) if n not in (1, 30)
    ]


LINK = "<j:OffenseVictimAssociation/><j:SubjectVictimAssociation/><j:ArrestSubjectAssociation/>"


@pytest.mark.parametrize(
    ("role", "distinct", "field"),
    [
        ("Victim", True, "Victim.VictimSequenceNumberText"),
        ("Victim", False, "Victim.VictimSequenceNumberText"),
        ("Subject", True, "Subject.SubjectSequenceNumberText"),
        ("Arrestee", False, "Arrestee.ArrestSequenceID"),
    ],
)
def test_the_time_a_report_takes_grows_with_its_length_alone(
    tmp_path: Path, role: str, distinct: bool, field: str
) -> None:
    """More people than numbers can tell apart are refused before anything is looked up for each."""
    head, one, tail = xml(*nibrs.incident("1", arrested=True))
    start, end = one.index(f"<j:{role} "), one.index(f"</j:{role}>") + len(f"</j:{role}>")
    many = (one[start:end].replace('id="', f'id="{n if distinct else ""}') for n in range(2_000))
    path = written(tmp_path / "m.xml", "".join([head, one[:start], *many, LINK * 6_000, one[start:], tail]))
    begun = time.process_time()
    [unit] = read(path)
    assert unit.reject is not None
    assert (unit.reject.code, unit.reject.field) == (RejectCode.NIBRS_FIELD, field)
    assert time.process_time() - begun < 5, "a few tenths; it was minutes"


def test_each_of_a_thousand_women_has_what_is_hers(tmp_path: Path) -> None:
    """The most that a report can tell of, within the time that its length takes."""
    women = [nibrs.victim("1", n, related="01BG" if n % 2 else "01SE") for n in range(1, 1_000)]
    whole = nibrs.incident("1")
    path = written(tmp_path / "w.xml", "".join(xml(*whole[:2], *women, *whole[3:])))
    begun = time.process_time()
    [event] = [event for unit in read(path) for event in unit.events]
    assert isinstance(event.data, IncidentReported)
    assert [(one.victim_no, one.relationship, one.offenses) for one in event.data.victims] == [
        (n, "BG" if n % 2 else "SE", ["13B"]) for n in range(1, 1_000)
    ]
    assert time.process_time() - begun < 5


def test_a_file_that_breaks_off_says_so(tmp_path: Path) -> None:
    head, one, two, _ = xml(*nibrs.incident("1"), *nibrs.incident("2"))
    units = read(written(tmp_path / "b.xml", head + one + two[:300]))
    assert [bool(unit.reject) for unit in units] == [False, True]
    units = read(written(tmp_path / "c.xml", head + one))
    assert [bool(unit.reject) for unit in units] == [False, True], "the end of the submission is missing"


def fields(tmp_path: Path, changes: Iterable[tuple[str, str]]) -> list[tuple[RejectCode, str | None]]:
    text = "".join(xml(*nibrs.incident("25-001", arrested=True)))
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    units = read(written(tmp_path / "f.xml", text))
    return [(unit.reject.code, unit.reject.field) for unit in units if unit.reject]


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("GROUP A INCIDENT REPORT", "GROUP C", RejectCode.NIBRS_SEGMENT, "Report.NIBRSReportCategoryCode"),
        (">I</nibrs:ReportAction", ">M</nibrs:ReportAction", RejectCode.NIBRS_FIELD, "Report.ReportActionCategoryCode"),
        ("ZZ0010000", "zz", RejectCode.NIBRS_FIELD, "Report.OrganizationORIIdentification"),
        ("2025-01<", "2025-13<", RejectCode.NIBRS_FIELD, "Report.ReportDate"),
        ("T20:00:00", "T99:00:00", RejectCode.NIBRS_FIELD, "Incident.ActivityDate"),
        ("2025-01-10T", "9999-12-31T", RejectCode.NIBRS_FIELD, "Incident.ActivityDate"),
        ("2025-01-10T", "0001-01-01T", RejectCode.NIBRS_FIELD, "Incident.ActivityDate"),
        ("Date>2025-01-10<", "Date>9999-12-31<", RejectCode.NIBRS_FIELD, "Arrest.ActivityDate"),
        ("SequenceID>01", f"SequenceID>{'1' * 5_000}", RejectCode.NIBRS_FIELD, "Arrestee.ArrestSequenceID"),
        ("Boyfriend_Girlfriend", "Sweetheart", RejectCode.NIBRS_FIELD, None),
        ("UCRCode>13B", "UCRCode>77X", RejectCode.NIBRS_FIELD, "Offense.OffenseUCRCode"),
        ('ref="S1"', 'ref="S9"', RejectCode.NIBRS_FIELD, "SubjectVictimAssociation.Subject"),
        ('ref="V001"', 'ref="V01"', RejectCode.NIBRS_FIELD, "OffenseVictimAssociation.Victim"),
        (
            'ref="V001"/><nibrs:VictimToSubject',
            'ref="V01"/><nibrs:VictimToSubject',
            RejectCode.NIBRS_FIELD,
            "SubjectVictimAssociation.Victim",
        ),
        ("IntegerValue>30", "IntegerValue>3x", RejectCode.NIBRS_FIELD, "PersonAgeMeasure.MeasureIntegerValue"),
    ],
)
def test_a_wrong_element_is_named_and_its_text_is_not(
    tmp_path: Path, old: str, new: str, code: RejectCode, field: str | None
) -> None:
    [(found, where)] = fields(tmp_path, [(old, new)])
    assert found is code
    assert field is None or where == field
    assert new.strip("<>") not in str(where)


@pytest.mark.parametrize("second", ['s:id="X0"', ""])
def test_two_arrests_that_cannot_be_told_apart_are_refused(tmp_path: Path, second: str) -> None:
    """Each arrestee would have the last of them, and its charge."""
    lines = [*nibrs.incident("1", arrested=True), nibrs.arrestee("1", 2, code="120")]
    text = "".join(xml(*lines))
    assert text.count("<j:Arrest s:id=") == 2
    changed = text.replace('s:id="X1"', second).replace('s:ref="X1"', 's:ref="X0"')
    if not second:
        changed = changed.replace(' s:id="X0"', "").replace(' s:ref="X0"', "")
    [unit] = read(written(tmp_path / "a.xml", changed))
    assert unit.reject is not None
    assert (unit.reject.code, unit.reject.field) == (RejectCode.NIBRS_FIELD, "Arrest.ActivityIdentification")
