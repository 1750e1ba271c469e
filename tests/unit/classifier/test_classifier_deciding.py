"""What each record makes the classifier say: decision, referrals, current tier; and what it keeps silent about."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.classification import Change, OffenderDecided, Outreach, ReviewCode, Tier
from schemas.commands import ClassifierTick, Redecide, Role
from schemas.envelope import Event, encode, to_json_line
from schemas.incident import (
    CustodyChange,
    CustodyChanged,
    Disposition,
    Offense,
    OrderChange,
    OrderChanged,
    ProhibitedBehavior,
    Victim,
)
from schemas.notification import Channel, NotificationServed, NotificationWithdrawn, Proof, ServiceMistake
from schemas.person import VictimsDescribed
from schemas.referral import ReferralAmended, ReferralOpened, ReferralOutreach, ReferralPurpose, ReferralWithdrawn
from schemas.rejects import InvalidRecord, RejectCode
from schemas.reviews import RaiseReason, RaiseTier
from schemas.topics import Topic, allowed
from services.classifier.app import compose
from services.common.service import Input
from tests.harness.incidents import (
    HIM,
    PRACTICE,
    SEAL,
    START,
    Bench,
    disposed,
    event,
    expunged,
    incident_id,
    later,
    merged,
    noticed,
    opened,
    pair,
    report,
    retracted,
    split,
)
from tests.harness.policies import changed


def test_a_first_charge_is_said_whole() -> None:
    bench = Bench()
    one = report(1, charged=True, offenses=[Offense(code="13B", charged=True, statute="14-33")], offender_informed=True)
    bench.put(one)
    [decided] = bench.decisions
    assert decided.model_dump(exclude={"decision_id", "policy"}) == {
        "pair_id": pair(1),
        "offender_id": HIM,
        "incident_id": incident_id(1),
        "tier": Tier.C,
        "previous_tier": None,
        "change": Change.ENTERED,
        "rules": ["c-first-charge"],
        "evidence": [incident_id(1)],
        "review": [],
        "outreach": Outreach.OPENED,
        "mutual": False,
        "charged": True,
        "offender_informed": True,
        "statutes": ["14-33"],
        "arrested_at": one.data.occurred_at,
        "conflict_of_interest": False,
        "withdrawn_pair_ids": [],
        "askings": {pair(1): 1},
        "merged_offender_id": None,
        "merge_pending": False,
        "challenged": False,
        "raised_until": None,
        "purged": False,
        "tiers_served": [],
        "occurred_at": one.data.occurred_at,
        "decided_at": one.time,
        "agency": "NC0990100",
        "bulk": False,
    }
    assert decided.policy == PRACTICE.ref
    [referral] = bench.of(Topic.REFERRALS)
    assert isinstance(referral, ReferralOpened)
    assert (referral.pair_id, referral.victim_no, referral.tier, referral.asking) == (pair(1), 1, Tier.C, 1)
    assert referral.outreach is ReferralOutreach.OPENED
    [current] = bench.of(Topic.TIERS)
    assert (current.tier, current.since) == (Tier.C, one.data.occurred_at)


def test_every_event_is_allowed_on_its_topic_and_carries_its_cause() -> None:
    bench = Bench()
    one = report(1, charged=True)
    bench.put(one)
    assert len(bench.said) == 3
    for said in bench.said:
        topic = Topic(said.topic)
        assert allowed(topic, said.event.type)
        assert said.event.dataclassification is topic.classification
        assert (said.event.subject, said.event.recordedtime) == (HIM, one.time)
        if said.topic is not Topic.TIERS:
            assert (said.about, said.event.causationid) == (pair(1), one.id)
            assert said.event.correlationid == pair(1)


def test_of_the_tier_nothing_else_is_told_but_an_opaque_pair() -> None:
    bench = Bench()
    bench.put(report(1, charged=True))
    [current] = [said for said in bench.said if said.topic is Topic.TIERS]
    assert (current.event.correlationid, current.event.causationid) == (pair(1), None)
    assert current.about == pair(1), "by which an expunction finds it, here and with whoever keeps it"
    message = encode(current.event)
    assert incident_id(1).encode() not in (message.value or b"") + b"".join(value for _, value in message.headers)


def test_the_offender_side_learns_nothing_of_her() -> None:
    bench = Bench()
    bench.put(report(1, victims=[Victim(victim_no=7, victim_id="secret-victim", relationship="XS")], charged=True))
    for topic in (Topic.DECISIONS, Topic.TIERS):
        for said in bench.said:
            if said.topic is topic:
                assert b"secret-victim" not in (encode(said.event).value or b"")


def test_the_same_cause_gives_the_same_ids() -> None:
    one, two = Bench(), Bench()
    for bench in (one, two):
        bench.put(report(1, charged=True), report(2), retracted(1))
    assert one.said == two.said
    assert len({said.event.id for said in one.said}) == len(one.said)


# what is not published -----------------------------------------------------------------------------------------------


def test_what_changes_nothing_is_not_said() -> None:
    """A repeat, a stale revision, an early retraction or expunction."""
    bench = Bench()
    bench.put(report(1, revision=2, charged=True))
    said = len(bench.said)
    for quiet in (report(1, revision=2, charged=True, name="again"), report(1, revision=1), retracted(9), expunged(8)):
        bench.put(quiet)
    assert len(bench.said) == said


BOOKED = event(CustodyChanged(offender_id=HIM, booking_id="B", change=CustodyChange.BOOKED, at=START), HIM, START)
ORDERED = event(
    OrderChanged.model_validate(
        {"offender_id": HIM, "order_id": "R", "kind": ProhibitedBehavior.NO_CONTACT, "from": START}
        | {"change": OrderChange.ISSUED}
    ),
    HIM,
    START,
)


@pytest.mark.parametrize(
    "quiet", [BOOKED, ORDERED, disposed("A-nobody", Disposition.ACQUITTED)], ids=lambda one: one.type
)
def test_what_is_kept_and_decides_nothing(quiet: object) -> None:
    bench = Bench()
    outcome = bench.put(quiet)  # type: ignore[arg-type]
    assert not outcome.events
    assert len(bench.offender().history.records) == 1
    assert bench.put(quiet).state is outcome.state  # type: ignore[arg-type]


@pytest.mark.parametrize("quiet", [BOOKED, ORDERED], ids=lambda one: one.type)
def test_custody_and_orders_read_no_incident_again(quiet: object) -> None:
    bench = Bench()
    bench.put(report(1, charged=True, arrest="A-1"))
    before = bench.offender().assessment
    bench.put(quiet)  # type: ignore[arg-type]
    assert bench.offender().assessment is before
    bench.put(disposed("A-1", Disposition.ACQUITTED))
    assert bench.offender().assessment != before


def test_a_notice_given_before_this_system_is_told_to_the_notifier() -> None:
    """Once; and with every decision after it, so that notifier need not keep it. What it served itself it knows."""
    bench = Bench()
    bench.put(report(1, charged=True), noticed("C"), noticed("C", name="N-2"))
    assert [(one.change, one.tiers_served) for one in bench.decisions] == [("entered", []), ("kept", ["C"])]
    bench.put(report(2), served("D"))
    assert [one.tiers_served for one in bench.decisions[2:]] == [["C"]]
    bench.put(report(3))
    assert bench.decisions[-1].tiers_served == ["C", "D"]


def test_a_notice_given_under_a_merged_id_is_told_before_anything_is_prepared() -> None:
    bench = Bench()
    bench.put(report(1, "O-2", charged=True), served("C", "O-2"), merged("O-2"))
    told = [one for one in bench.decisions if one.offender_id == HIM and one.pair_id]
    assert told and all(one.tiers_served == ["C"] for one in told)
    bench.put(served("B", "O-2", name="late"))
    assert bench.decisions[-1].tiers_served == ["B", "C"]


def served(tier: str, him: str = HIM, name: str = "S-1") -> Event[NotificationServed]:
    data = NotificationServed(
        notification_id=name,
        pair_id="pair",
        offender_id=him,
        tier=Tier(tier),
        channel=Channel.FACE_TO_FACE,
        template="c-1",
        by="sam",
        served_at=later(200),
        proof=Proof.BODY_CAMERA,
    )
    return event(data, him, START)


def does_not_stand(day: int | None, name: str = "S-1") -> Event[NotificationWithdrawn]:
    """Recorded by mistake; `day`: given, and withdrawn then."""
    data = NotificationWithdrawn(
        notification_id=name,
        pair_id="pair",
        offender_id=HIM,
        tier=Tier.C,
        channel=Channel.FACE_TO_FACE,
        template="c-1",
        by="sam",
        served_at=later(200),
        withdrawn_at=None if day is None else later(day),
        mistake=ServiceMistake.WRONG_PERSON if day is None else None,
    )
    return event(data, HIM, later(250))


@pytest.mark.parametrize(("day", "breaches"), [(None, []), (215, [2])])
def test_what_does_not_stand_binds_nobody_from_then_on(day: int | None, breaches: list[int]) -> None:
    """In any order of arrival; recorded by mistake it never did."""
    records = [report(1, charged=True, day=0), served("C"), report(2, day=210), report(3, day=220)]
    for order in ([*records, does_not_stand(day)], [does_not_stand(day), *reversed(records)]):
        bench = Bench(PRACTICE)
        bench.put(*order)
        found = bench.offender().assessment.findings
        assert [number for number in (2, 3) if found[incident_id(number)].violation] == breaches
        assert bench.offender().history.tiers_served == ()


def test_what_the_notifier_takes_back_itself_it_is_not_told() -> None:
    bench = Bench()
    bench.put(report(1, charged=True), served("C"))
    known = len(bench.decisions)
    bench.put(does_not_stand(None))
    assert len(bench.decisions) == known
    bench.put(report(2))
    assert bench.decisions[-1].tiers_served == []


def test_the_latest_word_on_a_matter_is_kept_in_any_order() -> None:
    early, late = disposed("A", Disposition.CONVICTED, day=70), disposed("A", Disposition.DISMISSED, day=71)
    for order in ([early, late], [late, early]):
        bench = Bench()
        bench.put(*order)
        [kept] = bench.offender().history.records.values()
        assert kept is late


def test_a_brothers_fight_is_kept_and_not_said() -> None:
    bench = Bench()
    outcome = bench.put(report(1, victims=["SB"], charged=True))
    assert not outcome.events and incident_id(1) in outcome.state.assessment.findings
    bench.put(report(1, revision=2, victims=["FR"], charged=True))
    assert not bench.said


# corrections ---------------------------------------------------------------------------------------------------------


def test_a_retraction_withdraws_what_it_had_set_going() -> None:
    bench = Bench()
    bench.put(report(1, charged=True, victims=["BG", "XS"]), retracted(1))
    last = bench.decisions[-1]
    assert (last.tier, last.change, last.outreach) == (None, Change.REMOVED, Outreach.NONE)
    assert last.withdrawn_pair_ids == [pair(1)] and last.pair_id == pair(1)
    assert last.occurred_at == report(1).data.occurred_at
    ended = [one for one in bench.of(Topic.REFERRALS) if isinstance(one, ReferralWithdrawn)]
    assert [one.victim_no for one in ended] == [1, 2]
    assert bench.live_referrals() == {} and bench.tiers() == {}
    assert bench.of(Topic.TIERS)[-1] is None


def test_a_relationship_mended_away_withdraws_her_pair() -> None:
    bench = Bench()
    bench.put(report(1, charged=True), report(1, revision=2, victims=["SB"], charged=True))
    last = bench.decisions[-1]
    assert (last.change, last.withdrawn_pair_ids, last.outreach) == (Change.REMOVED, [pair(1)], Outreach.NONE)
    assert not bench.live_referrals()


def test_amended_referrals_replace_what_was_said() -> None:
    bench = Bench()
    bench.put(report(1), report(1, revision=2, charged=True))
    opened_, amended = bench.of(Topic.REFERRALS)
    assert isinstance(amended, ReferralAmended) and amended.referral_id == opened_.referral_id
    assert (opened_.tier, amended.tier) == (Tier.D, Tier.C)


def test_an_earlier_incident_that_comes_late_amends_those_after_it() -> None:
    """`tier` of a referral is the tier after its incident."""
    bench = Bench()
    bench.put(report(2, charged=True), report(1, charged=True, late=timedelta(days=3)))
    assert {one.incident_id: one.tier for one in bench.live_referrals().values()} == {
        incident_id(1): Tier.C,
        incident_id(2): Tier.B,
    }


def test_acquitted_lowers_and_the_published_tier_ends_at_d() -> None:
    bench = Bench()
    bench.put(report(1, charged=True, arrest="A"), disposed("A", Disposition.ACQUITTED))
    last = bench.decisions[-1]
    assert (last.tier, last.change, last.incident_id, last.charged) == (Tier.D, Change.LOWERED, incident_id(1), False)
    assert bench.of(Topic.TIERS)[-1] is None, "D stays with law enforcement"


def test_a_courts_word_is_told_of_every_incident_of_its_arrest() -> None:
    """Others know a pair as charged until a decision of its own says otherwise; what has not changed is not said."""
    offenses = [Offense(code="13A", charged=True, statute="14-32"), Offense(code="13B", charged=True)]
    bench = Bench()
    bench.put(*(report(number, arrest="A", offenses=offenses) for number in (1, 2)), report(3, charged=True))
    bench.put(report(4, arrest="A", victims=["ST"], offenses=offenses))

    def told(charge: str, word: Disposition, day: float) -> list[tuple[str | None, bool, list[str], Change]]:
        said = len(bench.decisions)
        bench.put(disposed("A", word, charge=charge, day=day))
        return [(one.incident_id, one.charged, one.statutes, one.change) for one in bench.decisions[said:]]

    assert told("13A", Disposition.CONVICTED, 70) == [(incident_id(1), True, ["14-32"], Change.KEPT)], (
        "charged as before"
    )
    assert told("13A", Disposition.ACQUITTED, 71) == [
        (incident_id(1), True, [], Change.KEPT),
        (incident_id(2), True, [], Change.KEPT),
    ]
    assert told("13B", Disposition.ACQUITTED, 72) == [
        (incident_id(1), False, [], Change.LOWERED),
        (incident_id(2), False, [], Change.KEPT),
    ]
    assert told("13B", Disposition.ACQUITTED, 73) == []
    assert told("13A", Disposition.CONVICTED, 74) == [
        (incident_id(1), True, ["14-32"], Change.ESCALATED),
        (incident_id(2), True, ["14-32"], Change.KEPT),
    ]
    ids = [one.decision_id for one in bench.decisions]
    assert len(set(ids)) == len(ids)


def test_another_policy_is_told_of_every_incident_whose_charge_it_turns() -> None:
    """By a decision without an incident for himself first; a word of expunction names its order to nobody."""
    other = changed(PRACTICE, {"version": "2", "charges.dispositions": ["convicted"]})
    bench = Bench()
    bench.put(*(report(number, charged=True) for number in (1, 2, 3)), report(4))
    bench.service = compose(other, SEAL)
    said = len(bench.said)
    again = event(Redecide(lane=0, digest=other.digest, run_id="1", by="ana"), HIM, later(10))
    given = Input(again, Topic.CLASSIFIER_COMMANDS, 0, later(10), later(10))
    whole = [each.event.data for each in bench.service.decide(bench.offender(), given).events]
    told = [one for one in whole if isinstance(one, OffenderDecided)]
    assert [(one.incident_id, one.tier, one.charged, one.bulk) for one in told] == [
        (None, Tier.D, False, True),
        *((incident_id(number), Tier.D, False, True) for number in (1, 2, 3)),
    ]
    bench.put(expunged(1))
    last = [one for one in bench.said[said:] if one.topic is Topic.DECISIONS]
    assert [one.event.causationid for one in last] == [None] * 3
    assert [one.event.data.incident_id for one in last] == [None, incident_id(2), incident_id(3)]  # type: ignore[attr-defined]


def test_expunction_says_the_opaque_pair_alone() -> None:
    bench = Bench()
    bench.put(report(1, charged=True), report(2))
    known = len(bench.said)
    outcome = bench.put(expunged(1))
    last = bench.decisions[-1]
    assert (last.pair_id, last.incident_id, last.occurred_at, last.statutes) == (pair(1), None, None, [])
    assert (last.evidence, last.tier, last.withdrawn_pair_ids) == ([incident_id(2)], Tier.D, [pair(1)])
    assert outcome.erase == (pair(1),)
    for said in bench.said[known:]:
        message = encode(said.event)
        assert incident_id(1).encode() not in (message.value or b"") + b"".join(value for _, value in message.headers)
        assert said.about != pair(1), "what has to go out is not among what is erased"
    assert not [one for one in outcome.state.decisions.values() if one.pair_id == pair(1) and one.incident_id]


def test_the_list_that_an_expunged_incident_had_given_is_erased() -> None:
    """Its `since` tells when the incident occurred; wherever it was said, and what has to go out now is not among it."""

    def since(bench: Bench) -> list[str]:
        return [
            to_json_line(one.event).decode()
            for one in bench.said
            if one.topic is Topic.TIERS and not one.tombstone and one.about not in bench.erased
        ]

    when = report(1).data.occurred_at.isoformat()[:19]
    for ways in ((), (merged(HIM, "O-9"),), (split([1], "O-9"),)):
        bench = Bench()
        bench.put(report(1, charged=True), report(3, charged=True), report(4, charged=True), *ways)
        assert any(when in one for one in since(bench))
        bench.put(expunged(1))
        assert not [one for one in since(bench) if when in one]
        left = bench.offender("O-9" if ways == (merged(HIM, "O-9"),) else HIM)
        assert since(bench)[-1].count(f'"tier":"{left.tier}"') == 1


def test_a_list_since_two_incidents_of_one_moment_is_said_again() -> None:
    """Else what told of it would be erased with the one, and might not be out yet."""
    bench = Bench()
    bench.put(report(1, charged=True, day=3, code="13B"), report(2, day=3))
    bench.put(report(2, day=3, revision=2, charged=True, arrest="A-O-1-1"))
    known = len(bench.said)
    bench.put(expunged(1))
    [again] = [one for one in bench.said[known:] if one.topic is Topic.TIERS]
    assert (again.tombstone, again.about, bench.tiers()) == (False, pair(2), {HIM: Tier.C})


def test_a_list_is_said_again_where_an_earlier_incident_of_the_same_moment_gives_it() -> None:
    """What was said before goes with the other: an expunction must leave what stands."""
    bench = Bench()
    bench.put(report(2, day=1, charged=True), report(1, day=1, charged=True, code="13A", arrest="A-O-1-2"))
    bench.put(expunged(2))
    told = [(one.about, one.event.correlationid) for one in bench.said if one.topic is Topic.TIERS]
    assert told == [(pair(2), pair(2)), (pair(1), pair(1))]
    assert pair(2) in bench.erased and pair(1) not in bench.erased
    assert bench.tiers() == {HIM: Tier.C}


def test_a_list_that_a_person_gave_is_of_no_incident() -> None:
    bench = Bench()
    bench.put(report(1, charged=True))
    why, until = RaiseReason.THREAT_TO_KILL, later(90)
    act = RaiseTier(offender_id=HIM, by="ana", role=Role.COORDINATOR, tier=Tier.A, reason=why, until=until)
    bench.put(event(act, HIM, later(50)))
    told = [one for one in bench.said if one.topic is Topic.TIERS]
    assert [one.about for one in told] == [pair(1), None]


# reviews -------------------------------------------------------------------------------------------------------------


def test_a_review_is_said_when_it_opens_and_kept_while_its_reason_stands() -> None:
    bench = Bench()
    bench.put(report(1, victims=["RU"]))
    assert bench.decisions[-1].review == [ReviewCode.RELATIONSHIP_UNKNOWN]
    assert bench.codes() == {("001", "relationship_unknown")}
    bench.put(report(1, revision=2, victims=["RU"], probable_cause=False))
    assert len(bench.decisions) == 1, "it stays open and is not said again"
    bench.put(report(1, revision=3, victims=["ST"]))
    assert bench.codes() == set()
    assert (bench.decisions[-1].change, bench.decisions[-1].review) == (Change.KEPT, [])


def test_since_when_a_review_is_open() -> None:
    bench = Bench()
    bench.put(report(1, victims=["RU"]), report(1, revision=2, victims=["RU"], late=timedelta(days=9)))
    assert [one.opened_at for one in bench.offender().reviews.values()] == [report(1).time]


def test_who_is_unknown_is_asked_after_and_no_gate_waits_for_it() -> None:
    bench = Bench()
    bench.put(report(1, victims=["RU"]))
    [referral] = bench.live_referrals().values()
    assert referral.purpose is ReferralPurpose.ASK_RELATIONSHIP and referral.outreach is ReferralOutreach.OPENED
    assert bench.decisions[-1].outreach is Outreach.NONE


def test_a_conflict_is_the_persons() -> None:
    bench = Bench()
    bench.put(report(1), report(2, offender={"conflict_of_interest": True}))
    assert bench.decisions[-1].conflict_of_interest
    assert bench.decisions[-1].review == [ReviewCode.CONFLICT_OF_INTEREST]
    assert all(one.conflict_of_interest for one in bench.live_referrals().values())


def test_a_conflict_that_an_incident_without_a_partner_tells_of_is_said() -> None:
    """And that it was none; of whom nobody was told anything nobody is told that either."""
    officer = {"conflict_of_interest": True}
    bench = Bench()
    bench.put(report(1, charged=True), report(2, victims=["ST"], offender=officer))
    bench.put(report(3, victims=["ST"], offender=officer), retracted(3), retracted(2))
    assert [(one.incident_id, one.tier, one.change, one.conflict_of_interest) for one in bench.decisions[1:]] == [
        (incident_id(2), Tier.C, Change.KEPT, True),
        (incident_id(2), Tier.C, Change.KEPT, False),
    ]
    assert [one.outreach for one in bench.decisions[1:]] == [Outreach.NONE] * 2
    bench = Bench()
    bench.put(report(2, victims=["SB"], offender=officer))
    assert not bench.said


def test_mutual_and_under_age_are_referred_and_have_no_tier() -> None:
    bench = Bench()
    bench.put(report(1, victims=["BG", "VO"], charged=True), report(2, born=None, offender={"age": 16}, charged=True))
    assert [one.tier for one in bench.decisions] == [None, None]
    assert [one.mutual for one in bench.decisions] == [True, False]
    assert [one.outreach for one in bench.decisions] == [Outreach.OPENED] * 2
    assert [(one.incident_id, one.mutual) for one in bench.live_referrals().values()] == [
        (incident_id(1), True), (incident_id(1), True), (incident_id(2), False),
    ]  # fmt: skip


# listed --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        ({"bulk": True}, True),
        ({"late": timedelta(days=30)}, False),
        ({"late": timedelta(days=30, seconds=1)}, True),
    ],
)
def test_history_loads_and_late_reports_are_listed(given: dict[str, object], listed: bool) -> None:
    bench = Bench()
    bench.put(report(1, charged=True, **given))  # type: ignore[arg-type]
    assert bench.decisions[-1].outreach is (Outreach.NONE if listed else Outreach.OPENED)
    [referral] = bench.live_referrals().values()
    assert referral.outreach is (ReferralOutreach.LISTED if listed else ReferralOutreach.OPENED)
    assert bench.decisions[-1].tier is Tier.C, "decided as ever"


def test_what_was_open_stays_open_when_a_correction_comes_months_later() -> None:
    """Taken back and told anew it is a new report."""
    bench = Bench()
    bench.put(report(1, charged=True), report(1, revision=2, charged=True, late=timedelta(days=150)))
    bench.put(retracted(1, revision=2), report(1, revision=3, charged=True, late=timedelta(days=160)))
    assert [one.outreach for one in bench.decisions] == [Outreach.OPENED, Outreach.OPENED, Outreach.NONE, Outreach.NONE]


def test_a_stale_revision_that_came_in_time_opens() -> None:
    """Else the order of arrival would decide whether she is reached."""
    bench = Bench()
    bench.put(report(1, revision=2, late=timedelta(days=150)), report(1, revision=1))
    assert (bench.decisions[-1].change, bench.decisions[-1].outreach) == (Change.KEPT, Outreach.OPENED)


def test_a_person_opens_what_is_listed() -> None:
    bench = Bench()
    bench.put(report(1, bulk=True))
    assert bench.put(opened(1, role=Role.OFFICER)).result == "refused:role"
    assert bench.put(opened(2)).result == "refused:unknown_incident"
    assert bench.put(opened(1)).result == "applied"
    assert (bench.decisions[-1].outreach, bench.decisions[-1].pair_id) == (Outreach.OPENED, pair(1))
    assert isinstance(bench.of(Topic.REFERRALS)[-1], ReferralAmended)
    assert bench.put(opened(1, day=81)).result == "refused:not_listed"


# what cannot be ------------------------------------------------------------------------------------------------------


def test_other_content_under_a_revision_that_stands_is_refused() -> None:
    bench = Bench()
    bench.put(report(1, revision=2))
    before = bench.offender()
    with pytest.raises(InvalidRecord) as refused:
        bench.put(report(1, revision=2, charged=True))
    assert (refused.value.code, refused.value.field) == (RejectCode.CONFLICTING_REVISION, "revision")
    assert bench.offender() is before
    bench.put(report(1, revision=1, charged=True))


def test_defaults_written_out_are_the_same_content() -> None:
    bench = Bench()
    bench.put(report(1))
    same = report(1, name="other", bulk=False, arrestee_unmatched=False, probable_cause=None)
    assert not bench.put(same).events


@pytest.mark.parametrize("numbers", [(2, 2), (None, 1), (2, None)])
def test_two_victims_of_one_number_are_refused(numbers: tuple[int | None, int | None]) -> None:
    twins = [Victim(victim_no=number, relationship="BG") for number in numbers]
    with pytest.raises(InvalidRecord) as refused:
        Bench().put(report(1, victims=twins))
    assert refused.value.field == "victims.1.victim_no"


def test_what_is_none_of_ours_is_refused_and_a_tick_does_nothing() -> None:
    bench = Bench()
    state = bench.offender()
    tick = event(ClassifierTick(lane=0, period=1), "0", later(1))
    assert bench.service.decide(state, Input(tick, Topic.CLASSIFIER_COMMANDS, 0, later(1), later(1))).state is state
    assert bench.service.on_lane_tick(Input(tick, Topic.CLASSIFIER_COMMANDS, 0, later(1), later(1))) == ()
    foreign = event(VictimsDescribed(offender_id=HIM, victims=[]), HIM, later(1))
    with pytest.raises(InvalidRecord):
        bench.service.decide(state, Input(foreign, Topic.INCIDENTS, 0, later(1), later(1)))
