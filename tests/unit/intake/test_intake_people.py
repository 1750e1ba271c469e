"""Records of offenders and victims, gathered over a feed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.envelope import Data, Event, from_json_line
from schemas.person import DescribedVictim, OffenderDescribed, VictimsDescribed
from services.intake.identity import victim_id
from services.intake.people import Facts, OffenderFacts, People, Person, VictimFacts, parted
from services.intake.store.people import _person, _row
from tests.harness import feed


def event(data: dict[str, Any], kind: str = "ipvi.incident.reported.v1", **attributes: Any) -> Event[Data]:
    return from_json_line(feed.line(data, kind, **attributes))


class Told:
    """People, and for each offender the last record written."""

    def __init__(self) -> None:
        self.kept: dict[str, Person] = {}
        self.people = People(self.kept, feed.seal)
        self.offenders: dict[str, OffenderDescribed] = {}
        self.victims: dict[str, list[DescribedVictim]] = {}

    def tell(self, data: dict[str, Any], kind: str = "incident.reported", **attributes: Any) -> list[Data]:
        records = self.people.apply(event(data, f"ipvi.{kind}.v1", **attributes))
        for record in records:
            if isinstance(record, OffenderDescribed):
                self.offenders[record.offender_id] = record
            elif isinstance(record, VictimsDescribed):
                self.victims[record.offender_id] = record.victims
        return records

    def known(self, offender: str) -> list[tuple[str | None, int, str | None]]:
        return [(one.incident_id, one.victim_no, one.victim_id) for one in self.victims.get(offender, [])]


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_bare_incident_says_nothing_of_the_offender(told: Told) -> None:
    records = told.tell(feed.incident())
    assert [type(record) for record in records] == [VictimsDescribed]


def test_what_an_incident_holds_of_him(told: Told) -> None:
    told.tell(feed.incident(offender={"offender_id": "O1", "birth_date": "1985-06-15", "conflict_of_interest": True}))
    told.tell(feed.incident(number="25-002"))
    him = told.offenders["O1"]
    assert str(him.birth_date) == "1985-06-15"
    assert him.conflict_of_interest


def test_victims_are_whole_over_the_feed(told: Told) -> None:
    told.tell(feed.incident())
    told.tell(feed.incident("O2", number="25-002"))
    told.tell(feed.incident(number="25-003", victims=[{"relationship": "XS"}, {"relationship": "CH"}]))
    assert told.known("O1") == [
        ("ZZ0010000:25-001", 1, "V1"),
        ("ZZ0010000:25-003", 1, None),
        ("ZZ0010000:25-003", 2, None),
    ]


def test_he_himself_is_no_victim_of_his(told: Told) -> None:
    both = [{"victim_no": 1, "relationship": "VO"}, {"victim_no": 2, "relationship": "SE"}]
    told.tell(feed.incident(victims=both))
    assert told.known("O1") == [("ZZ0010000:25-001", 2, None)]


def test_a_revision_replaces_and_an_old_one_does_not(told: Told) -> None:
    told.tell(feed.incident())
    told.tell(feed.incident(revision=3, victims=[{"victim_no": 2, "relationship": "BG"}]))
    assert told.known("O1") == [("ZZ0010000:25-001", 2, None)]
    assert told.tell(feed.incident(revision=2)) == []


@pytest.mark.parametrize("late", [False, True])
def test_retraction_in_any_order(told: Told, late: bool) -> None:
    taken = {"incident_id": "ZZ0010000:25-001", "offender_id": "O1", "agency": feed.ORI, "revision": 1}
    steps = [(feed.incident(), "incident.reported"), (taken, "incident.retracted")]
    for data, kind in steps if late else reversed(steps):
        told.tell(data, kind)
    assert told.known("O1") == []
    told.tell(feed.incident(revision=2))
    assert len(told.known("O1")) == 1


def test_expunction_is_final(told: Told) -> None:
    told.tell(feed.incident())
    told.tell({"incident_id": "ZZ0010000:25-001", "offender_id": "O1", "agency": feed.ORI}, "incident.expunged")
    told.tell(feed.incident(revision=9))
    assert told.known("O1") == []


def test_details_police_gave_follow_her_into_new_incidents(told: Told) -> None:
    given = {"victim_no": 1, "victim_id": "V1", "language": "es", "contact": ["contact 1"]}
    told.tell({"offender_id": "O1", "victims": [given]}, "victims.described")
    told.tell(feed.incident())
    assert [one.language for one in told.victims["O1"]] == ["es", "es"]


def test_a_described_offender_keeps_what_he_was_described_as(told: Told) -> None:
    told.tell({"offender_id": "O1", "name": "Offender 1", "language": "es"}, "offender.described")
    told.tell(feed.incident(offender={"offender_id": "O1", "birth_date": "1985-06-15"}))
    assert (told.offenders["O1"].name, told.offenders["O1"].language) == ("Offender 1", "es")


def test_merge_brings_both_together_and_later_events_too(told: Told) -> None:
    told.tell(feed.incident("O1", "25-001"))
    told.tell(feed.incident("O2", "25-002", offender={"offender_id": "O2", "birth_date": "1985-06-15"}))
    told.tell({"offender_id": "O1", "merged_offender_id": "O2"}, "offender.merged")
    assert told.known("O2") == []
    assert told.offenders["O2"] == OffenderDescribed(offender_id="O2"), "nothing of him is left under the old id"
    told.tell(feed.incident("O2", "25-003"))
    assert [place[0] for place in told.known("O1")] == [f"ZZ0010000:25-00{n}" for n in (2, 1, 3)]
    assert str(told.offenders["O1"].birth_date) == "1985-06-15"
    told.tell({"offender_id": "O2", "merged_offender_id": "O1"}, "offender.merged")
    assert len(told.known("O1")) == 3, "a merge of one with himself changes nothing"


def test_split_takes_its_incidents_along(told: Told) -> None:
    told.tell(feed.incident("O1", "25-001"))
    told.tell(feed.incident("O1", "25-002"))
    split = {"offender_id": "O1", "new_offender_id": "O9", "incident_ids": ["ZZ0010000:25-002"]}
    told.tell(split, "offender.split")
    assert [place[0] for place in told.known("O1")] == ["ZZ0010000:25-001"]
    assert [place[0] for place in told.known("O9")] == ["ZZ0010000:25-002"]


def test_custody(told: Told) -> None:
    def jail(change: str, at: str, booking: str = "B1", **more: str) -> None:
        told.tell({"offender_id": "O1", "booking_id": booking, "change": change, "at": at, **more}, "custody.changed")

    jail("booked", "2025-01-10T23:00:00Z", facility="Jail 1")
    jail("hearing_set", "2025-01-11T15:00:00Z")
    custody = told.offenders["O1"].custody
    assert custody is not None
    assert (custody.held, custody.facility) == (True, "Jail 1")
    jail("released", "2025-01-09T00:00:00Z", "B0")
    assert told.offenders["O1"].custody == custody, "an earlier booking changes nothing"
    jail("released", "2025-01-11T17:00:00Z")
    assert told.offenders["O1"].custody is not None
    assert not told.offenders["O1"].custody.held
    jail("booked", "2025-03-01T00:00:00Z", "B2")
    assert told.offenders["O1"].custody is not None
    assert told.offenders["O1"].custody.booking_id == "B2"
    assert told.offenders["O1"].custody.held


def test_an_id_that_stands_for_everybody_stays_in_bounds(told: Told) -> None:
    for number in range(250):
        told.tell(feed.incident(number=f"25-{number:03}"))
    assert [place[0] for place in told.known("O1")][::199] == ["ZZ0010000:25-050", "ZZ0010000:25-249"]


def test_other_events_say_nothing_of_people(told: Told) -> None:
    order = {
        "offender_id": "O1",
        "order_id": "X",
        "kind": "no_contact",
        "from": "2025-01-10T00:00:00Z",
        "change": "issued",
    }
    assert told.tell(order, "order.changed") == []


def test_one_agencys_word_leaves_what_another_holds(told: Told) -> None:
    told.tell(feed.incident())
    hers = {"victim_no": 1, "victim_id": "V9", "incident_id": "ZZ0020000:7"}
    told.tell({"offender_id": "O1", "victims": [hers]}, "victims.described")
    assert told.known("O1") == [("ZZ0010000:25-001", 1, "V1"), ("ZZ0020000:7", 1, "V9")]
    told.tell({"offender_id": "O1", "victims": [{**hers, "victim_no": 2}]}, "victims.described")
    assert told.known("O1") == [("ZZ0010000:25-001", 1, "V1"), ("ZZ0020000:7", 2, "V9")]
    told.tell({"offender_id": "O1", "victims": []}, "victims.described")
    assert told.known("O1") == []


def test_what_comes_late_for_a_moved_incident_is_the_other_mans(told: Told) -> None:
    told.tell(feed.incident("O1", "25-001"))
    split = {"offender_id": "O1", "new_offender_id": "O9", "incident_ids": ["ZZ0010000:25-001"]}
    told.tell(split, "offender.split")
    told.tell(feed.incident("O1", "25-001", revision=2, victims=[{"victim_no": 3, "relationship": "SE"}]))
    assert told.known("O1") == []
    assert told.known("O9") == [("ZZ0010000:25-001", 3, None)]


def test_booked_again_under_the_same_number(told: Told) -> None:
    booking = {"offender_id": "O1", "booking_id": "B1"}
    for change, at in (("booked", "2025-01-01"), ("released", "2025-01-02"), ("booked", "2025-01-03")):
        told.tell({**booking, "change": change, "at": f"{at}T00:00:00Z"}, "custody.changed")
    custody = told.offenders["O1"].custody
    assert custody is not None
    assert custody.held


def test_facts_fill_what_is_known_and_take_nothing_away(told: Told) -> None:
    incident = feed.incident()
    facts: list[Facts] = [
        OffenderFacts("O1", name="Offender 1", places=("place 1",)),
        VictimFacts("O1", "ZZ0010000:25-001", 1, name="Victim 1", contact=("contact 1",)),
    ]
    records = told.people.apply(event(incident), facts)
    assert [type(record) for record in records] == [OffenderDescribed, VictimsDescribed]
    [victims] = told.people.learn([VictimFacts("O1", "ZZ0010000:25-001", 1, language="es")], event(incident))
    assert isinstance(victims, VictimsDescribed)
    assert (victims.victims[0].name, victims.victims[0].language) == ("Victim 1", "es")
    assert told.people.learn([VictimFacts("O1", "ZZ0010000:25-001", 7, name="Victim 7")], event(incident)) == []


INCIDENT = "ZZ0010000:25-001"


def report(
    told: Told, revision: int, named: str | None, name: str | None = None, contact: str | None = None, **more: Any
) -> None:
    """As a table tells it: one victim under this id, with what the row has of her and of him."""
    victims = [{"victim_no": 1, "victim_id": named, "relationship": "SE"}]
    facts: list[Facts] = [
        OffenderFacts("O1", name=f"Offender, as of {revision}"),
        VictimFacts("O1", INCIDENT, 1, name=name, contact=(contact,) if contact else ()),
    ]
    told.people.apply(event(feed.incident(revision=revision, victims=victims, **more)), facts)


def her(told: Told, who: str = "O1") -> tuple[str | None, str | None, list[str]]:
    [one] = told.kept[who].victims.values()
    return one.victim_id, one.name, one.contact


PLACE = victim_id(feed.ORI, "25-001", 1)


@pytest.mark.parametrize("late", [1, 2])
def test_a_late_or_refused_report_of_another_woman_leaves_hers_as_it_is(told: Told, late: int) -> None:
    report(told, 2, "W2", "Maria", "555-2222")
    report(told, late, "W1", "Ann", "555-1111")
    assert her(told) == ("W2", "Maria", ["555-2222"])
    assert told.kept["O1"].described.name == "Offender, as of 2"


def test_a_late_report_under_the_id_that_went_is_no_later_word_of_her(told: Told) -> None:
    report(told, 2, "W1", "Ann", "555-2222")
    told.tell({"offender_id": "O1", "merged_offender_id": "O2"}, "offender.merged")
    late = event(feed.incident("O2", revision=1, victims=[{"victim_no": 1, "victim_id": "W1", "relationship": "SE"}]))
    told.people.apply(late, [VictimFacts("O2", INCIDENT, 1, name="Ann", contact=("555-1111",), language="es")])
    assert her(told) == ("W1", "Ann", ["555-2222"])
    assert told.kept["O1"].victims[INCIDENT, 1].language == "es"


@pytest.mark.parametrize("named", ["W1", PLACE])
def test_a_late_report_of_herself_fills_what_is_empty(told: Told, named: str) -> None:
    """A submission came first; the agency's own table has her telephone."""
    report(told, 20250101, PLACE)
    report(told, 1, named, "Ann", "555-1111")
    assert her(told) == (PLACE, "Ann", ["555-1111"])


