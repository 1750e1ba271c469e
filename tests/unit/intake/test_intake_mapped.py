"""Tables under a mapping file: what is read, what stays unknown, what is refused."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas.incident import CaseDisposed, IncidentReported, NotificationRecorded, OrderChanged
from schemas.mapping import Mapping, mapping_schema
from schemas.mapping_file import FOLDERS, MappingError, load_mapping
from schemas.rejects import RejectCode
from services.intake.domain import IngestSummary, InputError, Unit
from services.intake.identity import victim_id
from services.intake.lines import Source
from services.intake.mapped import read_mapped
from services.intake.people import OffenderFacts, VictimFacts
from tests.unit.intake.test_intake_honolulu import SHARED

BROWARD = SHARED / "data" / "broward-charges.csv"
CALLS = {
    "name": "calls",
    "kind": "incidents",
    "agency": "ZZ0010000",
    "time_zone": "America/New_York",
    "columns": {
        "incident": "call",
        "occurred": "when",
        "charge": "type",
        "person": "man",
        "name": "his name",
        "birth_date": "born",
        "victim": "woman",
        "victim_name": "her name",
        "victim_contact": "her phone",
        "relationship": "rel",
        "prohibited": "breach",
        "revision": "rev",
    },
    "dates": ["%Y-%m-%d", "%m/%d/%Y %H:%M"],
    "charges": [
        {"text": "domestic.*assault", "code": "13B"},
        {"text": "domestic", "code": "90F", "victim": True},
        {"text": "strangle", "code": "13A", "force": ["85"]},
    ],
    "relationships": {"girlfriend": "BG", "wife": "SE"},
    "prohibited": {"50B": ["protective_order"]},
}
HEADER = "call,when,type,man,his name,born,woman,her name,her phone,rel,breach,rev"


def mapping(**changes: Any) -> Mapping:
    return Mapping.model_validate({**CALLS, **changes})


def read(path: Path, *rows: str | bytes, under: Mapping | None = None, header: str = HEADER) -> list[Unit]:
    file = path / "calls.csv"
    file.write_bytes(b"\n".join(row if isinstance(row, bytes) else row.encode() for row in (header, *rows)) + b"\n")
    return list(read_mapped(Source(file), under or mapping()))


def told(unit: Unit) -> IncidentReported:
    [event] = unit.events
    assert isinstance(event.data, IncidentReported)
    return event.data


ROW = '25-1,01/10/2025 22:15,DOMESTIC ASSAULT,M1,"Man, A",1985-06-15,W1,Woman B,contact 1,girlfriend,,1'


def test_a_call_with_all_it_can_hold(tmp_path: Path) -> None:
    [unit] = read(tmp_path, ROW)
    data = told(unit)
    assert data.incident_id == "ZZ0010000:25-1"
    assert data.occurred_at == datetime(2025, 1, 11, 3, 15, tzinfo=UTC)
    assert [(one.relationship, one.offenses) for one in data.victims] == [("BG", ["13B"])]
    assert [(one.code, one.charged) for one in data.offenses] == [("13B", False)]
    assert (data.probable_cause, data.offender_informed, data.arrest) == (None, None, None)
    him, her = unit.facts
    assert isinstance(him, OffenderFacts)
    assert isinstance(her, VictimFacts)
    assert (him.name, him.birth_date) == ("Man, A", date(1985, 6, 15))
    assert (her.name, her.contact, her.incident_id, her.victim_no) == ("Woman B", ("contact 1",), "ZZ0010000:25-1", 1)


def test_rows_of_one_call_are_one_incident_wherever_they_lie(tmp_path: Path) -> None:
    other = ROW.replace("25-1", "25-2")
    again = "25-1,01/10/2025 22:15,strangled,M1,,,W1,,,girlfriend,50B,2"
    units = read(tmp_path, ROW, other, again)
    assert sorted((told(unit).incident_id, len(told(unit).offenses)) for unit in units) == [
        ("ZZ0010000:25-1", 2),
        ("ZZ0010000:25-2", 1),
    ]
    data = next(told(unit) for unit in units if told(unit).incident_id.endswith("25-1"))
    assert (data.revision, data.prohibited_behavior, data.victims[0].offenses) == (
        2,
        ["protective_order"],
        ["13B", "13A"],
    )
    assert data.offenses[1].force == ["85"]


def test_what_is_not_told_is_unknown_and_not_guessed(tmp_path: Path) -> None:
    [assault, quarrel, nobody] = read(
        tmp_path,
        "1,2025-01-10,domestic assault,M1,,,,,,,,",
        "2,2025-01-10,strangled,M2,,,W2,,,,,",
        "3,2025-01-10,domestic assault,,,,W3,,,wife,,",
    )
    assert [(one.victim_id, one.relationship, one.offenses) for one in told(assault).victims] == [(None, "RU", ["13B"])]
    assert [one.relationship for one in told(quarrel).victims] == ["RU"]
    assert nobody.events == ()
    assert nobody.reject is None, "nobody is named as offender"
    assert [fact for fact in assault.facts if isinstance(fact, OffenderFacts) and fact.name] == []


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ("25-1,2025-01-10,domestic,M1,,,,,,,", RejectCode.ROW_LENGTH, None),
        ('25-1,2025-01-10,"domestic,M1,,,,,,,,', RejectCode.ROW_LENGTH, None),
        ("25-1,10.1.2025,domestic,M1,,,,,,,,", RejectCode.ROW_DATE, "when"),
        ("25-1,,domestic,M1,,,,,,,,", RejectCode.MISSING_FIELD, "when"),
        (",2025-01-10,domestic,M1,,,,,,,,", RejectCode.MISSING_FIELD, "call"),
        ("25-1,2025-01-10,barking dog,M1,,,,,,,,", RejectCode.ROW_VALUE, "type"),
        ("25-1,2025-01-10,domestic,M1,,,W1,,,mistress,,", RejectCode.ROW_VALUE, "rel"),
        ("25-1,2025-01-10,domestic,M1,,,W1,,,,restraint,", RejectCode.ROW_VALUE, "breach"),
        ("25-1,2025-01-10,domestic,M1,,,,,,,,zero", RejectCode.OUT_OF_RANGE, "rev"),
        (f"25-1,2025-01-10,domestic,{'M' * 300},,,,,,,,", RejectCode.OUT_OF_RANGE, "man"),
        (f"{'7' * 101},2025-01-10,domestic,M1,,,,,,,,", RejectCode.OUT_OF_RANGE, "call"),
        (b"25-1,2025-01-10,domestic,M\xff1,,,,,,,,", RejectCode.NOT_UTF8, None),
        ("25-1,2025-01-10,domestic,M\x001,,,,,,,,", RejectCode.ROW_VALUE, "man"),
    ],
)
def test_a_bad_row_is_refused_and_the_rest_goes_on(
    tmp_path: Path, row: str | bytes, code: RejectCode, field: str | None
) -> None:
    units = read(tmp_path, ROW.replace("25-1", "7"), row, ROW.replace("25-1", "8"))
    assert sorted(told(unit).incident_id for unit in units if unit.events) == ["ZZ0010000:7", "ZZ0010000:8"]
    [reject] = [unit.reject for unit in units if unit.reject]
    assert (reject.line, reject.code, reject.field) == (3, code, field)


def test_rows_that_contradict_each_other(tmp_path: Path) -> None:
    [unit] = read(tmp_path, ROW, ROW.replace("girlfriend", "wife"))
    assert unit.reject is not None
    assert (unit.reject.code, unit.reject.field, unit.reject.line) == (RejectCode.ROW_CONFLICT, "rel", 3)
    assert unit.reject.raw.count(b"\n") == 1, "the whole unit is kept"


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (ROW.replace(",M1,", ",,").replace("Man, A", "Other, B"), "his name"),
        (ROW.replace(",M1,", ",,").replace("1985", "1961"), "born"),
    ],
)
def test_two_men_of_one_call_without_numbers_are_not_one(tmp_path: Path, other: str, field: str) -> None:
    """Each would be charged with what the other did, and her telephone would be in the other's file."""
    nobody = ROW.replace(",M1,", ",,").replace("1985-06-15", "")
    [unit] = read(tmp_path, nobody, ROW.replace(",M1,", ",,"), other)
    assert unit.reject is not None
    assert (unit.reject.code, unit.reject.field, unit.reject.line) == (RejectCode.ROW_CONFLICT, field, 4)


