"""NIBRS flat files: what follows from a report, and what of a broken one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.incident import IncidentReported, IncidentRetracted
from schemas.rejects import RejectCode
from services.intake.domain import IngestSummary, Unit
from services.intake.lines import Source
from services.intake.nibrs import read_nibrs
from tests.harness import nibrs

Read = Callable[..., list[Unit]]
"""Lines, time zone and file name to the units that are read."""
DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def units(lines: Iterable[str | bytes], zone: str = "UTC", name: str = "feed.txt") -> list[Unit]:
        source = Source(nibrs.written(tmp_path / name, lines))
        return list(read_nibrs(source, lambda _: ZoneInfo(zone)))

    return units


def told(unit: Unit) -> list[IncidentReported]:
    return [event.data for event in unit.events if isinstance(event.data, IncidentReported)]


def taken_back(unit: Unit) -> list[IncidentRetracted]:
    return [event.data for event in unit.events if isinstance(event.data, IncidentRetracted)]


def only(units: list[Unit]) -> IncidentReported:
    [unit] = units
    assert unit.reject is None
    [data] = told(unit)
    return data


def refused(units: list[Unit]) -> tuple[int, RejectCode, str | None]:
    [unit] = units
    assert unit.reject is not None
    return unit.reject.line, unit.reject.code, unit.reject.field


# what follows ----------------------------------------------------------------------------------------------


def test_an_uncharged_assault(read: Read) -> None:
    data = only(read(nibrs.incident("25-001"), "America/New_York"))
    assert data.incident_id == "ZZ0010000:25-001"
    assert data.agency == "ZZ0010000"
    assert data.revision == 20250101
    assert data.occurred_at == data.reported_at == datetime(2025, 1, 11, 1, tzinfo=UTC)
    assert data.offender.age == 30
    [victim] = data.victims
    assert (victim.victim_no, victim.relationship, victim.offenses) == (1, "BG", ["13B"])
    [offense] = data.offenses
    assert (offense.code, offense.charged, offense.force) == ("13B", False, [])
    assert (data.probable_cause, data.offender_informed, data.arrest) == (None, None, None)


def test_an_arrest_charges_the_whole_incident(read: Read) -> None:
    number = "25-001"
    lines = [
        nibrs.administrative(number),
        nibrs.offense(number, "13A", (53, "12A40 ")),
        nibrs.offense(number, "290"),
        nibrs.victim(number, codes="13A290"),
        nibrs.offender(number),
        nibrs.arrestee(number, code="520", day="20250109"),
    ]
    data = only(read(lines))
    assert [(one.code, one.charged, one.force) for one in data.offenses] == [
        ("13A", True, ["12A", "40"]),
        ("290", True, []),
        ("520", True, []),
    ]
    assert data.arrest is not None
    assert (data.arrest.arrest_id, data.arrest.type) == ("ZZ0010000:A25-001", "O")
    assert data.arrest.arrested_at == data.occurred_at, "an arrest is not before its incident"
    assert (data.probable_cause, data.offender_informed) == (True, True)


@pytest.mark.parametrize(("code", "cause"), [("N", None), ("B", True), ("D", True)])
def test_exceptional_clearance_has_probable_cause(read: Read, code: str, cause: bool | None) -> None:
    _, *rest = nibrs.incident("25-001")
    data = only(read([nibrs.administrative("25-001", (49, code)), *rest]))
    assert (data.probable_cause, data.offender_informed) == (cause, None)


@pytest.mark.parametrize("lengths", [(87, 63, 129, 45), (88, 71, 141, 46)], ids=["oldest lengths", "newest lengths"])
def test_lengths_of_all_versions(read: Read, lengths: tuple[int, int, int, int]) -> None:
    one, two, four, five = lengths
    number = "25-001"
    data = only(
        read(
            [
                nibrs.administrative(number, length=one),
                nibrs.offense(number, length=two),
                nibrs.segment(307, "3", "I", number, (38, "7")),
                nibrs.victim(number, length=four),
                nibrs.offender(number, length=five),
            ]
        )
    )
    assert [victim.relationship for victim in data.victims] == ["BG"]


def test_an_unknown_offender_makes_no_event(read: Read) -> None:
    number = "25-001"
    lines = [*nibrs.incident(number)[:2], nibrs.victim(number, related="00"), nibrs.offender(number, 0, " " * 6)]
    [unit] = read(lines)
    assert (unit.events, unit.reject) == ((), None)


def test_an_offender_of_unknown_looks_is_known_to_be_there(read: Read) -> None:
    data = only(read([*nibrs.incident("25-001")[:3], nibrs.offender("25-001", look="00  UU")]))
    assert data.offender.age is None


@pytest.mark.parametrize(("text", "age"), [("2530", 27), ("1619", None), ("1216", 14), ("99  ", 99), ("    ", None)])
def test_ages(read: Read, text: str, age: int | None) -> None:
    """A range is its mean, as the FBI stores it, except where it leaves open whether he was of age."""
    data = only(read([*nibrs.incident("25-001")[:3], nibrs.offender("25-001", look=f"{text}MW")]))
    assert data.offender.age == age


def test_an_unknown_hour_is_the_start_of_the_day(read: Read) -> None:
    _, *rest = nibrs.incident("25-001")
    data = only(read([nibrs.administrative("25-001", (46, "R  ")), *rest]))
    assert data.occurred_at == datetime(2025, 1, 10, tzinfo=UTC)


def test_each_offender_has_his_own_event(read: Read) -> None:
    """Two fight: each is the other's victim; a shop next door is nobody's."""
    number = "25-001"
    lines = [
        nibrs.administrative(number),
        nibrs.offense(number, "13B"),
        nibrs.offense(number, "290"),
        nibrs.victim(number, 1, "13B", "01VO02BG"),
        nibrs.victim(number, 2, "13B", "01BG02VO"),
        nibrs.victim(number, 3, "290", "", (71, "B"), (72, "    "), (76, "  ")),
        nibrs.offender(number, 1, "30  MW"),
        nibrs.offender(number, 2, "28  FW"),
        nibrs.arrestee(number, 1, "28  FW"),
    ]
    [unit] = read(lines)
    him, her = told(unit)
    assert [victim.relationship for victim in him.victims] == ["VO", "BG"]
    assert [victim.relationship for victim in her.victims] == ["BG", "VO"]
    assert [victim.victim_id for victim in him.victims] == [victim.victim_id for victim in her.victims]
    assert him.offender.offender_id != her.offender.offender_id
    assert him.arrest is None
    assert not him.arrestee_unmatched
    assert her.arrest is not None


def test_an_offence_against_another_offenders_victim_is_not_his(read: Read) -> None:
    number = "25-001"
    lines = [
        nibrs.administrative(number),
        nibrs.offense(number, "13A"),
        nibrs.offense(number, "13B"),
        nibrs.victim(number, 1, "13A", "01BG"),
        nibrs.victim(number, 2, "13B", "02ST"),
        nibrs.offender(number, 1, "30  MW"),
        nibrs.offender(number, 2, "40  MB"),
    ]
    [unit] = read(lines)
    assert [[one.code for one in data.offenses] for data in told(unit)] == [["13A"], ["13B"]]


def test_a_victim_without_relationship_is_asked_for_where_one_is_due(read: Read) -> None:
    number = "25-001"
    lines = [
        nibrs.administrative(number),
        nibrs.offense(number, "13B"),
        nibrs.offense(number, "290"),
        nibrs.victim(number, 1, "13B", ""),
        nibrs.victim(number, 2, "290", ""),
        nibrs.offender(number),
    ]
    data = only(read(lines))
    assert [(victim.victim_no, victim.relationship) for victim in data.victims] == [(1, "RU")]


def test_a_group_b_arrest_is_history_without_victims(read: Read) -> None:
    lines = [nibrs.group_b("B1"), nibrs.group_b("B1", code="90J"), nibrs.group_b("B1", 2, "90C")]
    [unit] = read(lines)
    first, second = told(unit)
    assert first.incident_id == "ZZ0010000:B1"
    assert first.victims == []
    assert [(one.code, one.charged) for one in first.offenses] == [("90Z", True), ("90J", True)]
    assert first.arrest is not None
    assert (first.arrest.arrest_id, first.arrest.type) == ("ZZ0010000:B1", "T")
    assert [one.code for one in second.offenses] == ["90C"]


def test_arrests_of_one_number_are_one_report_wherever_they_lie(read: Read) -> None:
    units = read([nibrs.group_b("B1"), nibrs.group_b("B2"), nibrs.group_b("B1", code="90J")])
    assert [[one.code for data in told(unit) for one in data.offenses] for unit in units] == [["90Z"], ["90Z", "90J"]]


def test_a_zero_report_names_nobody(read: Read) -> None:
    [unit] = read([nibrs.zero_report()])
    assert (unit.events, unit.reject) == ((), None)


# revisions ----------------------------------------------------------------------------------------------


def test_delete_and_insert_are_one_revision(read: Read) -> None:
    """Wherever the delete lies; what does not repeat has revision 1."""
    delete = nibrs.administrative("25-001", action="D")
    units = read([delete, *nibrs.incident("25-002"), *nibrs.incident("25-001", arrested=True)])
    assert [[data.incident_id[-6:] for data in told(unit)] for unit in units] == [["25-002"], ["25-001"]]
    assert [data.revision for unit in units for data in told(unit)] == [20250101, 20250101]
    assert [taken_back(unit) for unit in units] == [[], []]


def test_a_second_report_in_a_file_is_a_higher_revision(read: Read) -> None:
    delete = nibrs.administrative("25-001", action="D")
    units = read([*nibrs.incident("25-001"), delete, *nibrs.incident("25-001")])
    assert [data.revision for unit in units for data in told(unit)] == [20250101, 20250102]


def test_a_later_month_is_a_higher_revision(read: Read) -> None:
    _, *rest = nibrs.incident("25-001")
    assert only(read([nibrs.administrative("25-001", month="02"), *rest])).revision == 20250201


def test_an_offender_who_is_no_longer_named_is_taken_back(read: Read) -> None:
    number = "25-001"
    two = [*nibrs.incident(number)[:2], nibrs.victim(number, related="01BG02ST")]
    two += [nibrs.offender(number, 1), nibrs.offender(number, 2, "40  MB")]
    first, second = read([*two, nibrs.administrative(number, action="D"), *nibrs.incident(number)])
    assert len(told(first)) == 2
    assert [one.revision for one in taken_back(second)] == [20250102]
    assert taken_back(second)[0].offender_id == told(first)[1].offender.offender_id


def test_a_delete_alone_takes_back_whoever_there_can_be(read: Read) -> None:
    number = "25-001"
    before = only(read(nibrs.incident(number), name="before.txt"))
    [unit] = read([nibrs.administrative(number, action="D", month="02")])
    assert before.offender.offender_id in {one.offender_id for one in taken_back(unit)}
    assert {one.revision for one in taken_back(unit)} == {20250201}
    assert len(unit.events) == 10


def test_a_delete_of_an_arrest_takes_back_its_arrestee(read: Read) -> None:
    before = only(read([nibrs.group_b("B1", 2)], name="before.txt"))
    [unit] = read([nibrs.group_b("B1", 2, action="D")])
    assert [one.offender_id for one in taken_back(unit)] == [before.offender.offender_id]


def test_ids_depend_on_the_report_alone(read: Read) -> None:
    once = read(nibrs.incident("25-001"))
    again = read([*nibrs.incident("25-009"), *nibrs.incident("25-001")], name="other.txt.gz")
    changed = read(nibrs.incident("25-001", arrested=True))
    assert once[0].events == again[1].events
    assert once[0].events[0].id != changed[0].events[0].id, "changed content under one revision must be seen downstream"


# broken reports ----------------------------------------------------------------------------------------------


def replaced(number: int, text: str | bytes, lines: list[str]) -> list[str | bytes]:
    return [*lines[: number - 1], text, *lines[number:]]


FIELD = RejectCode.NIBRS_FIELD
WHOLE = nibrs.incident("25-001", arrested=True)


@pytest.mark.parametrize(
    ("number", "text", "code", "field"),
    [
        (4, WHOLE[3][:40], RejectCode.NIBRS_TRUNCATED, "offender.segment_length@1-4"),
        (3, WHOLE[2][:20], RejectCode.NIBRS_TRUNCATED, "segment_length@1-4"),
        (3, "0140" + WHOLE[2][4:], RejectCode.NIBRS_LENGTH, "victim.segment_length@1-4"),
        (3, WHOLE[2] + "X", RejectCode.NIBRS_LENGTH, "victim.segment_length@1-4"),
        (3, "01x1" + WHOLE[2][4:], RejectCode.NIBRS_LENGTH, "segment_length@1-4"),
        (3, WHOLE[2][:4] + "9" + WHOLE[2][5:], RejectCode.NIBRS_SEGMENT, "segment_level@5-5"),
        (3, bytes(range(128, 248)), RejectCode.NIBRS_LENGTH, "segment_length@1-4"),
        (1, nibrs.administrative("25-001", (38, "20250230")), FIELD, "administrative.incident_date@38-45"),
        (1, nibrs.administrative("25-001", (38, "99991231")), FIELD, "administrative.incident_date@38-45"),
        (1, nibrs.administrative("25-001", (38, "00010101")), FIELD, "administrative.incident_date@38-45"),
        (1, nibrs.administrative("25-001", (47, "24")), FIELD, "administrative.incident_hour@47-48"),
        (1, nibrs.administrative("25-001", (49, "Q")), FIELD, "administrative.cleared_exceptionally@49-49"),
        (1, nibrs.administrative("25-001", (7, "13")), FIELD, "administrative.month_of_submission@7-8"),
        (2, nibrs.offense("25-001", "99Q"), FIELD, "offense.offense_code@38-40"),
        (2, nibrs.offense("25-001", "13B", (56, "77 ")), FIELD, "offense.weapon@56-58"),
        (3, nibrs.victim("25-001", codes="13A"), FIELD, "victim.offense_codes@41-43"),
        (3, nibrs.victim("25-001", related="01QQ"), FIELD, "victim.relationship@92-93"),
        (3, nibrs.victim("25-001", related="01BG02BG"), FIELD, "victim.offender_number@94-95"),
        (3, nibrs.victim("25-001", related="    01BG  BG"), FIELD, "victim.offender_number@98-99"),
        (3, nibrs.victim("25-001", 1, "13B", "01BG", (71, " ")), FIELD, "victim.type_of_victim@71-71"),
        (4, nibrs.offender("25-001", look="3x  MW"), FIELD, "offender.age@40-43"),
        (4, nibrs.offender("25-001", look="3025MW"), FIELD, "offender.age@40-43"),
        (5, nibrs.arrestee("25-001", day="2025    "), FIELD, "arrestee.arrest_date@52-59"),
        (5, nibrs.arrestee("25-001", day="99991231"), FIELD, "arrestee.arrest_date@52-59"),
        (5, nibrs.segment(110, "6", "W", "25-001"), FIELD, "arrestee.action@6-6"),
    ],
)  # fmt: skip
def test_a_broken_segment_refuses_its_incident_and_nothing_else(
    read: Read, number: int, text: str | bytes, code: RejectCode, field: str
) -> None:
    before, after = nibrs.incident("25-000"), nibrs.incident("25-002")
    units = read([*before, *replaced(number, text, WHOLE), *after])
    assert [len(unit.events) for unit in units] == [1, 0, 1]
    assert refused(units[1:2]) == (4 + number, code, field)
    reject = units[1].reject
    assert reject is not None
    assert reject.raw.count(b"\n") == len(WHOLE) - 1, "the dead letter has the whole incident"


@pytest.mark.parametrize(
    ("missing", "field"),
    [(2, "offense segment (level 2)"), (3, "victim segment (level 4)"), (4, "offender segment (level 5)")],
)
def test_a_report_that_is_not_whole(read: Read, missing: int, field: str) -> None:
    lines = [line for number, line in enumerate(WHOLE, start=1) if number != missing]
    assert refused(read(lines)) == (1, RejectCode.MISSING_FIELD, field)


def test_parts_without_their_administrative_segment(read: Read) -> None:
    assert refused(read(WHOLE[1:])) == (1, RejectCode.NIBRS_ORPHAN, "offense.segment_level@5-5")


def test_a_torn_administrative_segment_takes_its_parts_along(read: Read) -> None:
    units = read([*nibrs.incident("25-000"), WHOLE[0][:30], *WHOLE[1:], *nibrs.incident("25-002")])
    assert [len(unit.events) for unit in units] == [1, 0, 1]
    assert refused(units[1:2]) == (5, RejectCode.NIBRS_TRUNCATED, "segment_length@1-4")


def test_a_torn_last_segment_refuses_its_incident(read: Read) -> None:
    """It may have been the arrest."""
    units = read([*WHOLE[:4], WHOLE[4][:30], *nibrs.incident("25-002")])
    assert [len(unit.events) for unit in units] == [0, 1]


def test_noise_between_incidents_is_a_unit_of_its_own(read: Read) -> None:
    units = read([*WHOLE, b"\x00\xff noise", "\x1a", "", *nibrs.incident("25-002")])
    assert [len(unit.events) for unit in units] == [1, 0, 1]
    assert refused(units[1:2]) == (6, RejectCode.NIBRS_TRUNCATED, "segment_length@1-4")


def test_twice_the_same_number_in_an_incident(read: Read) -> None:
    lines = [*WHOLE[:4], nibrs.offender("25-001", 1, "40  MB"), WHOLE[4]]
    assert refused(read(lines)) == (5, FIELD, "offender.sequence_number@38-39")


def test_an_insert_that_is_broken_does_not_delete(read: Read) -> None:
    delete = nibrs.administrative("25-001", action="D")
    units = read([delete, *replaced(4, WHOLE[3][:40], WHOLE)])
    assert [unit.events for unit in units] == [()]
    assert refused(units) == (5, RejectCode.NIBRS_TRUNCATED, "offender.segment_length@1-4")


def test_the_bundled_sample(read: Read) -> None:
    """As a department would send it: every segment, both lengths, amendments, a torn line."""
    summary = IngestSummary()
    units = list(read_nibrs(Source(DATA / "nibrs-sample.txt"), lambda _: UTC))
    for unit in units:
        summary = summary.plus(unit)
    assert (summary.units, summary.events, summary.rejected, summary.no_offender) == (9, 7, 1, 2)
    assert summary.with_events == 6