def test_what_was_taken_back_says_nothing_when_it_comes_late(told: Told) -> None:
    taken = {"incident_id": INCIDENT, "offender_id": "O1", "agency": feed.ORI, "revision": 1}
    told.tell(taken, "incident.retracted")
    report(told, 2, PLACE)
    report(told, 1, PLACE, "Ann", "555-1111")
    assert her(told) == (PLACE, None, [])


def test_new_facts_of_an_old_revision_told_again_are_not_anothers(told: Told) -> None:
    first = event(feed.incident(victims=[{"victim_no": 1, "victim_id": "W1", "relationship": "SE"}]))
    told.people.apply(first)
    report(told, 2, "W2", "Maria", "555-2222")
    assert told.people.learn([VictimFacts("O1", INCIDENT, 1, name="Ann", contact=("555-3333",))], first) == []


def test_of_two_of_one_revision_only_what_came_with_the_first_is_known(told: Told) -> None:
    """The second is refused, whomever it names, and however often its table comes with something new in it."""
    report(told, 1, PLACE, None, "555-1111")
    other = event(feed.incident(victims=[{"victim_no": 1, "victim_id": PLACE, "relationship": "SE"}], bulk=True))
    facts: list[Facts] = [VictimFacts("O1", INCIDENT, 1, contact=("555-2222",)), OffenderFacts("O1", name="Another")]
    assert told.people.apply(other, facts) == []
    assert told.people.learn([VictimFacts("O1", INCIDENT, 1, contact=("555-3333",))], other) == []
    assert her(told) == (PLACE, None, ["555-1111"])