def test_two_men_of_one_call_are_told_apart_by_their_place(tmp_path: Path) -> None:
    under = mapping(columns={**CALLS["columns"], "offender_no": "no"})  # type: ignore[dict-item]
    mine, other = ROW.replace(",M1,", ",,") + ",1", ROW.replace(",M1,", ",,").replace("Man, A", "Other, B") + ",2"
    units = read(tmp_path, mine, other, mine.replace("Man, A", "MAN,  A"), under=under, header=f"{HEADER},no")
    assert sorted(len(told(unit).offenses) for unit in units) == [1, 2]
    [half] = [unit.reject for unit in read(tmp_path, mine, other[:-1], under=under, header=f"{HEADER},no")]
    assert half is not None
    assert half.code is RejectCode.ROW_CONFLICT, "who has no place is not the first"
    [one] = read(tmp_path, mine, mine.replace("Man, A", "Mann, A"), under=under, header=f"{HEADER},no")
    assert len(told(one).offenses) == 2, "a place in the report says who he is, however his name is written"


def test_a_name_of_two_columns_has_the_length_of_one(tmp_path: Path) -> None:
    """What is longer fits no record of people: they could not be read again."""
    columns = {**CALLS["columns"], "last_name": "last", "first_name": "first"}  # type: ignore[dict-item]
    under = mapping(columns={name: column for name, column in columns.items() if name != "name"})
    header = HEADER.replace("his name", "last") + ",first"
    fits, longer = (ROW.replace('"Man, A"', "L" * 120) + "," + "F" * count for count in (78, 79))
    good, bad = read(tmp_path, fits, longer.replace("25-1", "25-2"), under=under, header=header)
    [him] = [fact for fact in good.facts if isinstance(fact, OffenderFacts)]
    assert len(him.name or "") == 200
    assert bad.reject is not None
    assert (bad.reject.code, bad.reject.field) == (RejectCode.OUT_OF_RANGE, "last")


