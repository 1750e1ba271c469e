"""A roster from one snapshot to the next: who is booked, moved, released, and when nobody is believed to be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schemas.incident import CustodyChange, CustodyChanged, IncidentReported
from schemas.mapping import Mapping
from schemas.mapping_file import load_mapping
from services.intake.lines import Source
from services.intake.mapped.changes import LOST_AFTER, Changes, Fault, changes
from services.intake.mapped.held import Held
from services.intake.mapped.snapshot import read_snapshot
from services.intake.people import OffenderFacts

MAPPING = load_mapping("roster")
T0 = datetime(2025, 1, 11, 6, tzinfo=UTC)
HEADER = "booking,person,name,booked,facility,hearing,status,charge"


def row(number: int, *, facility: str = "Jail 1", hearing: str = "", status: str = "in", charge: str = "") -> str:
    return f'B{number},P{number},"Man, {number}",2025-01-10 22:15,{facility},{hearing},{status},{charge}'


class Roster:
    """The bookings as they are kept from snapshot to snapshot."""

    def __init__(self, folder: Path, mapping: Mapping = MAPPING, header: str = HEADER) -> None:
        self.folder, self.mapping, self.header = folder, mapping, header
        self.known: dict[str, Held] = {}
        self.at = T0
        self.first = True
        self.held_at_fault: int | None = None

    def shows(self, *rows: str, after: timedelta = timedelta(minutes=5), accept_short: bool = False) -> Changes:
        path = written(self, *rows)
        self.at += after
        found = changes(
            self.known, read_snapshot(Source(path), self.mapping), self.mapping, self.at,
            first=self.first, accept_short=accept_short, held_at_fault=self.held_at_fault,
        )  # fmt: skip
        self.first, self.held_at_fault = False, found.held_at_fault
        self.known |= found.kept
        return found


def written(roster: Roster, *rows: str) -> Path:
    path = roster.folder / "roster.csv"
    path.write_text("\n".join((roster.header, *rows)) + "\n")
    return path


def custody(found: Changes) -> list[tuple[str, str, str | None]]:
    return [
        (event.data.booking_id.partition(":")[2], str(event.data.change), event.data.facility)
        for unit in found.units
        for event in unit.events
        if isinstance(event.data, CustodyChanged)
    ]


def codes(found: Changes) -> list[list[str]]:
    data = [event.data for unit in found.units for event in unit.events]
    return [[offense.code for offense in each.offenses] for each in data if isinstance(each, IncidentReported)]


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    return Roster(tmp_path)


def test_bookings_hearings_and_releases(roster: Roster) -> None:
    assert custody(roster.shows(row(1), row(2))) == [("B1", "booked", "Jail 1"), ("B2", "booked", "Jail 1")]
    assert custody(roster.shows(row(1), row(2))) == []
    assert custody(roster.shows(row(1, hearing="2025-01-12 09:00"), row(2))) == [("B1", "hearing_set", "Jail 1")]
    released = roster.shows(row(1))
    assert custody(released) == [("B2", "released", "Jail 1")]
    [event] = [event for unit in released.units for event in unit.events]
    assert isinstance(event.data, CustodyChanged)
    assert event.data.at == roster.at
    assert custody(roster.shows(row(1))) == []


def test_a_transfer_is_no_release(roster: Roster) -> None:
    roster.shows(row(1), row(2))
    assert custody(roster.shows(row(1, facility="Jail 2"), row(2))) == [("B1", "booked", "Jail 2")]
    roster.shows(row(1, facility="Jail 2", status="transfer"), row(2))
    assert custody(roster.shows(row(2))) == [], "he is on his way"
    assert custody(roster.shows(row(2), after=LOST_AFTER / 2)) == []
    assert custody(roster.shows(row(1, facility="Jail 3"), row(2))) == [("B1", "booked", "Jail 3")]
    roster.shows(row(1, facility="Jail 3", status="transfer"), row(2))
    roster.shows(row(2))
    assert custody(roster.shows(row(2), after=LOST_AFTER)) == [("B1", "released", "Jail 3")], "he came nowhere"


def test_booked_again_under_the_same_number(roster: Roster) -> None:
    roster.shows(row(1), row(2))
    roster.shows(row(2))
    again = roster.shows(row(1), row(2))
    assert custody(again) == [("B1", "booked", "Jail 1")]
    [event] = [event for unit in again.units for event in unit.events]
    assert isinstance(event.data, CustodyChanged)
    assert event.data.at > roster.known["ZZ0000000:B1"].booked_at - timedelta(seconds=1)
    assert event.data.at == roster.at, "held from when he is seen again, so that his custody holds"
    assert custody(roster.shows(row(2))) == [("B1", "released", "Jail 1")]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([], Fault.EMPTY),
        ([row(number) for number in range(20)], Fault.SHORT),
        ([*(row(number) for number in range(39)), "B39,P39"], Fault.UNREADABLE),
    ],
)
def test_a_snapshot_that_cannot_be_believed_releases_nobody(roster: Roster, rows: list[str], fault: Fault) -> None:
    roster.shows(*(row(number) for number in range(40)))
    found = roster.shows(*rows)
    assert found.fault is fault
    assert custody(found) == []
    assert custody(roster.shows(*rows, row(77)))[-1:] == [("B77", "booked", "Jail 1")], "a booking is news all the same"
    whole = roster.shows(*(row(number) for number in range(39)), row(77))
    assert whole.fault is None
    assert custody(whole) == [("B39", "released", "Jail 1")]


def test_a_fault_does_not_wear_off_as_the_jail_fills(roster: Roster) -> None:
    there = [row(number) for number in range(28)]
    wing = [row(number) for number in range(28, 40)]
    roster.shows(*there, *wing)
    for more in range(60):
        found = roster.shows(*there, *(row(100 + number) for number in range(more)))
        assert found.fault is Fault.SHORT
        assert "released" not in {change for _, change, _ in custody(found)}
    booked = [row(100 + number) for number in range(60)]
    whole = roster.shows(*there, *wing[:-1], *booked)
    assert whole.fault is None
    assert ("B39", "released", "Jail 1") in custody(whole)
    assert roster.shows(*there, *booked).fault is None, "11 of 99, and no fault before: the next count is a new one"


def test_a_row_of_which_the_number_can_be_read_is_no_missing_man(roster: Roster) -> None:
    """He is there, whatever else is wrong with it: nobody else's release waits for it, and his is not made up."""
    unread = row(1, hearing="TBD")
    roster.shows(row(1), row(2), row(3), row(4))
    found = roster.shows(unread, row(3), row(4))
    assert [unit.reject.code for unit in found.units if unit.reject] == ["row_date"]
    assert (found.fault, custody(found)) == (None, [("B2", "released", "Jail 1")])
    assert custody(roster.shows(unread, row(4), accept_short=True)) == [("B3", "released", "Jail 1")]
    assert roster.shows(unread, row(1, hearing="TBD").replace("B1,", ","), row(9)).fault is Fault.UNREADABLE, (
        "without a number he may be anybody"
    )
    assert roster.shows(unread).fault is Fault.EMPTY
    assert custody(roster.shows(row(4))) == [("B1", "released", "Jail 1"), ("B9", "released", "Jail 1")]