def test_a_late_report_of_what_was_expunged_does_not_name_him(told: Told) -> None:
    told.tell({"incident_id": INCIDENT, "offender_id": "O1", "agency": feed.ORI}, "incident.expunged")
    report(told, 3, "W1", "Ann", "555-1111")
    him = told.kept["O1"]
    assert (him.described, him.victims) == (OffenderDescribed(offender_id="O1"), {})


@pytest.mark.parametrize("named", ["W1", PLACE])
def test_corrected_to_another_name_nothing_of_the_first_woman_is_hers(told: Told, named: str) -> None:
    report(told, 1, named, "Ann Lee", "555-1111")
    report(told, 2, named, "Ruiz, Maria")
    assert her(told) == (named, "Ruiz, Maria", [])
    report(told, 3, named, "Ruiz, Mario")
    report(told, 4, named, None, "555-2222")
    report(told, 5, named, "M. Ruiz")
    assert her(told) == (named, "M. Ruiz", ["555-2222"]), "a mistyped letter, no name or an initial is no other woman"


def test_another_surname_alone_is_no_other_woman_but_with_another_birth_date_it_is(told: Told) -> None:
    def tell(revision: int, name: str, born: date | None, contact: tuple[str, ...] = ()) -> list[str]:
        victims = [{"victim_no": 1, "victim_id": PLACE, "relationship": "SE"}]
        fact = VictimFacts("O1", INCIDENT, 1, name=name, birth_date=born, contact=contact)
        told.people.apply(event(feed.incident(revision=revision, victims=victims)), [fact])
        return her(told)[2]

    assert tell(1, "Maria Ruiz", date(1990, 5, 4), ("555-1111",)) == ["555-1111"]
    assert tell(2, "Maria Lopez", None) == ["555-1111"]
    assert tell(3, "Maria Castro", date(1971, 11, 30)) == []