def test_an_incident_of_too_many_rows_is_refused_row_by_row(tmp_path: Path) -> None:
    """Such a column holds no number of incidents. None of the rows is held for the others."""
    file = tmp_path / "calls.csv"
    file.write_text("\n".join([HEADER, *[ROW] * 500, *[ROW.replace("25-1", "0")] * 501]) + "\n")
    units = read_mapped(Source(file), mapping())
    assert len(told(next(units)).offenses) == 500
    first = next(units)
    assert first.reject is not None
    assert (first.reject.code, first.reject.field, first.line) == (RejectCode.OUT_OF_RANGE, "call", 502)
    assert first.reject.raw.decode() == ROW.replace("25-1", "0")
    assert sum(unit.reject is not None for unit in units) == 500


def women(path: Path, *rows: str) -> list[Unit]:
    """Each row her person number, her number in the incident, her name."""
    under = mapping(columns={**CALLS["columns"], "victim_no": "w no"})  # type: ignore[dict-item]
    calls = []
    for each in rows:
        person, number, name = each.split(",")
        calls.append(f"25-1,2025-01-10,domestic assault,M1,,,{person},{name},,wife,,,{number}")
    return read(path, *calls, under=under, header=f"{HEADER},w no")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((",2,Ann", ",,Zoe"), [("Ann", 2), ("Zoe", 1)]),
        (("W1,,Ann", "W1,7,Ann", ",,Zoe"), [("Ann", 7), ("Zoe", 1)]),
        ((",,Zoe", ",2,Ann", ",,Bea"), [("Zoe", 1), ("Ann", 2), ("Bea", 3)]),
        (("W1,,Ann", "W2,1,Zoe", ",02,Bea", ",2,Bea"), [("Ann", 3), ("Zoe", 1), ("Bea", 2)]),
        (("2,,Ann", ",2,Zoe"), [("Ann", 1), ("Zoe", 2)]),
    ],
)
def test_each_woman_has_a_number_of_her_own(
    tmp_path: Path, rows: tuple[str, ...], expected: list[tuple[str, int]]
) -> None:
    """Whoever has none gets one that is free: under the number of another she would be refused by all who come after."""
    [unit] = women(tmp_path, *rows)
    assert [(fact.name, fact.victim_no) for fact in unit.facts if isinstance(fact, VictimFacts)] == expected
    assert [one.victim_no for one in told(unit).victims] == [number for _, number in expected]