def test_one_on_his_way_who_is_there_again_is_not_lost(roster: Roster) -> None:
    roster.shows(row(1, status="transfer"), row(2))
    roster.shows(row(2))
    roster.shows(row(1, hearing="TBD", status="in"), row(2), after=LOST_AFTER)
    assert custody(roster.shows(row(2))) == [], "for a day he may be on his way anew"
    assert custody(roster.shows(row(2), after=LOST_AFTER)) == [("B1", "released", "Jail 1")]


def test_a_person_can_say_that_a_short_one_is_right(roster: Roster) -> None:
    roster.shows(*(row(number) for number in range(40)))
    assert roster.shows(row(1)).fault is Fault.SHORT
    found = roster.shows(row(1), accept_short=True)
    assert (found.fault, len(custody(found))) == (None, 39)


def test_a_small_jail_can_empty_but_not_to_nothing(roster: Roster) -> None:
    roster.shows(row(1), row(2), row(3))
    assert roster.shows().fault is Fault.EMPTY
    assert len(custody(roster.shows(row(1)))) == 2


def with_columns(folder: Path, **columns: str) -> Roster:
    mapping = MAPPING.model_copy(update={"columns": MAPPING.columns | columns})
    return Roster(folder, mapping, ",".join((HEADER, *columns.values())))