def test_two_women_whose_rows_change_places_keep_their_own_telephones(told: Told) -> None:
    def both(revision: int, *women: tuple[str, str | None]) -> None:
        victims = [
            {"victim_no": place, "victim_id": victim_id(feed.ORI, "25-001", place), "relationship": "SE"}
            for place in (1, 2)
        ]
        facts: list[Facts] = [
            VictimFacts("O1", INCIDENT, place, name=name, contact=(contact,) if contact else ())
            for place, (name, contact) in enumerate(women, start=1)
        ]
        told.people.apply(event(feed.incident(revision=revision, victims=victims)), facts)

    both(1, ("Ann Lee", "555-1111"), ("Zoe Ruiz", None))
    both(2, ("Zoe Ruiz", None), ("Ann Lee", "555-1111"))
    known = told.kept["O1"].victims.values()
    assert [(one.name, one.contact) for one in known] == [("Zoe Ruiz", []), ("Ann Lee", ["555-1111"])]


def test_records_that_become_one_do_not_fill_one_woman_with_anothers_telephone(told: Told) -> None:
    for who, name, contact in (("O1", "Maria Ruiz", ()), ("O2", "Ann Lee", ("555-1111",))):
        victims = [{"victim_no": 1, "victim_id": PLACE, "relationship": "SE"}]
        told.people.apply(
            event(feed.incident(who, victims=victims)), [VictimFacts(who, INCIDENT, 1, name=name, contact=contact)]
        )
    told.tell({"offender_id": "O1", "merged_offender_id": "O2"}, "offender.merged")
    assert her(told) == (PLACE, "Maria Ruiz", [])


def test_an_expunged_incident_leaves_no_name_and_stays_out(told: Told) -> None:
    told.tell(feed.incident())
    told.tell(feed.incident(number="25-002"))
    split = {"offender_id": "O1", "new_offender_id": "O9", "incident_ids": ["ZZ0010000:25-001"]}
    told.tell(split, "offender.split")
    gone = {"incident_id": "ZZ0010000:25-001", "offender_id": "O1", "agency": feed.ORI}
    told.tell(gone, "incident.expunged")
    assert "25-001" not in repr(told.kept)
    for who in ("O1", "O9"):
        told.tell(feed.incident(who, revision=9))
        told.tell({**gone, "offender_id": who, "revision": 12}, "incident.retracted")
    assert told.known("O9") == []
    assert told.known("O1") == [("ZZ0010000:25-002", 1, "V1")]
    assert "25-001" not in repr(told.kept)


class Jail:
    """What a jail says of O1 on 10 January, by hour, and how he is held."""

    def __init__(self, told: Told) -> None:
        self.told = told

    def says(
        self,
        change: str,
        hour: int,
        booking: str = "B1",
        who: str = "O1",
        facility: str | None = None,
        said: int | None = None,
    ) -> None:
        at, time = (f"2025-01-10T{each:02}:00:00Z" for each in (hour, hour if said is None else said))
        data = {"offender_id": who, "booking_id": booking, "change": change, "at": at, "facility": facility}
        self.told.tell(data, "custody.changed", time=time)

    def merge(self, one: str = "O1", other: str = "O2") -> None:
        self.told.tell({"offender_id": one, "merged_offender_id": other}, "offender.merged")

    def held(self, who: str = "O1") -> tuple[str, bool]:
        custody = self.told.offenders[who].custody
        assert custody is not None
        return custody.booking_id, custody.held


