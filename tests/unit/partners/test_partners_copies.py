"""What one partner is sent, record by record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.classification import OffenderDecided
from schemas.commands import ConfirmNote, Role
from schemas.notification import (
    CancelReason,
    FailureReason,
    HoldReason,
    NotificationCancelled,
    NotificationFailed,
    NotificationHeld,
    NotificationReleased,
    NotificationServed,
    NotificationWithdrawn,
    Proof,
    ServiceMistake,
)
from schemas.partner import PartnerKind
from tests.harness.partners import (
    AGENCY,
    ALL_TIERS,
    HIM,
    START,
    Bench,
    current,
    decision,
    expunction,
    incident_id,
    notice,
    pair,
    partner,
    prepared,
)

LAPSED = datetime(2031, 1, 1, tzinfo=UTC)


def bench(kind: PartnerKind = PartnerKind.PROSECUTION, **changes: Any) -> Bench:
    return Bench(partner(kind, **changes))


def with_d(**changes: Any) -> Bench:
    return bench(PartnerKind.LAW_ENFORCEMENT, tiers=ALL_TIERS, **changes)


def decided(*fields: str, **where: list[Any]) -> list[dict[str, Any]]:
    return [{"type": "ipvi.partner.decided.v1", "fields": list(fields), "where": where}]


def kept(tier: str, **changes: Any) -> OffenderDecided:
    """A decision on nothing new, by which he is on this list."""
    return decision(1, tier, tier, **changes)


def test_a_charge_is_told_under_the_partners_own_ids() -> None:
    da = bench()
    (event,) = da.tell(decision())
    assert event.subject == event.data.offender_id == da.seal("offender", HIM) != HIM
    assert da.rows[0].key == event.subject.encode()
    assert da.rows[0].topic == "ipvi.partner.da.v1"
    assert (event.data.tier, event.data.previous_tier, event.data.change) == ("C", None, "entered")
    assert event.data.incident_id == da.seal("incident", incident_id(1))
    assert event.data.evidence == [event.data.incident_id]
    assert event.data.incident_number == incident_id(1)
    assert (event.correlationid, event.causationid) == (None, None)
    assert (event.time, event.recordedtime) == (START + timedelta(minutes=1),) * 2


def test_nothing_is_sent_that_is_not_named() -> None:
    (event,) = bench(events=decided("tier")).tell(decision())
    assert event.data.model_dump() == {"tier": "C"}


def test_two_partners_know_one_person_under_two_ids() -> None:
    one, other = bench(id="one"), bench(id="other")
    (first,), (second,) = one.tell(decision()), other.tell(decision())
    ids = ("offender_id", "pair_id", "incident_id", "decision_id")
    assert all(getattr(first.data, name) != getattr(second.data, name) for name in ids)
    assert first.id != second.id


def test_a_researcher_learns_the_day() -> None:
    (event,) = bench(PartnerKind.RESEARCHER).tell(decision())
    assert event.time == event.recordedtime == datetime(2026, 3, 1, tzinfo=UTC)
    assert "decided_at" not in event.data.model_fields_set


@pytest.mark.parametrize(
    ("previous", "tier", "told"),
    [
        (None, "D", None),
        ("D", None, None),
        ("D", "C", (None, "C", "entered")),
        ("C", "D", ("C", None, "removed")),
        ("C", "B", ("C", "B", "escalated")),
    ],
)
def test_d_is_no_list_to_whoever_is_not_shown_it(previous: str, tier: str, told: Any) -> None:
    events = bench().tell(decision(1, tier, previous, charged=tier != "D"))
    assert [(e.data.previous_tier, e.data.tier, e.data.change) for e in events] == ([told] if told else [])


def test_law_enforcement_with_d_in_its_file_is_told() -> None:
    (event,) = with_d().tell(decision(1, "D", charged=False, statutes=[]))
    assert (event.data.tier, event.data.change, event.data.rules) == ("D", "entered", ["c-charge"])


def test_law_enforcement_without_d_in_its_file_is_not() -> None:
    assert bench(PartnerKind.LAW_ENFORCEMENT).tell(decision(1, "D", charged=False)) == []


def test_an_uncharged_incident_of_a_listed_man_is_not_told_nor_among_the_evidence() -> None:
    da = bench()
    da.tell(decision(1))
    assert da.tell(decision(2, "C", "C", charged=False, evidence=[incident_id(1), incident_id(2)])) == []
    (event,) = da.tell(decision(3, "B", "C", evidence=[incident_id(n) for n in (1, 2, 3)]))
    assert event.data.evidence == [da.seal("incident", incident_id(n)) for n in (1, 3)]


def test_what_changes_nothing_that_may_be_known_is_not_told() -> None:
    da = bench()
    da.tell(decision(1))
    assert da.tell(decision(1, "C", "C", mutual=False, challenged=True)) == []
    (event,) = da.tell(decision(1, "C", "C", statutes=["14-32.4(b)"]))
    assert (event.data.change, event.data.statutes) == ("kept", ["14-32.4(b)"])


def test_what_an_agency_wrote_beside_the_citation_is_not_told() -> None:
    da = bench()
    da.tell(decision(1, statutes=["14-33(c)(2)"]))
    assert da.tell(decision(1, "C", "C", statutes=["14-33(c)(2)", "14-33 on Ana Ruiz, 12 Elm St"])) == []


@pytest.mark.parametrize("kind", PartnerKind)
def test_whoever_is_of_his_own_side_is_not_told_of_an_officer(kind: PartnerKind) -> None:
    said = bench(kind).tell(decision(1, conflict_of_interest=True), prepared(1))
    assert bool(said) is (kind in (PartnerKind.PROSECUTION, PartnerKind.COURT))


def test_once_he_is_known_to_be_an_officer_he_is_on_no_list() -> None:
    court = bench(PartnerKind.PROBATION)
    court.tell(decision(1), current("C"))
    (event,) = court.tell(decision(2, "C", "C", conflict_of_interest=True))
    assert (event.type, event.data.tier) == ("ipvi.partner.tier.v1", None)


def test_what_is_off_the_ladder_is_not_told() -> None:
    da = bench()
    da.tell(decision(1))
    assert da.tell(decision(2, "C", "C", evidence=[incident_id(1)])) == []


def test_what_turns_out_to_be_off_the_ladder_is_withdrawn() -> None:
    da = bench()
    (first,) = da.tell(decision(1))
    note, event = da.tell(decision(1, None, "C", evidence=[], mutual=True))
    assert (note.type, note.data.events) == ("ipvi.partner.withdrawn.v1", [first.id])
    assert (event.data.change, event.data.charged, event.data.statutes) == ("removed", False, [])
    assert da.tell(decision(1, None, None, evidence=[])) == []


def test_a_charge_that_is_dropped_is_withdrawn() -> None:
    da = bench(events=decided("tier"))
    (first,) = da.tell(decision(1, "A"))
    (note,) = da.tell(decision(1, "A", "A", charged=False, statutes=[]))
    assert (note.data.events, note.data.incident_id) == ([first.id], None)


# filters -------------------------------------------------------------------------------------------------------------


def test_a_filter_sees_the_copy() -> None:
    da = bench(events=decided("tier", change=["entered"], agency=[AGENCY]))
    assert len(da.tell(decision(1, "C", "D"))) == 1
    assert da.tell(decision(2, "B", "C")) == []
    assert bench(events=decided("tier", agency=["NC0000000"])).tell(decision(1)) == []
    assert len(bench(events=decided("tier", statutes=["x", "14-33(c)(2)"])).tell(decision(1))) == 1
    assert bench(events=decided("tier", bulk=[False])).tell(decision(1, bulk=True)) == []


def test_what_sets_right_what_was_sent_is_sent_whatever_the_filter_says() -> None:
    da = bench(events=decided("tier", "statutes", change=["entered"]))
    da.tell(decision(1))
    (event,) = da.tell(decision(1, "C", "C", statutes=["14-34"]))
    assert event.data.statutes == ["14-34"]


def test_that_he_has_left_the_lists_that_are_asked_for_is_sent_to_whoever_was_told_that_he_was_on_one() -> None:
    graver = decided("tier", "change", tier=["A", "B"])
    da = bench(events=graver)
    assert [e.data.tier for e in da.tell(decision(1, "A"), decision(2, "B", "A"))] == ["A", "B"]
    (left,) = da.tell(decision(None, "C", "B"))
    assert (left.data.tier, left.data.change) == ("C", "lowered")
    assert da.tell(decision(None, None, "C"), decision(3, "C")) == [], "it has been set right"
    assert bench(events=graver).tell(decision(1, "C"), decision(None, None, "C")) == [], "never told"
    local = bench(events=decided("tier", tier=["A"], agency=["NC0000000"]))
    assert local.tell(decision(1, "A"), decision(None, "C", "A")) == [], "never told: another agency's"
    quiet = bench(events=decided("charged", tier=["A"]))
    quiet.tell(decision(1, "A"))
    assert quiet.tell(decision(None, "C", "A")) == [], "without the list it would read like one more on A"


def test_only_what_is_asked_for_is_sent() -> None:
    da = bench(events=decided("tier"))
    da.tell(decision(1))
    assert da.tell(current("C"), prepared(1)) == []


# the list now --------------------------------------------------------------------------------------------------------


def test_the_list_he_is_on_now() -> None:
    da = bench()
    da.tell(decision(1))
    assert [e.data.tier for e in da.tell(current("C"), current("C"))] == ["C"]
    assert [e.data.tier for e in da.tell(decision(2, "B", "C"), current("B"))] == ["B", "B"]
    (ended,) = da.end_tier()
    assert (ended.data.tier, ended.data.since, ended.data.policy_version) == (None, None, None)
    assert da.end_tier() == []


def test_a_list_that_is_not_shown_or_not_asked_for_is_none() -> None:
    some = bench(
        tiers=["A", "B"], events=[{"type": "ipvi.partner.tier.v1", "fields": ["tier"], "where": {"tier": ["B"]}}]
    )
    said = [one for tier in "CBAC" for one in (kept(tier), current(tier))]
    assert [e.data.tier for e in some.tell(*said)] == ["B", None]


def test_a_file_that_asks_for_no_list_any_more_is_told_none_and_one_that_asks_again_is_told_where_he_is() -> None:
    da = bench(PartnerKind.PROBATION)
    da.tell(decision(1), current("C"))
    without = Bench(
        partner(PartnerKind.PROBATION, events=decided("tier")), states=da.states, row=da.row, offsets=da.offsets
    )
    removed = decision(1, None, "C", evidence=[], charged=False, withdrawn_pair_ids=[pair(1)])
    said = without.tell(removed, at=START + timedelta(hours=1)) + without.end_tier()
    assert [event.type for event in said] == ["ipvi.partner.withdrawn.v1", "ipvi.partner.decided.v1"]
    assert not without.state().behind
    again = Bench(da.partner, states=without.states, row=without.row, offsets=without.offsets)
    (ended,) = again.end_tier()
    assert (ended.type, ended.data.tier) == ("ipvi.partner.tier.v1", None)


def test_a_list_waits_for_a_decision_as_nobody_knows_before_whether_other_routes_apply() -> None:
    police = bench(PartnerKind.LAW_ENFORCEMENT)
    assert police.tell(current("C")) == []
    assert [e.type for e in police.tell(decision(1))] == ["ipvi.partner.decided.v1", "ipvi.partner.tier.v1"]
    assert police.tell(current("B")) == [], "the decision that puts him on B may say that he is an officer"
    (ended,) = police.tell(decision(2, "B", "C", conflict_of_interest=True))
    assert ended.data.tier is None
    officer = bench(PartnerKind.LAW_ENFORCEMENT)
    assert officer.tell(current("C"), decision(1, conflict_of_interest=True)) == []


def test_a_decision_that_the_partner_may_not_know_of_lets_no_list_out() -> None:
    assert bench().tell(current("C"), decision(11, "C", "C", charged=False, evidence=[incident_id(1)])) == []


# notices -------------------------------------------------------------------------------------------------------------


def test_a_notice_waits_and_is_served_and_nothing_in_between() -> None:
    da = bench()
    da.tell(decision(1))
    (waits,) = da.tell(prepared(1))
    assert (waits.data.state, waits.data.channel) == ("waiting", None)
    held = NotificationHeld(**notice(1), reasons=[HoldReason.GATE])
    assert da.tell(held, NotificationReleased(**notice(1), serve_by=START)) == []
    (served,) = da.tell(NotificationServed(**notice(1), served_at=START, proof=Proof.SIGNATURE, served_by="a.officer"))
    assert (served.data.state, served.data.channel, served.data.proof) == ("served", "letter_in_hand", "signature")
    assert served.data.pair_id == da.seal("pair", pair(1))
    (failed,) = da.tell(NotificationFailed(**notice(1), reason=FailureReason.REFUSED))
    assert failed.data.failure == "refused"
    (ended,) = da.tell(NotificationCancelled(**notice(1), reason=CancelReason.EXPUNGED))
    assert (ended.data.state, b"expunged" in (da.rows[-1].value or b"")) == ("cancelled", False)


def test_a_partner_that_was_told_of_a_notice_is_told_that_it_does_not_stand() -> None:
    da = bench()
    da.tell(decision(1))
    given = NotificationServed(**notice(1), served_at=START, proof=Proof.SIGNATURE)
    (served,) = da.tell(given)
    mistaken = NotificationWithdrawn(**notice(1), served_at=START, mistake=ServiceMistake.WRONG_PERSON)
    (waits,) = da.tell(mistaken)
    assert (waits.data.notification_id, waits.data.state) == (served.data.notification_id, "waiting")
    assert (waits.data.served_at, waits.data.proof, waits.data.channel) == (None, None, None)
    da.tell(given)
    (ended,) = da.tell(NotificationWithdrawn(**notice(1), served_at=START, withdrawn_at=START))
    assert ended.data.state == "cancelled"


def test_a_notice_of_d_is_none() -> None:
    da = bench()
    da.tell(decision(1, "D", charged=False))
    assert da.tell(prepared(1, "D")) == []


def test_a_notice_waits_for_its_decision() -> None:
    probation = bench(PartnerKind.PROBATION)
    assert probation.tell(prepared(1)) == []
    first, second = probation.tell(decision(1))
    assert (first.type, second.type) == ("ipvi.partner.decided.v1", "ipvi.partner.notification.v1")
    assert second.time == START + timedelta(minutes=1)
    officer = bench(PartnerKind.PROBATION)
    assert officer.tell(prepared(1), decision(1, conflict_of_interest=True)) == []
    assert officer.state().early == ()


def test_a_notice_waits_for_its_own_decision_whatever_else_is_known_of_him() -> None:
    probation = bench(PartnerKind.PROBATION)
    probation.tell(decision(1))
    assert probation.tell(prepared(2, "B")) == []
    assert probation.tell(decision(2, "B", "C", conflict_of_interest=True)) == []


# taking back ---------------------------------------------------------------------------------------------------------


def test_an_expunction_reaches_exactly_what_was_sent() -> None:
    da = bench()
    (first,) = da.tell(decision(1))
    (notified,) = da.tell(prepared(1))
    (second,) = da.tell(decision(2, "B", "C", evidence=[incident_id(1), incident_id(2)]))
    note, moved = da.tell(expunction(1, "C", "B"))
    assert note.type == "ipvi.partner.erased.v1"
    assert note.data.events == [first.id, notified.id]
    assert note.data.mentions == [second.id]
    assert note.data.incident_id == first.data.incident_id
    assert (moved.data.change, moved.data.incident_id, moved.data.incident_number) == ("lowered", None, None)
    assert da.erased == [pair(1)]
    assert {one.text for one in da.redacted} == {pair(1), first.data.incident_id}
    state = da.state()
    assert set(state.pairs) == {pair(2)}
    assert [one.event_id for one in state.sent.values()] == [second.id]
    assert all(one.mentions == () for one in state.sent.values())
    assert da.rows[-2].subject is None, "no redaction may touch the last word"
    assert da.rows[-2].about == note.id


def test_an_expunction_reaches_what_was_only_named_as_evidence() -> None:
    le = with_d()  # it came after the first incident was decided
    (first,) = le.tell(decision(2, "B", "C", evidence=[incident_id(1), incident_id(2)]))
    note, _ = le.tell(expunction(1, "C", "B"))
    gone = le.seal("incident", incident_id(1))
    assert (note.data.events, note.data.mentions, note.data.incident_id) == ([], [first.id], gone)
    assert {one.text for one in le.redacted} == {pair(1), gone}
    assert set(le.state().pairs) == {pair(2)}


def test_nobody_is_told_to_erase_what_he_was_not_sent() -> None:
    da = bench(events=decided("tier", agency=["NC0000000"]))
    da.tell(decision(1))
    assert da.tell(expunction(1, None, "C")) == []
    assert da.erased == [pair(1)]


def test_an_expunction_is_told_once() -> None:
    da = bench(events=decided("tier"))
    da.tell(decision(1))
    assert len(da.tell(expunction(1, None, "C"))) == 2
    assert da.tell(expunction(1, None, None)) == []


def test_the_list_event_of_an_expunged_incident_is_to_be_erased_too() -> None:
    da = bench()
    (first,) = da.tell(decision(1))
    (listed,) = da.tell(current("C"), about=pair(1))
    (note, _) = da.tell(expunction(1, None, "C"))
    assert note.data.events == [first.id, listed.id]
    assert (da.state().tier, da.state().tier_sent, da.state().sent) == (None, None, {})
    assert [row.about for row in da.rows[:2]] == [pair(1), pair(1)] == da.erased * 2
    assert da.end_tier() == [], "he was told to erase the list"


@pytest.mark.parametrize("list_first", [True, False])
def test_the_list_that_stands_on_what_is_left_is_told_after_an_expunction(list_first: bool) -> None:
    da = bench()
    da.tell(decision(1))
    da.tell(current("C"), about=pair(1))
    da.tell(decision(2, "B", "C", evidence=[incident_id(1), incident_id(2)]))
    da.tell(current("B"), about=pair(2))
    both = [(expunction(2, "C", "B"), None), (current("C"), pair(1))]
    said = [event for one, about in (both[::-1] if list_first else both) for event in da.tell(one, about=about)]
    assert [event.type.split(".")[2] for event in said] == ["erased", "decided", "tier"]
    assert said[-1].data.tier == "C"
    assert len(da.state().sent_about({pair(1)})) == 3


def test_a_withdrawal_does_not_take_the_list_back_as_the_next_list_sets_it_right() -> None:
    da = bench()
    (first,) = da.tell(decision(1))
    da.tell(current("C"), about=pair(1))
    (note,) = da.tell(decision(1, "C", "C", charged=False, statutes=[]))
    assert (note.type, note.data.events) == ("ipvi.partner.withdrawn.v1", [first.id])
    only = bench(events=[{"type": "ipvi.partner.tier.v1", "fields": ["tier"]}])
    only.tell(decision(1))
    (listed,) = only.tell(current("C"), about=pair(1))
    assert only.tell(decision(1, None, "C", evidence=[], withdrawn_pair_ids=[pair(1)])) == []
    (note,) = only.tell(expunction(1, None, None))
    assert (note.type, note.data.events) == ("ipvi.partner.erased.v1", [listed.id])


def test_a_retraction_is_a_withdrawal_and_can_still_be_expunged() -> None:
    da = bench()
    (first,) = da.tell(decision(1))
    note, removed = da.tell(
        decision(1, None, "C", charged=False, evidence=[], withdrawn_pair_ids=[pair(1)], statutes=[])
    )
    assert (note.type, note.data.events) == ("ipvi.partner.withdrawn.v1", [first.id])
    assert removed.data.incident_id == first.data.incident_id
    (erased,) = da.tell(expunction(1, None, None))
    assert erased.data.events == [first.id, removed.id]


def test_a_d_entry_that_goes_for_its_age_is_to_be_erased() -> None:
    le = with_d()
    (first,) = le.tell(decision(1, "D", charged=False, statutes=[]))
    note, _ = le.tell(decision(None, None, "D", purged=True, withdrawn_pair_ids=[pair(1)]))
    assert (note.type, note.data.events) == ("ipvi.partner.erased.v1", [first.id])
    assert le.erased == [pair(1)]


def test_what_comes_of_an_expunged_incident_on_another_topic_is_neither_said_nor_kept() -> None:
    da = bench()
    both = [incident_id(1), incident_id(2)]
    da.tell(decision(1), decision(2, "C", "C", evidence=both), expunction(1, "C", "C"))
    assert da.tell(current("C"), about=pair(1)) == []
    assert da.tell(prepared(1), NotificationCancelled(**notice(1), reason=CancelReason.EXPUNGED)) == []
    state = da.state()
    assert (state.tier, state.early, state.sent_about({pair(1)})) == (None, (), [])
    assert pair(1) not in repr(state)
    assert da.erased == [pair(1)] * 3, "nor does the inbox name it"
    (event,) = da.tell(current("C"), about=pair(2))
    assert (event.type, event.data.tier) == ("ipvi.partner.tier.v1", "C")


def test_what_comes_of_a_purged_entry_is_not_kept_until_a_later_revision_brings_it_again() -> None:
    le = with_d()
    purge = decision(None, None, "D", purged=True, withdrawn_pair_ids=[pair(1)])
    le.tell(decision(1, "D", charged=False, statutes=[]), purge)
    assert le.tell(prepared(1, "D")) == []
    assert le.tell(current("C"), at=START + timedelta(minutes=2), about=pair(1)) == []
    assert (le.state().tier, le.state().early) == (None, ())
    assert le.tell(current("C"), about=pair(1)) == [], "it is younger than the purge, and waits for its decision"
    said = le.tell(decision(1), prepared(1))
    assert [event.type.split(".")[2] for event in said] == ["decided", "tier", "notification"]
    assert le.state().erased == {}


def test_the_same_record_again_says_nothing() -> None:
    da = bench()
    assert len(da.tell(decision(1), at=START)) == 1
    assert da.tell(decision(1), at=START) == []


# confirming ----------------------------------------------------------------------------------------------------------


def confirm(note_id: str, name: str = "da") -> ConfirmNote:
    return ConfirmNote(offender_id=HIM, by="da-system", role=Role.PARTNER, partner=name, note_id=note_id)


def test_a_confirmation_empties_the_note_itself() -> None:
    da = bench(events=decided("incident_id"))
    da.tell(decision(1))
    note, _ = da.tell(expunction(1, None, "C"))
    da.tell(confirm(note.id, "another"))
    assert (da.results, da.state().notes[note.id].confirmed_at) == (["none"], None)
    da.tell(confirm(note.id))
    assert da.results == ["applied"]
    assert da.erased[-1] == note.id
    assert da.state().notes[note.id].confirmed_at is not None
    da.tell(confirm(note.id))
    assert da.results == ["none"]
    da.tell(confirm("0" * 32))
    assert da.results == ["refused:unknown_note"]


# lapsing -------------------------------------------------------------------------------------------------------------


def test_after_the_last_day_nothing_leaves_but_what_is_to_be_erased() -> None:
    da = bench()
    da.tell(decision(1), at=datetime(2030, 12, 31, 23, 59, tzinfo=UTC))
    da.tell(decision(2, "B", "C"), current("B"), prepared(1), at=LAPSED)
    assert len(da.rows) == 1
    assert (
        da.tell(decision(1, "B", "B", evidence=[], withdrawn_pair_ids=[pair(1)]), at=LAPSED + timedelta(days=1)) == []
    )
    assert da.state().owed == (pair(1),)
    (note,) = da.tell(expunction(1, "C", "B"), at=LAPSED + timedelta(days=2))
    assert note.type == "ipvi.partner.erased.v1"
    assert da.state().owed == ()


def test_what_was_owed_is_said_after_a_renewal() -> None:
    da = bench()
    (first,) = da.tell(decision(1), at=START)
    da.tell(current("C"), at=START + timedelta(minutes=1))
    gone = decision(1, None, "C", evidence=[], charged=False, withdrawn_pair_ids=[pair(1)])
    da.tell(gone, at=LAPSED)
    assert da.end_tier() == [] and len(da.rows) == 2
    assert da.tick(HIM, at=LAPSED + timedelta(minutes=1)) == []
    renewed = Bench(partner(expires="2035-12-31"), states=da.states, row=da.row)
    note, tier = renewed.tick(HIM, at=LAPSED + timedelta(minutes=2))
    assert (note.type, note.data.events) == ("ipvi.partner.withdrawn.v1", [first.id])
    assert (tier.type, tier.data.tier) == ("ipvi.partner.tier.v1", None)
    assert not renewed.state().behind
    assert renewed.tick(HIM, at=LAPSED + timedelta(minutes=3)) == []


def test_one_tick_tells_each_of_them_his_own_list_under_an_id_of_its_own() -> None:
    da, both = bench(), (HIM, "NC099-2")
    for him in both:
        da.tell(decision(1, him=him), at=START)
        da.tell(current("C", him), at=LAPSED, about=pair(1, him))
    renewed = Bench(partner(expires="2035-12-31"), states=da.states, row=da.row)
    said = renewed.tick(*both, at=LAPSED + timedelta(minutes=1))
    assert [event.subject for event in said] == [da.seal("offender", him) for him in both]
    assert len({event.id for event in said}) == 2
    assert [list(renewed.state(him).sent)[-1] for him in both] == [event.id for event in said]


def test_what_stands_again_by_the_renewal_is_not_withdrawn() -> None:
    da = bench()
    (first,) = da.tell(decision(1), at=START)
    gone = decision(1, None, "C", evidence=[], charged=False, withdrawn_pair_ids=[pair(1)])
    da.tell(gone, at=LAPSED)
    assert (da.state().owed, da.state().behind) == ((pair(1),), True)
    da.tell(decision(1), at=LAPSED + timedelta(minutes=1))
    assert (da.state().owed, da.state().behind) == ((), False)
    renewed = Bench(partner(expires="2035-12-31"), states=da.states, row=da.row)
    assert renewed.tick(HIM, at=LAPSED + timedelta(minutes=2)) == []
    (event,) = renewed.tell(
        decision(2, "B", "C", evidence=[incident_id(1), incident_id(2)]), at=LAPSED + timedelta(minutes=3)
    )
    assert event.data.evidence == [first.data.incident_id, da.seal("incident", incident_id(2))]
