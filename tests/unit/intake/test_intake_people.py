"""Records of offenders and victims, gathered over a feed."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.envelope import Data, Event, from_json_line
from schemas.person import DescribedVictim, OffenderDescribed, VictimsDescribed
from services.intake.people import Facts, OffenderFacts, People, VictimFacts
from tests.harness import feed


def event(data: dict[str, Any], kind: str = "ipvi.incident.reported.v1") -> Event[Data]:
    return from_json_line(feed.line(data, kind))


class Told:
    """People, and for each offender the last record written."""

    def __init__(self) -> None:
        self.people = People({}, feed.seal)
        self.offenders: dict[str, OffenderDescribed] = {}
        self.victims: dict[str, list[DescribedVictim]] = {}

    def tell(self, data: dict[str, Any], kind: str = "incident.reported") -> list[Data]:
        records = self.people.apply(event(data, f"ipvi.{kind}.v1"))
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
    [victims] = told.people.learn([VictimFacts("O1", "ZZ0010000:25-001", 1, language="es")])
    assert isinstance(victims, VictimsDescribed)
    assert (victims.victims[0].name, victims.victims[0].language) == ("Victim 1", "es")
    assert told.people.learn([VictimFacts("O1", "ZZ0010000:25-001", 7, name="Victim 7")]) == []


def test_an_expunged_incident_leaves_no_name_and_stays_out(told: Told) -> None:
    told.tell(feed.incident())
    told.tell(feed.incident(number="25-002"))
    split = {"offender_id": "O1", "new_offender_id": "O9", "incident_ids": ["ZZ0010000:25-001"]}
    told.tell(split, "offender.split")
    gone = {"incident_id": "ZZ0010000:25-001", "offender_id": "O1", "agency": feed.ORI}
    told.tell(gone, "incident.expunged")
    assert "25-001" not in repr(told.people._people)
    for who in ("O1", "O9"):
        told.tell(feed.incident(who, revision=9))
        told.tell({**gone, "offender_id": who, "revision": 12}, "incident.retracted")
    assert told.known("O9") == []
    assert told.known("O1") == [("ZZ0010000:25-002", 1, "V1")]
    assert "25-001" not in repr(told.people._people)