@pytest.fixture
def jail(told: Told) -> Jail:
    return Jail(told)


@pytest.mark.parametrize("order", list(permutations([("booked", 10), ("released", 12), ("booked", 14)])))
def test_booked_released_and_booked_again_in_any_order_he_is_held(jail: Jail, order: list[tuple[str, int]]) -> None:
    for change, hour in order:
        jail.says(change, hour)
    assert jail.held() == ("B1", True)


def test_a_release_that_is_said_later_holds_though_it_was_before_he_was_seen_again(told: Told) -> None:
    """A roster shows him once more under a number that had ended (held from when he is seen), then as released before that."""
    for change, at, said in (("booked", 10, 10), ("released", 12, 12), ("booked", 18, 18), ("released", 17, 19)):
        data = {"offender_id": "O1", "booking_id": "B1", "change": change, "at": f"2025-01-10T{at}:00:00Z"}
        read = event(data, "ipvi.custody.changed.v1")
        told.people.apply(replace(read, time=read.time.replace(hour=said)))
        assert told.kept["O1"].stays["B1"].custody.held is (change == "booked")


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("order", list(permutations([("booked", 7, 10), ("released", 5, 12), ("booked", 3, 3)])))
def test_a_release_that_is_said_later_holds_in_any_order(
    jail: Jail, order: list[tuple[str, int, int]], merged: bool
) -> None:
    """Told of under one id, or under two that are one man's."""
    for place, (change, at, said) in enumerate(order):
        jail.says(change, at, who="O2" if merged and place == 2 else "O1", said=said)
    if merged:
        jail.merge()
    custody = jail.told.kept["O1"].described.custody
    assert custody is not None
    assert (custody.held, custody.released_at) == (False, custody.booked_at)
    jail.says("booked", 7, said=15)
    assert jail.held() == ("B1", True), "said to be booked once more he is"


@pytest.mark.parametrize(
    "order",
    list(permutations([("booked", 1, "B1"), ("released", 2, "B1"), ("booked", 10, "B2"), ("released", 12, "B2")])),
)
def test_two_stays_that_ended_in_any_order_have_ended(jail: Jail, order: list[tuple[str, int, str]]) -> None:
    for change, hour, booking in order:
        jail.says(change, hour, booking)
    assert jail.held() == ("B2", False)


def test_of_two_bookings_at_a_time_one_ends_and_he_is_held_under_the_other(jail: Jail) -> None:
    jail.says("booked", 1, "B1")
    jail.says("booked", 2, "B2")
    jail.says("released", 5, "B2")
    assert jail.held() == ("B1", True)
    jail.says("released", 6, "B1")
    assert not jail.held()[1]


@pytest.mark.parametrize(
    "order",
    list(permutations([("booked", 1, "B1"), ("booked", 5, "B2"), ("released", 6, "B2"), ("released", 9, "B1")])),
)
def test_of_two_bookings_at_a_time_his_release_is_from_the_one_that_ended_last(
    jail: Jail, order: list[tuple[str, int, str]]
) -> None:
    for change, hour, booking in order:
        jail.says(change, hour, booking)
    assert jail.held() == ("B1", False)


def test_a_transfer_that_is_told_late_does_not_move_him_back(jail: Jail) -> None:
    jail.says("booked", 3, facility="Jail 2")
    jail.says("booked", 1, facility="Jail 1")
    custody = jail.told.offenders["O1"].custody
    assert custody is not None
    assert custody.facility == "Jail 2"


@pytest.mark.parametrize("survivor", ["O1", "O2"])
def test_of_two_who_are_one_the_one_who_is_in_jail_is(jail: Jail, survivor: str) -> None:
    jail.says("booked", 1, "B1", "O1")
    jail.says("released", 2, "B1", "O1")
    jail.says("booked", 1, "B2", "O2")
    jail.merge(survivor, {"O1": "O2", "O2": "O1"}[survivor])
    assert jail.held(survivor) == ("B2", True)
    jail.says("released", 9, "B2", "O2")
    assert jail.held(survivor) == ("B2", False)


def test_one_booking_told_of_under_two_ids_that_are_one_ends_once(jail: Jail) -> None:
    jail.says("booked", 1, "B1", "O1")
    jail.says("booked", 1, "B1", "O2")
    jail.says("released", 3, "B1", "O2")
    jail.merge()
    assert jail.held() == ("B1", False)


def test_of_many_bookings_those_that_ended_long_ago_are_forgotten(jail: Jail) -> None:
    jail.says("booked", 1, "open")
    for number in range(40):
        jail.says("booked", 2, f"B{number}")
        jail.says("released", 3, f"B{number}")
    assert jail.held() == ("open", True)
    assert len(jail.told.kept["O1"].stays) == 20


def test_a_whole_record_that_names_no_booking_ends_none(jail: Jail) -> None:
    jail.says("booked", 1, "B1")
    jail.told.tell({"offender_id": "O1", "name": "Offender 1"}, "offender.described")
    assert jail.told.offenders["O1"].name == "Offender 1"
    assert jail.held() == ("B1", True)