def test_two_women_of_one_number_are_refused(tmp_path: Path) -> None:
    for rows in (("W1,1,Ann", "W1,1,Ann", "W2,1,Zoe"), ("W1,1,Ann", "W2,3,Zoe", "W1,2,Ann")):
        [unit] = women(tmp_path, *rows)
        assert unit.reject is not None
        assert (unit.reject.code, unit.reject.field, unit.reject.line) == (RejectCode.ROW_CONFLICT, "w no", 4)


def of_men(path: Path, *rows: str) -> list[Unit]:
    """Each row his number, her number in the incident, her name, her birth date; one incident."""
    columns = {**CALLS["columns"], "victim_no": "w no", "victim_birth_date": "w born"}  # type: ignore[dict-item]
    calls = []
    for each in rows:
        man, number, name, birth = each.split(",")
        calls.append(f"25-1,2025-01-10,domestic assault,{man},,,,{name},,wife,,,{number},{birth}")
    return read(path, *calls, under=mapping(columns=columns), header=f"{HEADER},w no,w born")


def named(units: list[Unit]) -> list[list[tuple[str | None, int | None, str | None]]]:
    """A man after the other: her name, number and id."""
    return [
        [
            (fact.name, one.victim_no, one.victim_id)
            for fact, one in zip(
                [fact for fact in unit.facts if isinstance(fact, VictimFacts)], told(unit).victims, strict=True
            )
        ]
        for unit in units
    ]


def test_women_of_one_incident_are_told_apart_whoever_did_it(tmp_path: Path) -> None:
    """Numbered for each man apart, the first of each would go by one id, and what one says would hold for the other."""
    ids = {number: victim_id("ZZ0010000", "25-1", number) for number in (1, 2, 3, 4)}
    first, second = named(of_men(tmp_path, "M1,,Ann,", "M2,,Zoe,", "M1,,Bea,", "M2,,ann ,"))
    assert first == [("Ann", 1, ids[1]), ("Bea", 3, ids[3])]
    assert second == [("Zoe", 2, ids[2]), ("ann", 1, ids[1])]
    mother, daughter = named(of_men(tmp_path, "M1,,Ann,1960-01-02", "M2,,Ann,1990-03-04"))
    assert [mother[0][1], daughter[0][1]] == [1, 2]
    before, after = named(of_men(tmp_path, "M1,,Ann,", "M2,1,Zoe,"))
    assert [before[0][1], after[0][1]] == [2, 1]


def test_a_man_who_cannot_be_read_moves_no_womans_number(tmp_path: Path) -> None:
    """His rows come again, corrected: hers must be the number that she had."""
    refused, stands = of_men(tmp_path, "M" * 201 + ",,Ann,", "M2,,Zoe,")
    assert refused.reject is not None
    assert named([stands])[0][0][:2] == ("Zoe", 2)


def test_a_womans_row_that_cannot_be_read_gives_her_number_to_no_other(tmp_path: Path) -> None:
    """She comes again, corrected, under the number that is hers: by then nobody else may go by it."""
    for number in ("1", ""):
        rows = ("M2,,Zoe,", f"M1,{number},Ann,2085-01-01") if number else ("M1,,Ann,2085-01-01", "M2,,Zoe,")
        units = of_men(tmp_path, *rows)
        [refused] = [unit.reject for unit in units if unit.reject]
        assert (refused.code, refused.field) == (RejectCode.ROW_DATE, "w born")
        [[zoe]] = named([unit for unit in units if unit.events])
        mended = named(of_men(tmp_path, *(row.replace("2085", "1985") for row in rows)))
        assert sorted(mended) == [[("Ann", 1, victim_id("ZZ0010000", "25-1", 1))], [zoe]]
    unnumbered, wrong, numbered = of_men(tmp_path, "M2,,Zoe,", "M1,1O,Ann,", "M3,3,Bea,")
    assert [(unit.reject.code, unit.reject.field) for unit in (unnumbered, wrong) if unit.reject] == [
        (RejectCode.ROW_CONFLICT, "w no"), (RejectCode.OUT_OF_RANGE, "w no")
    ], "nobody can say which number is free"  # fmt: skip
    assert named([numbered])[0][0][:2] == ("Bea", 3)