def him(found: Changes) -> set[str]:
    return {event.subject for unit in found.units for event in unit.events}


def test_a_number_that_he_gets_in_jail_makes_nobody_else_of_him(tmp_path: Path) -> None:
    roster = with_columns(tmp_path, state_id="sid")
    booked = roster.shows(row(1, charge="ASSAULT ON A FEMALE") + ",", row(2) + ",")
    [x] = him(booked) - {roster.known["ZZ0000000:B2"].offender_id}
    numbered = roster.shows(row(1, charge="ASSAULT ON A FEMALE") + ",NC7", row(2) + ",")
    [unit] = numbered.units
    [seen] = unit.sightings
    assert (unit.events, seen.offender_id, seen.known.state_id) == ((), x, "NC7"), (
        "what links him with his other records"
    )
    moved = roster.shows(row(1, facility="Pod 4", charge="ASSAULT ON A FEMALE") + ",NC7", row(2) + ",")
    assert (him(moved), custody(moved)) == ({x}, [("B1", "booked", "Pod 4")])
    charges = (row(1, facility="Pod 4", charge=each) + ",NC7" for each in ("ASSAULT ON A FEMALE", "STALKING"))
    more = roster.shows(*charges, row(2) + ",")
    assert (him(more), codes(more)) == ({x}, [["13B", "13C"]])
    gone = roster.shows(row(2) + ",")
    assert (him(gone), custody(gone)) == ({x}, [("B1", "released", "Pod 4")])
    assert him(roster.shows(row(1, facility="Pod 4") + ",NC8", row(2) + ",")) == {x}, "there again, and not booked anew"
    roster.shows(row(2) + ",")
    anew = row(1).replace("2025-01-10", "2025-02-10") + ",NC7"
    assert him(roster.shows(anew, row(2) + ",", after=timedelta(days=60))).isdisjoint({x}), "another stay"


def test_a_release_put_right_is_his_who_was_booked(tmp_path: Path) -> None:
    roster = with_columns(tmp_path, state_id="sid", released="out")
    x = him(roster.shows(row(1) + ",,", after=timedelta(hours=1)))
    assert him(roster.shows(row(1) + ",,2025-01-11 01:10")) == x
    assert him(roster.shows(row(1) + ",NC7,2025-01-11 01:20")) == x


def test_a_number_in_anothers_place_links_nobody(tmp_path: Path) -> None:
    """Nor is the name that stands beside it put into his record who was booked, or the other's birth date into his incident."""
    roster = with_columns(tmp_path, birth_date="born", language="tongue", counsel="lawyer")
    roster.mapping = roster.mapping.model_copy(update={"dates": [*roster.mapping.dates, "%Y-%m-%d"]})
    [x] = him(roster.shows(row(1) + ",1970-01-02,en,"))
    other = row(1, facility="Jail 2", charge="STALKING").replace(",P1,", ",P5,").replace("Man, 1", "Other, B")
    found = roster.shows(other + ",1990-05-05,es,Counsel C")
    [unit] = found.units
    [seen] = unit.sightings
    assert (him(found), seen.offender_id, seen.known.agency_person) == ({x}, x, None)
    assert (seen.known.name, seen.known.birth_date, seen.known.sex) == (None, None, None)
    assert unit.facts == (OffenderFacts(x),)
    [data] = [event.data for event in unit.events if isinstance(event.data, IncidentReported)]
    assert data.offender.birth_date is None


def test_a_number_that_is_left_out_leaves_him_who_he_is(tmp_path: Path) -> None:
    roster = with_columns(tmp_path, birth_date="born")
    roster.mapping = roster.mapping.model_copy(update={"dates": [*roster.mapping.dates, "%Y-%m-%d"]})
    [x] = him(roster.shows(row(1) + ",1970-01-02"))
    [unit] = roster.shows(row(1, facility="Jail 2").replace(",P1,", ",,") + ",1970-01-02").units
    assert unit.facts == (OffenderFacts(x, name="Man, 1", birth_date=date(1970, 1, 2)),)