def test_a_whole_record_is_the_word_on_the_booking_it_names_and_on_no_other(jail: Jail) -> None:
    jail.says("booked", 1, "B1")
    jail.says("booked", 5, "B2")
    ended = {"booking_id": "B2", "booked_at": "2025-01-10T05:00:00Z", "released_at": "2025-01-10T08:00:00Z"}
    jail.told.tell({"offender_id": "O1", "custody": ended}, "offender.described")
    assert jail.held() == ("B1", True)
    jail.says("released", 9, "B1")
    assert not jail.held()[1]


def test_a_booking_that_a_split_took_is_told_of_him_who_has_it_now(jail: Jail) -> None:
    booking = f"{feed.ORI}:B7"
    jail.says("booked", 1, booking)
    split(jail.told, "booking-B7")
    jail.merge("O3", "O9")
    rest, goes = parted(jail.told.kept["O3"].stays, {"O9"}, (), "O10")
    assert (list(rest), list(goes)) == ([], [booking])
    assert goes[booking].told_of == "O10"


def test_nothing_is_kept_that_cannot_be_read_again(told: Told) -> None:
    """One row that could not be read would end intake at every start."""
    long = "x" * 241
    facts: list[Facts] = [
        OffenderFacts("O1", name=long, places=("place 1", long), language="Spanish", counsel=long),
        VictimFacts("O1", INCIDENT, 1, name=long, contact=(long,), language="español", substitute_address=long),
    ]
    told.people.apply(event(feed.incident()), facts)
    row = _row("O1", told.kept["O1"])
    person = _person(SimpleNamespace(**row))
    assert person == told.kept["O1"]
    assert (person.described.name, person.described.language) == (long[:200], None)
    assert person.described.places == ["place 1", long[:200]]
    [victim] = person.victims.values()
    assert (victim.name, victim.contact, victim.language) == (long[:200], [long[:200]], None)


def expunge(told: Told, number: str = "25-001", who: str = "O1") -> None:
    gone = {"incident_id": f"ZZ0010000:{number}", "offender_id": who, "agency": feed.ORI}
    told.tell(gone, "incident.expunged")


def split(told: Told, *numbers: str, who: str = "O1", to: str = "O9") -> None:
    incidents = [f"ZZ0010000:{number}" for number in numbers]
    told.tell({"offender_id": who, "new_offender_id": to, "incident_ids": incidents}, "offender.split")


def him(told: Told, number: str, offender: dict[str, Any] | None = None, **facts: Any) -> None:
    reported = feed.incident(number=number) | ({"offender": offender} if offender else {})
    told.people.apply(event(reported), [OffenderFacts("O1", **facts)])


def test_what_an_expunged_incident_alone_told_of_him_is_gone(told: Told) -> None:
    offender = {"offender_id": "O1", "birth_date": "1985-06-15", "conflict_of_interest": True}
    him(told, "25-001", offender, name="Offender 1", places=("place 1",), language="es")
    him(told, "25-002", language="pl")
    expunge(told)
    assert told.offenders["O1"] == OffenderDescribed(offender_id="O1", language="pl")
    assert "25-001" not in repr(told.kept)


def test_a_list_that_names_an_expunged_incident_does_not_bring_it_back(told: Told) -> None:
    told.tell(feed.incident())
    expunge(told)
    split(told, "25-002")
    expunge(told, "25-002", "O9")
    hers = {"victim_no": 1, "victim_id": "V1", "name": "Victim 1", "contact": ["contact 1"]}
    named = [{**hers, "incident_id": f"ZZ0010000:25-00{number}"} for number in (1, 2, 3)]
    told.tell({"offender_id": "O1", "victims": named}, "victims.described")
    assert [place[0] for place in told.known("O1")] == ["ZZ0010000:25-003"]
    assert told.known("O9") == []


def test_a_split_of_an_expunged_incident_takes_its_seal_along(told: Told) -> None:
    told.tell(feed.incident())
    expunge(told)
    split(told, "25-001")
    for who in ("O1", "O9"):
        him(told, "25-001", {"offender_id": who}, name="Offender 1")
        told.tell(feed.incident(who, revision=9))
    assert told.known("O1") == told.known("O9") == []
    assert "Offender 1" not in repr(told.kept)
    assert "25-001" not in repr(told.kept)


@pytest.mark.parametrize("survivor", ["O1", "O2"])
def test_expunged_of_one_of_two_who_are_one_it_leaves_nothing_that_it_told(told: Told, survivor: str) -> None:
    him(told, "25-001", name="Offender 1", places=("place 1",))
    told.tell(feed.incident("O2"))
    expunge(told, who="O2")
    merged = {"O1": "O2", "O2": "O1"}[survivor]
    told.tell({"offender_id": survivor, "merged_offender_id": merged}, "offender.merged")
    assert told.offenders.get(survivor, OffenderDescribed(offender_id=survivor)) == OffenderDescribed(
        offender_id=survivor
    )
    assert "25-001" not in repr(told.kept)