def test_a_birth_date_in_one_of_her_rows_makes_no_other_woman_of_her(tmp_path: Path) -> None:
    for rows in (("M1,,Ann,", "M1,,ANN,1990-03-04", "M2,,Ann,"), ("M1,,Ann,1990-03-04", "M1,,Ann,", "M2,,Ann,")):
        mine, his = of_men(tmp_path, *rows)
        assert [len(one) for one in named([mine, his])] == [1, 1]
        assert named([mine])[0][0][1:] == named([his])[0][0][1:] == (1, victim_id("ZZ0010000", "25-1", 1))
        [her] = [fact for fact in mine.facts if isinstance(fact, VictimFacts)]
        assert her.birth_date == date(1990, 3, 4)
    [three] = named(of_men(tmp_path, "M1,,Ann,1960-01-02", "M1,,Ann,1990-03-04", "M1,,Ann,"))
    assert [number for _, number, _ in three] == [1, 2, 3], "which of two she is, nobody can say"


def test_one_number_for_two_womens_names_is_refused(tmp_path: Path) -> None:
    """Else one's contact would be called for the other. Another spelling is no other woman."""
    [both] = of_men(tmp_path, "M1,1,Ann Lee,", "M1,1,Zoe Lee,")
    assert both.reject is not None
    assert (both.reject.code, both.reject.field, both.reject.line) == (RejectCode.ROW_CONFLICT, "her name", 3)
    stands, refused = of_men(tmp_path, "M1,1,Ann Lee,", "M2,1,Zoe Lee,")
    assert named([stands])[0][0][0] == "Ann Lee"
    assert refused.reject is not None
    assert (refused.reject.code, refused.reject.field) == (RejectCode.ROW_CONFLICT, "her name")
    [once] = of_men(tmp_path, "M1,1,Katherine Lee,", "M1,1,Kathrine Lee,")
    assert once.reject is None


BORN = mapping(
    dates=["%m/%d/%y", "%Y-%m-%d", "%m/%d/%Y %H:%M"],
    columns={**CALLS["columns"], "victim_birth_date": "hers"},  # type: ignore[dict-item]
)


def born(his: str, hers: str) -> str:
    """Two births, each in an incident of its own."""
    return ROW.replace("25-1", f"25-{his.replace('/', '-')}").replace("1985-06-15", his) + f",{hers}"


def test_nobody_is_born_after_what_is_told_of_him(tmp_path: Path) -> None:
    """Else he would be a minor, and off the ladder: of two figures for the year the century before is meant."""
    units = read(
        tmp_path, born("06/15/62", "01/11/25"), born("06/15/08", "01/10/25"), under=BORN, header=f"{HEADER},hers"
    )
    assert told(units[0]).offender.birth_date == date(1962, 6, 15)
    assert [[fact.birth_date for fact in unit.facts] for unit in units] == [
        [date(1962, 6, 15), date(1925, 1, 11)],
        [date(2008, 6, 15), date(2025, 1, 10)],
    ]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (born("2062-06-15", ""), "born"),
        (born("1985-06-15", "2025-01-11"), "hers"),
        (born("02/29/00", "").replace("01/10/2025", "01/10/1999"), "born"),
    ],
)
def test_a_birth_date_that_cannot_be_is_refused(tmp_path: Path, row: str, field: str) -> None:
    [unit] = read(tmp_path, row, under=BORN, header=f"{HEADER},hers")
    assert unit.reject is not None
    assert (unit.reject.code, unit.reject.field) == (RejectCode.ROW_DATE, field)


def test_his_birth_date_or_age_counts_in_whichever_row_it_stands(tmp_path: Path) -> None:
    """Else a minor stands on the ladder, his age unknown."""
    under = mapping(columns={**CALLS["columns"], "age": "age"})  # type: ignore[dict-item]
    none, minor = ROW.replace("1985-06-15", ""), ROW.replace("1985", "2010")
    for rows in ((none + ",", minor + ",14"), (minor + ",14", none + ",")):
        [unit] = read(tmp_path, *rows, under=under, header=f"{HEADER},age")
        assert (told(unit).offender.birth_date, told(unit).offender.age) == (date(2010, 6, 15), 14)
        [him] = [fact for fact in unit.facts if isinstance(fact, OffenderFacts)]
        assert [him.birth_date, *(seen.known.birth_date for seen in unit.sightings)] == [date(2010, 6, 15)] * 2