def test_charges_become_an_incident_that_asks_for_the_relationship(roster: Roster) -> None:
    roster.shows(row(9))
    found = roster.shows(row(9), row(1, charge="ASSAULT ON A FEMALE"), row(1, charge="INJURY TO PERSONAL PROPERTY"))
    [data] = [event.data for unit in found.units for event in unit.events if isinstance(event.data, IncidentReported)]
    assert [(offense.code, offense.charged) for offense in data.offenses] == [("13B", True), ("290", True)]
    assert [(victim.victim_id, victim.relationship, victim.offenses) for victim in data.victims] == [
        (None, "RU", ["13B"])
    ]
    assert (data.incident_id, data.revision, data.bulk) == ("ZZ0000000:booking-B1", 1, False)
    more = roster.shows(row(9), row(1, charge="ASSAULT BY STRANGULATION"))
    [data] = [event.data for unit in more.units for event in unit.events if isinstance(event.data, IncidentReported)]
    assert (data.revision, data.offenses[0].force) == (2, ["85"])


def test_a_charge_in_a_row_that_cannot_be_read_is_not_withdrawn(roster: Roster) -> None:
    dwi, assault = row(1, charge="DRIVING WHILE IMPAIRED"), row(1, charge="ASSAULT ON A FEMALE")
    roster.shows(row(9))
    assert codes(roster.shows(row(9), dwi, assault)) == [["90Z", "13B"]]
    assert codes(roster.shows(row(9), dwi, assault[:20])) == [], "the other row may be the other charge"
    assert codes(roster.shows(row(9), dwi, assault)) == []
    worse = row(1, charge="ASSAULT BY STRANGULATION")
    assert codes(roster.shows(row(9), dwi, assault, worse, "B7")) == [["90Z", "13B", "13A"]], (
        "more is news all the same"
    )
    assert codes(roster.shows(row(9), dwi, "B7")) == []
    assert codes(roster.shows(row(9), dwi)) == [["90Z"]], "a whole one takes it back"


def test_charges_wait_for_a_row_of_their_own_booking_alone(roster: Roster) -> None:
    dwi, assault = row(1, charge="DRIVING WHILE IMPAIRED"), row(1, charge="ASSAULT ON A FEMALE")
    roster.shows(row(9))
    roster.shows(row(9), dwi, assault)
    assert codes(roster.shows(row(9), dwi, assault.replace("22:15", "24:15"))) == [], "it may be the other charge"
    assert codes(roster.shows(row(9, hearing="TBD"), dwi)) == [["90Z"]]


def test_charges_of_the_first_snapshot_are_a_history_load(roster: Roster) -> None:
    found = roster.shows(row(1, charge="STALKING"))
    [data] = [event.data for unit in found.units for event in unit.events if isinstance(event.data, IncidentReported)]
    assert data.bulk


def test_after_a_header_alone_the_jail_is_a_history_load_but_not_who_was_just_booked(roster: Roster) -> None:
    empty = roster.shows()
    assert (empty.fault, empty.kept) == (None, {})
    old = row(1, charge="STALKING").replace("2025-01-10", "2024-11-10")
    read = read_snapshot(Source(written(roster, old, row(2, charge="STALKING"))), MAPPING)
    found = changes({}, read, MAPPING, roster.at + timedelta(minutes=5), first=True, empty_at=roster.at)
    data = [event.data for unit in found.units for event in unit.events if isinstance(event.data, IncidentReported)]
    assert [each.bulk for each in data] == [True, False]


def test_a_release_that_is_planned_is_none_yet(tmp_path: Path) -> None:
    roster = with_columns(tmp_path, released="out")
    assert custody(roster.shows(row(1) + ",2025-03-01 08:00", row(2) + ",")) == [
        ("B1", "booked", "Jail 1"), ("B2", "booked", "Jail 1")
    ]  # fmt: skip
    assert custody(roster.shows(row(1) + ",2025-03-02 08:00", row(2) + ",")) == []
    later = roster.shows(row(1) + ",2025-03-02 08:00", row(2) + ",", after=timedelta(days=60))
    assert custody(later) == [("B1", "released", "Jail 1")]