def test_expunged_of_him_to_whom_it_goes_it_leaves_nothing_that_it_told(told: Told) -> None:
    him(told, "25-001", name="Offender 1")
    expunge(told, who="O9")
    split(told, "25-001")
    assert told.kept["O9"].described == OffenderDescribed(offender_id="O9")
    assert told.kept["O9"].origins == {}


def test_what_something_else_told_of_him_too_stays(told: Told) -> None:
    jail = {"offender_id": "O1", "booking_id": "B1", "change": "booked", "at": "2025-01-10T00:00:00Z"}
    him(told, "25-001", name="Offender 1", counsel="Counsel 1", birth_date=date(1985, 6, 15))
    told.people.apply(event(jail, "ipvi.custody.changed.v1"), [OffenderFacts("O1", name="Offender 1")])
    him(told, "25-002", name="Offender 1", birth_date=date(1985, 6, 15))
    expunge(told)
    described = told.offenders["O1"]
    assert (described.name, described.counsel, described.birth_date) == ("Offender 1", None, date(1985, 6, 15))


def test_what_an_expunged_incident_told_goes_wherever_it_has_come_by_a_merge_or_a_split(told: Told) -> None:
    told.people.apply(event(feed.incident("O2", "25-001")), [OffenderFacts("O2", name="Offender 2", language="es")])
    him(told, "25-002", name="Offender 1")
    told.tell({"offender_id": "O1", "merged_offender_id": "O2"}, "offender.merged")
    assert told.offenders["O1"].language == "es"
    split = {"offender_id": "O1", "new_offender_id": "O9", "incident_ids": [INCIDENT]}
    told.tell(split, "offender.split")
    assert told.offenders["O1"] == OffenderDescribed(offender_id="O1", name="Offender 1")
    assert told.offenders["O9"] == OffenderDescribed(offender_id="O9", language="es")
    expunge(told)
    assert told.offenders["O9"] == OffenderDescribed(offender_id="O9")


def test_a_booking_goes_with_the_incident_of_its_charges(told: Told) -> None:
    jail = {"offender_id": "O1", "booking_id": f"{feed.ORI}:B7", "change": "booked", "at": "2025-01-10T00:00:00Z"}
    told.tell(jail, "custody.changed")
    told.tell(feed.incident(number="booking-B7"))
    split = {"offender_id": "O1", "new_offender_id": "O9", "incident_ids": [f"{feed.ORI}:booking-B7"]}
    told.tell(split, "offender.split")
    assert told.offenders["O1"].custody is None
    told.tell({**jail, "change": "released", "at": "2025-01-12T00:00:00Z"}, "custody.changed")
    assert told.offenders["O1"].custody is None
    custody = told.offenders["O9"].custody
    assert custody is not None
    assert not custody.held


def test_what_a_jail_holds_of_him_whose_booking_it_is_names_nobody_else(told: Told) -> None:
    booking = {"offender_id": "O1", "booking_id": f"{feed.ORI}:B7", "at": "2025-01-10T00:00:00Z"}
    him(told, "25-001", name="Offender 1")
    told.tell(feed.incident(number="booking-B7"))
    split(told, "booking-B7")
    fact = OffenderFacts("O1", name="Offender 9", birth_date=date(1990, 1, 1))
    for change in ("booked", "released"):
        told.people.apply(event({**booking, "change": change}, "ipvi.custody.changed.v1"), [fact])
    described = told.kept["O1"].described, told.kept["O9"].described
    assert [(one.name, one.birth_date) for one in described] == [("Offender 1", None), ("Offender 9", date(1990, 1, 1))]


def jailed(at: str, change: str = "booked") -> dict[str, Any]:
    return {"offender_id": "O1", "booking_id": f"{feed.ORI}:B7", "change": change, "at": f"2025-01-{at}T00:00:00Z"}