def test_a_row_with_a_wrong_birth_date_is_not_told_without(tmp_path: Path) -> None:
    """The rest alone would be the incident under this revision, and the mended whole a conflict."""
    [unit] = read(tmp_path, ROW, ROW.replace("DOMESTIC ASSAULT", "strangled").replace("1985", "2085"))
    assert unit.reject is not None
    assert (unit.reject.code, unit.reject.field, unit.reject.line) == (RejectCode.ROW_DATE, "born", 3)


def test_a_quoted_value_over_two_lines(tmp_path: Path) -> None:
    [unit] = read(tmp_path, '25-1,2025-01-10,"domestic', 'trouble",M1,,,,,,,,')
    assert unit.reject is not None, "a line break inside a value is no value"
    assert unit.reject.code is RejectCode.ROW_VALUE


@pytest.mark.parametrize(
    ("rows", "good", "lines"),
    [
        ("..!...!.", [2, 3, 5, 6, 7, 9], [4, 8]),
        ("!!!", [], [2, 3, 4]),
        ("!" + "." * 30, list(range(3, 33)), [2]),
        (".!" * 30, list(range(2, 62, 2)), list(range(3, 63, 2))),
    ],
)
@pytest.mark.parametrize("name", ['"Man, A"', '"Man"', "Man"])
def test_two_open_quotes_swallow_no_row_between(
    tmp_path: Path, name: str, rows: str, good: list[int], lines: list[int]
) -> None:
    whole, torn = (f"7-%d,2025-01-10,domestic,M1,{each},,,,,,," for each in (name, '"Man'))
    units = read(tmp_path, *((torn if each == "!" else whole) % n for n, each in enumerate(rows, start=2)))
    assert sorted(int(told(unit).incident_id.partition("7-")[2]) for unit in units if unit.events) == good
    assert [(unit.line, unit.reject.code) for unit in units if unit.reject] == [
        (n, RejectCode.ROW_LENGTH) for n in lines
    ]


def test_a_quote_within_a_value_opens_nothing(tmp_path: Path) -> None:
    """Inches, as a height is written."""
    units = read(
        tmp_path, *(f"7-{n},2025-01-10,domestic,M1,,,,,,,,,6'{n}\"" for n in range(5)), header=f"{HEADER},height"
    )
    assert [told(unit).incident_id for unit in units] == [f"ZZ0010000:7-{n}" for n in range(5)]
    [over] = read(
        tmp_path, '7,2025-01-10,domestic,M1,,,,,,,,,6\'1","he', 'said ""no"""', header=f"{HEADER},height,text"
    )
    assert told(over).incident_id == "ZZ0010000:7", "nor does it hide one that does"