def test_a_release_told_late_or_put_right_is_no_new_booking(tmp_path: Path) -> None:
    roster = with_columns(tmp_path, released="out")
    roster.shows(row(1) + ",", row(2) + ",", after=timedelta(hours=1))
    assert custody(roster.shows(row(2) + ",")) == [("B1", "released", "Jail 1")]
    for moment in ("02:06", "02:10"):
        found = roster.shows(row(1) + f",2025-01-11 {moment}", row(2) + ",")
        assert custody(found) == [("B1", "released", "Jail 1")]
        [event] = [event for unit in found.units for event in unit.events]
        assert isinstance(event.data, CustodyChanged)
        assert event.data.at.strftime("%H:%M") == moment
        assert custody(roster.shows(row(1) + f",2025-01-11 {moment}", row(2) + ",")) == []
    assert custody(roster.shows(row(1) + ",2025-01-11 02:07", row(2) + ",")) == [], "an earlier one changes nothing"
    roster.shows(row(1) + ",", row(2) + ",")
    [event] = [each for unit in roster.shows(row(1) + ",2025-01-11 02:11", row(2) + ",").units for each in unit.events]
    assert isinstance(event.data, CustodyChanged)
    assert event.data.at == roster.known["ZZ0000000:B1"].booked_at, (
        "held again by the roster, and let go: never before it"
    )
    anew = row(1).replace("2025-01-10 22:15", "2025-01-11 03:12")
    assert custody(roster.shows(anew + ",2025-01-11 03:13", row(2) + ",", after=timedelta(hours=1))) == [
        ("B1", "booked", "Jail 1"), ("B1", "released", "Jail 1")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("booked", "released"),
    [
        ("2025-01-11 00:30", "2025-01-11"),
        ("2025-11-02 01:50", "2025-11-02 01:10"),
        ("2025-01-10 00:10", "2025-01-09 23:50"),
    ],
)
def test_a_release_that_seems_to_be_before_the_booking_is_at_it(tmp_path: Path, booked: str, released: str) -> None:
    roster = with_columns(tmp_path, released="out")
    roster.mapping = roster.mapping.model_copy(update={"dates": ["%Y-%m-%d %H:%M", "%Y-%m-%d"]})
    roster.at = datetime(2025, 12, 1, tzinfo=UTC)
    mine = row(1).replace("2025-01-10 22:15", booked)
    roster.shows(mine + ",", row(2) + ",", row(3) + ",")
    found = roster.shows(f"{mine},{released}", row(2) + ",")
    assert (found.fault, custody(found)) == (None, [("B1", "released", "Jail 1"), ("B3", "released", "Jail 1")])
    assert roster.known["ZZ0000000:B1"].released_at == roster.known["ZZ0000000:B1"].booked_at


@pytest.mark.parametrize("released", ["2025-01-09 22:15", "2025-01-10 09:00", "2025-01-09 00:00"])
def test_one_released_before_he_was_booked_is_refused(tmp_path: Path, released: str) -> None:
    """A date alone, of that day, has no time that could be before it: `test_a_release_that_seems_to_be_before`."""
    roster = with_columns(tmp_path, released="out")
    found = roster.shows(row(1) + f",{released}", after=timedelta(days=1))
    assert [unit.reject.code for unit in found.units if unit.reject] == ["row_conflict"]
    assert custody(found) == []


def test_one_let_go_for_one_of_his_charges_is_held_for_the_other(tmp_path: Path) -> None:
    roster = with_columns(tmp_path, released="out")
    held, gone = row(1, charge="LARCENY") + ",", row(1, charge="ASSAULT ON A FEMALE") + ",2025-01-11 01:02"
    roster.shows(held, row(2) + ",", after=timedelta(hours=1))
    for rows in ((held, gone), (gone, held), (gone, held, gone)):
        assert "released" not in {change for _, change, _ in custody(roster.shows(*rows, row(2) + ","))}
    torn = held.replace("2025-01-10", "2025-13-10")
    assert custody(roster.shows(gone, torn, row(2) + ",")) == [], "a row that cannot be read may say that he is held"
    found = roster.shows(gone, gone.replace("01:02", "01:04"), row(2) + ",")
    assert custody(found) == [("B1", "released", "Jail 1")]
    assert roster.known["ZZ0000000:B1"].released_at == datetime(2025, 1, 11, 6, 4, tzinfo=UTC)
    assert custody(roster.shows(gone, torn, row(2) + ",")) == [], "nor does it hold him again"