BOOKED_IN = f"{feed.ORI}:booking-B7"
OF_IT = {"incident_id": BOOKED_IN, "offender_id": "O1", "agency": feed.ORI}
HERS = {"victim_no": 1, "victim_id": "V1", "incident_id": BOOKED_IN, "contact": ["contact 1"]}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (OF_IT, "incident.expunged"),
        (OF_IT, "incident.retracted"),
        ({"offender_id": "O1", "victims": [HERS]}, "victims.described"),
        (jailed("12", "released"), "custody.changed"),
        (feed.incident(number="booking-B7", revision=2, victims=[]), "incident.reported"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_was_split_off_twice_is_said_of_him_who_has_it_and_kept(told: Told, data: Any, kind: str) -> None:
    told.tell(feed.incident(number="booking-B7"))
    told.tell(jailed("10"), "custody.changed")
    split(told, "booking-B7")
    split(told, "booking-B7", who="O9", to="O10")
    told.people.changed.clear()
    said = [one for one in told.tell(data, kind) if isinstance(one, OffenderDescribed | VictimsDescribed)]
    assert {record.offender_id for record in said} == {"O10"}
    assert "O10" in told.people.changed


@pytest.mark.parametrize("named", ["O1", "O9", "O10"])
def test_an_expunged_incident_leaves_no_number_with_whom_it_went_through(told: Told, named: str) -> None:
    told.tell(feed.incident())
    split(told, "25-001")
    split(told, "25-001", who="O9", to="O10")
    expunge(told, who=named)
    assert "25-001" not in repr(told.kept)
    for who in ("O1", "O9", "O10"):
        told.tell(feed.incident(who, revision=9))
        told.tell({"offender_id": who, "victims": [{**HERS, "incident_id": INCIDENT}]}, "victims.described")
    assert [told.known(who) for who in ("O1", "O9", "O10")] == [[], [], []]


def test_what_went_in_a_split_before_its_number_was_sealed_is_his_still() -> None:
    told = Told()
    told.kept = {"O1": Person(OffenderDescribed(offender_id="O1"), moved={INCIDENT: "O9"})}
    told.people = People(told.kept, feed.seal)
    told.tell(feed.incident())
    assert (told.known("O1"), told.known("O9")) == ([], [(INCIDENT, 1, "V1")])
    expunge(told, who="O9")
    assert "25-001" not in repr(told.kept)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("final", [False, True])
def test_what_a_retracted_incident_alone_told_of_him_is_gone_in_any_order(told: Told, late: bool, final: bool) -> None:
    taken = {"incident_id": INCIDENT, "offender_id": "O1", "agency": feed.ORI, **({} if final else {"revision": 1})}
    offender = {"offender_id": "O1", "birth_date": "1985-06-15", "conflict_of_interest": True}
    him(told, "25-002", language="pl")
    if late:
        told.tell(taken, "incident.retracted")
    him(told, "25-001", offender, name="Offender 1", places=("place 1",))
    if not late:
        told.tell(taken, "incident.retracted")
    assert told.kept["O1"].described == OffenderDescribed(offender_id="O1", language="pl")
    assert told.kept["O1"].origins == {"language": ["ZZ0010000:25-002"]}


def test_a_retraction_takes_nothing_that_a_later_revision_has_told(told: Told) -> None:
    him(told, "25-001", name="Offender 1")
    report(told, 2, "V1")
    told.tell({"incident_id": INCIDENT, "offender_id": "O1", "agency": feed.ORI, "revision": 1}, "incident.retracted")
    assert told.kept["O1"].described.name == "Offender, as of 2"


@pytest.mark.parametrize("split_off", [False, True])
def test_taken_back_of_him_whose_it_becomes_an_incident_leaves_nothing_that_it_told(
    told: Told, split_off: bool
) -> None:
    him(told, "25-001", name="Offender 1")
    told.tell({"incident_id": INCIDENT, "offender_id": "O9", "agency": feed.ORI}, "incident.retracted")
    if split_off:
        split(told, "25-001")
    else:
        told.tell({"offender_id": "O9", "merged_offender_id": "O1"}, "offender.merged")
    assert told.known("O9") == []
    assert told.kept["O9"].described == OffenderDescribed(offender_id="O9")


def _screened(who: str, result: str | None, number: str = "25-001", **more: Any) -> dict[str, Any]:
    entry = {"victim_no": 1, "victim_id": "V1", "incident_id": f"{feed.ORI}:{number}", "lethality_screen": result}
    return {"offender_id": who, "victims": [entry | more]}


def test_a_screen_bears_the_time_of_the_record_that_first_told_of_it(told: Told) -> None:
    def asked_at(result: str | None, day: int, **more: Any) -> str | None:
        told.tell(_screened("O1", result, **more), "victims.described", time=f"2025-01-{day}T22:00:00Z")
        [entry] = told.victims["O1"]
        return entry.screened_at.isoformat()[:10] if entry.screened_at else None

    assert asked_at(None, 10) is None
    assert asked_at("high", 11) == "2025-01-11"
    assert asked_at("high", 12, name="No Body") == "2025-01-11"  # said again it is no new screen
    assert asked_at("declined", 13) == "2025-01-13"
    assert asked_at("high", 14) == "2025-01-14"
    assert asked_at("high", 15, screened_at="2020-06-01T00:00:00Z") == "2020-06-01"  # the agency's word is the better


@pytest.mark.parametrize("order", [("O1", "O2"), ("O2", "O1")])
def test_the_time_of_a_screen_goes_with_it_where_records_are_merged(told: Told, order: tuple[str, str]) -> None:
    for who in order:
        high = who == "O2"
        at = "2025-01-11T22:00:00Z" if high else "2025-01-10T22:00:00Z"
        told.tell(_screened(who, "high" if high else "declined"), "victims.described", time=at)
    merge = {"offender_id": "O1", "merged_offender_id": "O2"}
    told.tell(merge, "offender.merged", time="2025-02-20T22:00:00Z")
    [entry] = told.victims["O1"]
    assert (entry.lethality_screen, str(entry.screened_at)[:10]) == ("high", "2025-01-11")