def test_json_rows(tmp_path: Path) -> None:
    row = dict(zip(HEADER.split(","), ["25-1", "2025-01-10", "domestic", "M1", None, None, *[""] * 5, 3], strict=True))
    for text in (json.dumps([row]), json.dumps(row)):
        file = tmp_path / "rows.json"
        file.write_text(text + "\n")
        [unit] = read_mapped(Source(file), mapping())
        assert told(unit).revision == 3
    file.write_text('[{"call": ')
    [unit] = read_mapped(Source(file), mapping())
    assert unit.reject is not None
    assert unit.reject.code is RejectCode.BROKEN_JSON


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("call,when\n", "no column"),
        ("call,call\n", r"no column|two columns"),
        ("\xff\n", "no column|header"),
    ],
)
def test_what_is_not_this_table(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "calls.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        list(read_mapped(Source(file), mapping()))


def test_the_same_rows_have_the_same_ids_and_a_change_is_seen(tmp_path: Path) -> None:
    ids = [read(tmp_path, row)[0].events[0].id for row in (ROW, ROW, ROW.replace("girlfriend", "wife"))]
    assert ids[0] == ids[1] != ids[2]


# court and notices -----------------------------------------------------------------------------------

COURT = {"agency": "ZZ0010000", "time_zone": "America/New_York", "dates": ["%Y-%m-%d"]}


def test_orders(tmp_path: Path) -> None:
    columns = {
        "person": "man",
        "order": "no",
        "order_kind": "kind",
        "from": "from",
        "until": "until",
        "change": "change",
    }
    under = Mapping.model_validate(
        {**COURT, "name": "orders", "kind": "orders", "columns": columns, "order_kinds": {"DVPO": "protective_order"}}
    )
    units = read(
        tmp_path, "M1,50B-7,DVPO,2025-01-10,2026-01-10,issued", "M1,50B-8,DVPO,2025-01-10,2024-01-10,",
        ",50B-9,dvpo,2025-01-10,,", under=under, header="man,no,kind,from,until,change",
    )  # fmt: skip
    [event] = units[0].events
    assert isinstance(event.data, OrderChanged)
    assert (event.data.kind, event.data.order_id) == ("protective_order", "ZZ0010000:50B-7")
    assert units[1].reject is not None
    assert units[1].reject.code is RejectCode.ROW_CONFLICT
    assert units[2].events == ()


def test_dispositions(tmp_path: Path) -> None:
    columns = {"person": "man", "arrest": "arrest", "charge": "charge", "disposition": "plea", "disposed": "day"}
    under = Mapping.model_validate(
        {**COURT, "name": "court", "kind": "dispositions", "columns": columns, "charges": CALLS["charges"],
         "dispositions": {"Guilty": "convicted"}}
    )  # fmt: skip
    good, own, bad = read(tmp_path, "M1,A1,domestic assault,GUILTY,2025-02-01",
                          "M1,A2,domestic assault,acquitted,2025-02-01", "M1,A3,domestic assault,maybe,2025-02-01",
                          under=under, header="man,arrest,charge,plea,day")  # fmt: skip
    [said] = own.events
    assert isinstance(said.data, CaseDisposed) and said.data.disposition == "acquitted", "this system's own word"
    [event] = good.events
    assert isinstance(event.data, CaseDisposed)
    assert (event.data.arrest_id, event.data.charge, event.data.disposition) == ("ZZ0010000:A1", "13B", "convicted")
    assert bad.reject is not None
    assert bad.reject.field == "plea"


def test_the_mappings_word_counts_before_this_systems_own(tmp_path: Path) -> None:
    """A court that calls an acquittal dismissed says so in its mapping, in upper or lower case."""
    columns = {"person": "man", "arrest": "arrest", "charge": "charge", "disposition": "plea", "disposed": "day"}
    under = Mapping.model_validate(
        {**COURT, "name": "court", "kind": "dispositions", "columns": columns, "charges": CALLS["charges"],
         "dispositions": {"DISMISSED": "acquitted"}}
    )  # fmt: skip
    pleas = ("DISMISSED", "dismissed", "Pending")
    rows = (f"M1,A{n},domestic assault,{plea},2025-02-01" for n, plea in enumerate(pleas))
    said = [unit.events[0].data for unit in read(tmp_path, *rows, under=under, header="man,arrest,charge,plea,day")]
    assert [one.disposition for one in said if isinstance(one, CaseDisposed)] == ["acquitted", "acquitted", "pending"]
    arrests = mapping(
        columns={**CALLS["columns"], "arrest": "arrest", "arrest_type": "kind"},  # type: ignore[dict-item]
        arrest_types={"s": "T", "T": "O"},
    )
    units = read(
        tmp_path, *(ROW.replace("25-1", kind) + f",A{kind},{kind}" for kind in "STO"), under=arrests,
        header=f"{HEADER},arrest,kind",
    )  # fmt: skip
    assert [made.type for unit in units if (made := told(unit).arrest)] == ["T", "O", "O"]


def test_what_is_said_again_after_something_else_is_said_anew(tmp_path: Path) -> None:
    """Acquitted, set aside, acquitted again: the last word is no repeat of the first. The same row again is."""
    columns = {"person": "man", "arrest": "arrest", "charge": "charge", "disposition": "plea", "disposed": "day"}
    court = Mapping.model_validate(
        {**COURT, "name": "court", "kind": "dispositions", "columns": columns, "charges": CALLS["charges"],
         "dispositions": {"acquitted": "acquitted", "set aside": "pending"}}
    )  # fmt: skip
    first, then, again, repeat = read(
        tmp_path, *(f"M1,A1,domestic assault,{plea},2025-0{month}-01" for plea, month in
                    (("acquitted", 1), ("set aside", 2), ("acquitted", 3), ("acquitted", 1))),
        under=court, header="man,arrest,charge,plea,day",
    )  # fmt: skip
    assert len({unit.events[0].id for unit in (first, then, again)}) == 3
    assert repeat.events[0].id == first.events[0].id
    columns = {name: name for name in ("person", "order", "order_kind", "from", "until", "change", "updated")}
    orders = Mapping.model_validate({**COURT, "name": "orders", "kind": "orders", "columns": columns})
    units = read(
        tmp_path, *(f"M1,7,no_contact,2025-01-01,2025-{until}-28,amended,2025-0{month}-01"
                    for until, month in (("12", 2), ("06", 3), ("12", 4))),
        under=orders, header=",".join(columns),
    )  # fmt: skip
    assert len({unit.events[0].id for unit in units}) == 3


def test_past_notices(tmp_path: Path) -> None:
    header = "agency,offender_id,person,notice,tier,served"
    given, named = read(tmp_path, "ZZ0010000,O1,,7,C,2024-05-01", "ZZ0010000,,M1,8,D,05/02/2024",
                        under=load_mapping("notices"), header=header)  # fmt: skip
    assert isinstance(given.events[0].data, NotificationRecorded)
    assert (given.events[0].subject, given.events[0].data.tier) == ("O1", "C")
    assert named.events[0].subject != "M1"


# mapping files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FOLDERS[0].glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_mappings_are_right(path: Path) -> None:
    found = load_mapping(path.stem)
    assert found.name == path.stem
    Draft202012Validator(mapping_schema()).validate(json.loads(found.model_dump_json(exclude_none=True)))


def test_the_schema_is_current() -> None:
    assert json.loads((FOLDERS[0] / "mapping.schema.json").read_text()) == mapping_schema()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "line 1: not YAML"),
        ("name: x\nkind: incidents\n", "agency"),
        ("nme: x\n", "nme"),
        (json.dumps({**CALLS, "columns": {"incident": "a"}}), "map occurred"),
        (json.dumps({**CALLS, "columns": {**CALLS["columns"], "boking": "b"}}), "columns.boking"),  # type: ignore[dict-item]
        (json.dumps({**CALLS, "charges": [{"text": "(", "code": "13B"}]}), "no regular expression"),
        (json.dumps({**CALLS, "time_zone": "Mars/Base"}), "no such time zone"),
        (json.dumps({**CALLS, "charges": [{"text": "x", "code": "13Q"}]}), "not a code"),
    ],
)
def test_a_mapping_that_is_wrong_says_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(text)
    with pytest.raises(MappingError, match=message):
        load_mapping(file)
    with pytest.raises(MappingError, match="no such mapping; give one of broward"):
        load_mapping("nowhere")