def test_a_number_used_again_tells_the_charges_of_another_man(roster: Roster) -> None:
    """Though they are what the man before him was charged with, word for word."""
    assault = row(1, charge="ASSAULT ON A FEMALE")
    roster.shows(row(2))
    roster.shows(row(2), assault, row(1, charge="STALKING"))
    roster.shows(row(2))
    other = assault.replace("2025-01-10", "2025-02-10").replace(",P1,", ",P5,")
    found = roster.shows(row(2), other, row(1, charge="STALKING").replace("2025-01-10", "2025-02-10").replace(",P1,", ",P5,"),
                         after=timedelta(days=60))  # fmt: skip
    assert codes(found) == [["13B", "13C"]]
    [data] = [event.data for unit in found.units for event in unit.events if isinstance(event.data, IncidentReported)]
    assert (data.offender.offender_id, data.revision) == (roster.known["ZZ0000000:B1"].offender_id, 2)
    roster.shows(row(2), after=timedelta(days=1))
    dwi = row(1, charge="DRIVING WHILE IMPAIRED").replace("2025-01-10", "2025-04-15").replace(",P1,", ",P7,")
    third = roster.shows(row(2), dwi, after=timedelta(days=30))
    assert codes(third) == [], "nor is the incident of those before him his"
    assert [seen.incident_id for unit in third.units for seen in unit.sightings] == [None]


def test_what_concerns_nobody_else_is_not_told(roster: Roster) -> None:
    found = roster.shows(row(1, charge="DRIVING WHILE IMPAIRED"))
    assert [type(event.data) for unit in found.units for event in unit.events] == [CustodyChanged]


def test_two_men_under_one_booking_are_refused(roster: Roster) -> None:
    found = roster.shows(row(1), row(1).replace("P1", "P2"), row(3))
    assert [unit.reject.code for unit in found.units if unit.reject] == ["row_conflict"]
    assert len(custody(found)) == 2


@pytest.mark.parametrize(("name", "birth", "column"), [("Other, B", "", "name"), ("MAN,  1", "1961-06-15", "born")])
def test_two_men_under_one_booking_without_numbers_are_refused(
    tmp_path: Path, name: str, birth: str, column: str
) -> None:
    """Else the first is held for what the other did, and the other is nobody."""
    roster = with_columns(tmp_path, birth_date="born")
    without = {name: column for name, column in roster.mapping.columns.items() if name != "person"}
    roster.mapping = roster.mapping.model_copy(
        update={"columns": without, "dates": [*roster.mapping.dates, "%Y-%m-%d"]}
    )
    assault = row(1, charge="ASSAULT ON A FEMALE")
    rows = [f"{assault},", f"{row(1)},1985-06-15", f"{assault},".replace("Man, 1", "man,  1")]
    assert [unit.reject for unit in roster.shows(*rows, row(3) + ",").units if unit.reject] == []
    other = assault.replace('"Man, 1"', f'"{name}"') + f",{birth}"
    found = roster.shows(*rows, other, row(3) + ",")
    [reject] = [unit.reject for unit in found.units if unit.reject]
    assert (reject.code, reject.field, reject.line) == ("row_conflict", column, 5)
    assert (custody(found), codes(found)) == ([], [])


def test_a_hearing_set_back_to_where_it_was_is_news(roster: Roster) -> None:
    ids = set()
    for hearing in ("2025-01-12 09:00", "2025-01-13 09:00", "2025-01-12 09:00"):
        found = roster.shows(row(1, hearing=hearing), row(2))
        ids |= {
            event.id
            for unit in found.units
            for event in unit.events
            if isinstance(event.data, CustodyChanged) and event.data.change is CustodyChange.HEARING_SET
        }
    assert len(ids) == 3


def test_limits_are_the_mappings(tmp_path: Path) -> None:
    strict = MAPPING.model_copy(update={"snapshot": replace_limits(always_possible=0, most_missing=0.1)})
    roster = Roster(tmp_path, strict)
    roster.shows(*(row(number) for number in range(10)))
    assert roster.shows(*(row(number) for number in range(8))).fault is Fault.SHORT
    assert roster.shows(*(row(number) for number in range(9))).fault is None


def replace_limits(**changes: object) -> object:
    return MAPPING.snapshot.model_copy(update=changes)
