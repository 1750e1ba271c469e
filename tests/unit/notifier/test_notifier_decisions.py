"""What a decision does to notices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.classification import Change, Outreach, Tier
from schemas.envelope import Data
from schemas.notification import Channel, HoldReason, NotificationPrepared, NotificationState
from tests.harness.notices import HIM, POLICY, Bench, custody, decision, expunction, gate, incident, pair, withdrawal


def served(tier: Tier = Tier.C) -> Bench:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, tier), gate(1))
    assert bench.serve() == "applied"
    bench.story()
    return bench


def test_a_tier_calls_for_its_notice_and_it_is_held() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C))
    assert bench.story() == ["C prepared", "C held (gate)"]
    assert bench.notice.pair_id == pair(1)


def test_the_prepared_notice_says_what_the_letter_may() -> None:
    bench = Bench()
    bench.put(custody(held=True, language="es"), decision(1, Tier.C))
    prepared = bench.said[0]
    assert isinstance(prepared, NotificationPrepared)
    assert (prepared.statutes, prepared.in_custody, prepared.language) == (["14-33(c)(2)"], True, "es")
    assert (prepared.channel, prepared.template) == (Channel.CUSTODY_VISIT, "c-custody_visit-es@1")


def test_events_go_out_under_the_offender_and_can_be_found_by_the_pair() -> None:
    outcome = Bench().put(decision(1, Tier.C))
    assert {(out.event.subject, out.about, out.event.correlationid) for out in outcome.events} == {
        (HIM, pair(1), incident(1))
    }
    assert len({out.event.id for out in outcome.events}) == 2


@pytest.mark.parametrize(
    "silent",
    [
        decision(1, None),
        decision(1, Tier.C, outreach=Outreach.NONE),
        decision(1, Tier.C, bulk=True, outreach=Outreach.NONE),
        decision(1, Tier.C, evidence=[incident(9)]),
        decision(None, Tier.C),
    ],
    ids=["no tier", "listed", "bulk", "off the ladder", "no incident"],
)
def test_some_decisions_prepare_nothing(silent: Data) -> None:
    bench = Bench()
    bench.put(silent)
    assert bench.story() == []


def test_policy_may_call_for_none() -> None:
    bench = Bench(policy=replace(POLICY, channels={}))
    bench.put(decision(1, Tier.C))
    assert bench.story() == []


def test_one_notice_per_tier_and_the_new_pair_joins_the_gates() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, Tier.C), gate(1))
    assert bench.notice.state is NotificationState.RELEASED
    bench.story()
    bench.put(decision(2, Tier.C, change=Change.KEPT))
    assert bench.story() == ["C held (gate)"]
    bench.put(gate(2))
    assert bench.story() == ["C released"]


def test_a_listed_tier_gets_its_notice_with_the_next_incident_that_is_opened() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C, outreach=Outreach.NONE), decision(2, Tier.C, change=Change.KEPT))
    assert bench.notice.pair_id == pair(2)


def test_a_listed_incident_prepares_nothing_on_an_older_pair() -> None:
    bench = served(Tier.D)
    bench.put(decision(2, Tier.B, outreach=Outreach.NONE, change=Change.ESCALATED))
    assert bench.story() == []


def test_a_higher_tier_supersedes_what_is_not_served() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.D), decision(2, Tier.B, change=Change.ESCALATED))
    assert bench.story() == ["D prepared", "D held (gate)", "D cancelled (superseded)", "B prepared", "B held (gate)"]


def test_a_higher_tier_leaves_what_is_served() -> None:
    bench = served(Tier.D)
    bench.put(decision(2, Tier.B, change=Change.ESCALATED))
    assert bench.story() == ["B prepared", "B held (gate)"]


def test_a_lowered_tier_cancels_and_calls_for_the_lower_notice() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.D), decision(2, Tier.B, change=Change.ESCALATED))
    bench.story()
    bench.put(decision(2, Tier.D, change=Change.LOWERED))
    assert bench.story() == ["B cancelled (tier_lowered)", "D prepared", "D held (gate)"]


def test_an_amendment_that_takes_an_incident_off_the_ladder_calls_for_the_lower_notice_on_what_is_left() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C), decision(2, Tier.B, change=Change.ESCALATED))
    bench.story()
    bench.put(decision(2, Tier.C, change=Change.LOWERED, evidence=[incident(1)]))
    assert bench.story() == ["B cancelled (tier_lowered)", "C prepared", "C held (gate)"]
    assert [notice.pair_id for notice in bench.offender.of({NotificationState.HELD})] == [pair(1)]


def test_a_lowered_tier_does_not_repeat_what_was_served() -> None:
    bench = served(Tier.D)
    bench.put(decision(2, Tier.B, change=Change.ESCALATED), withdrawal(2, Tier.D, change=Change.LOWERED))
    assert bench.story() == ["B prepared", "B held (gate)", "B cancelled (retracted)"]


def test_a_retraction_cancels_what_is_not_served() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C), withdrawal(1, None, change=Change.REMOVED))
    assert bench.story() == ["C prepared", "C held (gate)", "C cancelled (retracted)"]


def test_a_retraction_moves_the_notice_to_what_is_left() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C), decision(2, Tier.C, change=Change.KEPT), withdrawal(1, Tier.C, change=Change.KEPT))
    assert bench.story()[2:] == ["C cancelled (retracted)", "C prepared", "C held (gate)"]
    assert bench.notice.pair_id == pair(2)


@pytest.mark.parametrize(
    ("overtaking", "why"),
    [
        (withdrawal(1, None, change=Change.REMOVED), "retracted"),
        (decision(2, Tier.D, change=Change.LOWERED), "tier_lowered"),
        (expunction(1, None), "expunged"),
    ],
)
def test_what_was_served_is_corrected_by_a_person(overtaking: Data, why: str) -> None:
    bench = served(Tier.C)
    bench.put(overtaking)
    assert bench.story()[0] == f"C corrected ({why})"
    assert bench.states()[0] == "C corrected"


def test_a_corrected_notice_was_given_and_is_not_given_again() -> None:
    bench = served(Tier.C)
    bench.put(withdrawal(1, None, change=Change.REMOVED), decision(2, Tier.C))
    assert bench.story() == ["C corrected (retracted)"]


def test_an_expunction_leaves_nothing_that_was_not_given() -> None:
    bench = Bench()
    bench.put(gate(1), decision(1, Tier.C))
    bench.story()
    outcome = bench.put(expunction(1, None))
    assert bench.story() == ["C cancelled (expunged)"]
    assert outcome.erase == (pair(1),)
    assert [out.about for out in outcome.events] == [None]
    assert (bench.offender.pairs, bench.offender.notices) == ({}, {})


def test_what_an_expunction_says_of_another_incident_is_found_by_that_ones_own() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.B), decision(2, Tier.B, change=Change.KEPT))
    bench.story()
    outcome = bench.put(expunction(1, Tier.C))
    assert bench.story() == ["B cancelled (expunged)", "C prepared", "C held (gate)"]
    assert [out.about for out in outcome.events] == [None, pair(2), pair(2)]


def test_a_merge_ends_the_notices_of_the_one_that_is_no_more() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C))
    bench.story()
    bench.put(decision(None, None, merged_offender_id=HIM, withdrawn_pair_ids=[pair(1)], change=Change.REMOVED))
    assert bench.story() == ["C cancelled (merged)"]


def test_what_was_given_before_this_system_is_not_given_again() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C, tiers_served=[Tier.C]))
    assert bench.story() == []
    bench.put(decision(2, Tier.B, tiers_served=[Tier.C]))
    assert bench.story() == ["B prepared", "B held (gate)"]


def test_a_notice_that_waits_ends_when_its_like_is_known_to_have_been_given() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C))
    bench.story()
    bench.put(decision(None, Tier.C, change=Change.KEPT, outreach=Outreach.NONE, tiers_served=[Tier.C]))
    assert bench.story() == ["C cancelled (already_served)"]
    bench.put(decision(2, Tier.C, tiers_served=[Tier.C]))
    assert bench.story() == []


def test_what_went_for_its_age_calls_for_no_correction() -> None:
    bench = served(Tier.D)
    bench.put(withdrawal(1, None, change=Change.REMOVED, purged=True))
    assert bench.states() == ["D served"]


def test_a_challenge_holds_until_it_is_answered_and_nobody_lifts_it() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C, challenged=True))
    assert HoldReason.CHALLENGED in bench.notice.reasons
    bench.put(decision(None, Tier.C, change=Change.KEPT, outreach=Outreach.NONE))
    assert HoldReason.CHALLENGED not in bench.notice.reasons


def test_what_is_decided_again_waits_for_a_person() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C))
    again = decision(None, Tier.B, change=Change.ESCALATED, outreach=Outreach.NONE, bulk=True)
    bench.put(again, decision(1, Tier.B, change=Change.KEPT))
    assert sorted(bench.states()) == ["B held", "C cancelled"]
    held = next(one for one in bench.offender.notices.values() if one.tier is Tier.B)
    assert HoldReason.BULK in held.reasons, "and no later word on the incident lifts it"


def test_a_raise_calls_for_the_notice_of_its_list() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C), decision(None, Tier.A, change=Change.ESCALATED, outreach=Outreach.NONE))
    assert sorted(bench.states()) == ["A held", "C cancelled"]
    held = next(one for one in bench.offender.notices.values() if one.tier is Tier.A)
    assert HoldReason.BULK not in held.reasons


def test_its_own_service_ends_nothing() -> None:
    """The classifier gives back what it heard from here."""
    bench = served(Tier.C)
    bench.put(decision(2, Tier.C, change=Change.KEPT, tiers_served=[Tier.C]))
    assert bench.states() == ["C served"]


def test_a_persons_cancel_stands_for_that_incident_and_not_for_the_next() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.C))
    assert bench.cancel() == "applied"
    bench.story()
    bench.put(decision(1, Tier.C, change=Change.KEPT))
    assert bench.story() == []
    bench.put(decision(2, Tier.C, change=Change.KEPT))
    assert bench.story() == ["C prepared", "C held (gate)"]


def test_a_revision_changes_what_is_known_of_the_pair() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.D, charged=False))
    assert bench.story() == ["D prepared", "D held (gate, unannounced)"]
    bench.put(decision(1, Tier.D, charged=False, offender_informed=True, change=Change.KEPT))
    assert bench.story() == ["D held (gate)"]


def test_an_older_clear_does_not_count_for_a_pair_that_was_withdrawn_and_came_back() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, Tier.C), gate(1))
    bench.wait(seconds=1).put(withdrawal(1, None, change=Change.REMOVED))
    bench.story()
    bench.wait(seconds=1).put(decision(1, Tier.C))
    assert bench.story() == ["C prepared", "C held (gate)"]
    bench.put(gate(1, version=3))
    assert bench.story() == ["C released"]