# a real county ---------------------------------------------------------------------------------------


@pytest.mark.skipif(not BROWARD.exists(), reason="the file is not there (shared/data/SOURCES.md says whence)")
def test_broward_is_loaded_whole() -> None:
    """10,038 charges of 7,306 people in 9,915 cases, one of two people; whom they were done to is in none of them."""
    summary, codes, breaches, related, charges = IngestSummary(), Counter[str](), Counter[str](), Counter[str](), 0
    strangled, people = 0, set()
    for unit in read_mapped(Source(BROWARD), load_mapping("broward")):
        summary = summary.plus(unit)
        data = told(unit)
        people.add(data.offender.offender_id)
        charges += len(data.offenses)
        codes.update(offense.code for offense in data.offenses if offense.charged)
        breaches.update(map(str, data.prohibited_behavior))
        related.update(victim.relationship for victim in data.victims)
        strangled += any(offense.code == "13A" and "85" in offense.force for offense in data.offenses)
        assert data.bulk
        assert all(victim.victim_id is None for victim in data.victims)
    assert summary == IngestSummary(units=9_916, events=9_916)
    assert (charges, len(people)) == (10_038, 7_306)
    assert set(related) == {"RU"}
    assert strangled == 139, "138 'Felony Battery (Dom Strang)' and one 'Domestic Battery By Stran'"
    assert breaches == {"protective_order": 133, "pretrial_condition": 38}
    assert sum(codes.values()) == 10_038 - 1_212, "'arrest case no charge' is none"
