"""Of each woman whom the classifier refers exactly one entry, under the id it refers her by: whatever comes, in any order.

What the classifier makes of the same records is worked out by its own rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.envelope import Event, from_json_line
from schemas.incident import IncidentReported, IncidentRetracted
from schemas.person import DescribedVictim, VictimsDescribed
from schemas.policy_file import load_policy
from services.classifier.domain import history
from services.classifier.domain.finding import as_one
from services.intake.identity import victim_id
from services.intake.people import People
from tests.harness import feed

Record = tuple[str, dict[str, Any]]
POLICY = load_policy("high-point-practice")
HIM, OTHER, THIRD = "O1", "O2", "O9"
NUMBER = "25-001"
INCIDENT = f"{feed.ORI}:{NUMBER}"
OF_PLACE = victim_id(feed.ORI, NUMBER, 1)
MERGE: Record = ("offender.merged", {"offender_id": HIM, "merged_offender_id": OTHER})
SPLIT: Record = ("offender.split", {"offender_id": HIM, "new_offender_id": THIRD, "incident_ids": [INCIDENT]})


def her(number: int = 1, named: str | None = "V1", relationship: str = "BG") -> dict[str, Any]:
    return {"victim_no": number, "victim_id": named, "relationship": relationship, "offenses": ["13B"]}


def report(who: str, revision: int, *victims: dict[str, Any]) -> Record:
    return "incident.reported", feed.incident(who, NUMBER, revision=revision, victims=list(victims))


def taken_back(who: str, revision: int | None) -> Record:
    data = {"incident_id": INCIDENT, "offender_id": who, "agency": feed.ORI}
    return "incident.retracted", data if revision is None else {**data, "revision": revision}


def described(who: str, named: str | None = "V1", incident: str = INCIDENT, number: int = 1) -> Record:
    entry = {"victim_no": number, "victim_id": named, "incident_id": incident, "contact": ["contact 1"]}
    return "victims.described", {"offender_id": who, "victims": [entry]}


def entries(records: Iterable[Record], who: str = HIM) -> list[DescribedVictim]:
    """What was last said of his victims."""
    people, last = People({}, feed.seal), dict[str, list[DescribedVictim]]()
    for kind, data in records:
        for said in people.apply(_event(kind, data)):
            if isinstance(said, VictimsDescribed):
                last[said.offender_id] = said.victims
    return last.get(who, [])


def sought(records: Iterable[Record]) -> list[tuple[int, str | None]]:
    """Number and id of each whom the classifier finds once his records are one."""
    known = history.History()
    for kind, data in records:
        event = _event(kind, data)
        if kind == "incident.reported":
            known = history.reported(known, cast(Event[IncidentReported], event), timedelta(days=365_000))
        elif kind == "incident.retracted":
            known = history.retracted(known, cast(Event[IncidentRetracted], event))
    telling = known.standing(INCIDENT, HIM)
    victims = as_one(telling, POLICY).victims if telling else []
    return [(one.victim_no or 0, one.victim_id) for one in victims if one.relationship != "VO"]


def _event(kind: str, data: dict[str, Any]) -> Event[Any]:
    return from_json_line(feed.line(data, f"ipvi.{kind}.v1"))


def found(records: Iterable[Record], who: str = HIM) -> list[tuple[int, str | None]]:
    return [(one.victim_no, one.victim_id) for one in entries(records, who) if one.incident_id == INCIDENT]


NAMES = st.sampled_from(["V1", "V2", None, OF_PLACE])


@st.composite
def tellings(draw: st.DrawFn) -> list[Record]:
    """Under each id revision by revision one content; retractions; a merge; anywhere a description."""
    records: list[Record] = [MERGE]
    for who in (HIM, OTHER):
        for revision in draw(st.sets(st.integers(1, 3))):
            kinds = {number: draw(st.sampled_from(["BG", "BG", "VO", None])) for number in (1, 2)}
            named = [her(number, draw(NAMES), kind) for number, kind in kinds.items() if kind]
            records.append(report(who, revision, *(named or [her(3)])))
        if draw(st.integers(0, 3)) == 0:
            records.append(taken_back(who, draw(st.sampled_from([1, 2, None]))))
    for who in draw(st.lists(st.sampled_from([HIM, OTHER]), max_size=2)):
        records.append(described(who, draw(NAMES)))
    return records


@settings(max_examples=300, deadline=None)
@given(tellings(), st.randoms(use_true_random=False))
def test_one_entry_of_each_in_any_order(records: list[Record], chance: Any) -> None:
    chance.shuffle(records)
    got, wanted = found(records), sought(records)
    assert len(dict(got)) == len(got), "once each"
    # Of one whom no report gives an id a description may.
    named = [(number, her) for number, her in wanted if her]
    assert set(named) <= set(got)
    assert dict(wanted).keys() <= dict(got).keys()
    if not any(kind == "victims.described" for kind, _ in records):
        assert sorted(got) == wanted


@st.composite
def well_known(draw: st.DrawFn) -> list[Record]:
    """One woman whom each report that is made names, by her number or by her place; one description, under either id."""
    records: list[Record] = [
        MERGE,
        described(draw(st.sampled_from([HIM, OTHER])), draw(st.sampled_from(["V1", OF_PLACE]))),
    ]
    for who in (HIM, OTHER):
        for revision in draw(st.sets(st.integers(1, 3), min_size=1)):
            records.append(report(who, revision, her(1, draw(st.sampled_from(["V1", OF_PLACE])))))
    if draw(st.booleans()):
        records.append(SPLIT)
    return records


@settings(max_examples=300, deadline=None)
@example([MERGE, described(OTHER), report(HIM, 1, her(1, OF_PLACE)), report(OTHER, 1, her())], None)
@given(well_known(), st.randoms(use_true_random=False))
def test_her_contact_stays_with_her_in_any_order(records: list[Record], chance: Any) -> None:
    if chance is not None:
        chance.shuffle(records)
    who = HIM
    if SPLIT in records:  # he is one man first, and then the incident is another's
        records = [one for one in records if one not in (MERGE, SPLIT)]
        records.insert(len(records) // 2, MERGE)
        records.insert(len(records) // 2 + 1, SPLIT)
        who = THIRD
    [entry] = entries(records, who)
    assert entry.contact == ["contact 1"]
    if who == HIM:
        assert [(1, entry.victim_id)] == sought(records)


def test_a_later_word_under_the_id_that_went_is_the_last_word() -> None:
    """Its referral named her, and the entry somebody else: nobody could reach her."""
    assert found([report(HIM, 1, her(1, "V1")), report(OTHER, 2, her(1, "V9")), MERGE]) == [(1, "V9")]
    assert found([MERGE, report(HIM, 2, her(1, "V1")), report(OTHER, 2, her(1, "V1"), her(2, "V9"))]) == [
        (1, "V1"),
        (2, "V9"),
    ]


def test_taken_back_under_the_id_that_went_she_is_there_under_his_own() -> None:
    records = [report(HIM, 1, her()), report(OTHER, 1, her()), MERGE]
    assert found([*records, taken_back(OTHER, None)]) == [(1, "V1")]
    assert found([taken_back(OTHER, None), *records]) == [(1, "V1")]
    assert found([*records, taken_back(HIM, None)]) == []


def test_an_agencys_list_that_leaves_out_a_report_of_its_own_leaves_her() -> None:
    told = described(HIM, "V2", f"{feed.ORI}:25-002")
    assert found([report(HIM, 1, her()), described(HIM), told]) == [(1, "V1")]
    [first, _] = entries([report(HIM, 1, her()), described(HIM), told])
    assert first.contact == ["contact 1"]


def test_what_is_said_of_another_woman_is_not_hers() -> None:
    [entry] = entries([report(HIM, 1, her(1, "V1")), described(HIM, "V9")])
    assert (entry.victim_id, entry.contact) == ("V1", [])
    [entry] = entries([report(HIM, 1, her(1, "V9")), described(HIM, "V9"), report(OTHER, 2, her(1, "V1")), MERGE])
    assert (entry.victim_id, entry.contact) == ("V1", [])


def test_a_description_under_the_old_id_goes_where_the_incident_went() -> None:
    [entry] = entries([report(HIM, 1, her()), SPLIT, described(HIM)], THIRD)
    assert entry.contact == ["contact 1"]
    assert entries([report(HIM, 1, her()), SPLIT, described(HIM)]) == []
    [entry] = entries([report(HIM, 1, her()), MERGE, described(OTHER)])
    assert entry.contact == ["contact 1"]


def test_found_in_high_danger_under_either_id_she_is() -> None:
    def screened(who: str, result: str) -> Record:
        kind, data = described(who)
        return kind, {**data, "victims": [{**data["victims"][0], "lethality_screen": result}]}

    [entry] = entries([screened(HIM, "declined"), screened(OTHER, "high"), MERGE])
    assert entry.lethality_screen == "high"


def test_expunged_under_one_id_nothing_comes_back_by_a_merge() -> None:
    gone = "incident.expunged", {"incident_id": INCIDENT, "offender_id": OTHER, "agency": feed.ORI}
    records = [report(HIM, 1, her()), report(OTHER, 1, her()), gone, MERGE]
    assert entries(records) == []
    assert entries([*records, report(HIM, 2, her())]) == []
