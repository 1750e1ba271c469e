"""One person behind two records: one notice per tier all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.classification import Change, Outreach, ReviewCode, Tier
from schemas.commands import AskGiven, GivenBefore, LiftableHold, TellGiven
from schemas.notification import HoldReason, NotificationState
from schemas.topics import Topic
from services.notifier.domain import Offender
from tests.harness.notices import HIM, START, Bench, decision, gate, withdrawal

OTHER = "O-0"


def merge(*review: ReviewCode, other: str = OTHER) -> Any:
    pending = ReviewCode.MERGE_PENDING in review
    return decision(
        None, Tier.C, merged_offender_id=other, review=list(review), merge_pending=pending, change=Change.KEPT
    )


def told(*tiers: Tier, other: str = OTHER) -> TellGiven:
    given = [GivenBefore(notification_id=f"N-{tier}", tier=tier, served_at=START) for tier in tiers]
    return TellGiven(offender_id=HIM, from_offender_id=other, given=given)


def waiting(tier: Tier = Tier.C) -> Bench:
    """Merged with another, whose incident has arrived, and its gate is clear."""
    bench = Bench()
    bench.heartbeat()
    outcome = bench.put(merge(ReviewCode.MERGE_PENDING))
    [ask] = outcome.events
    assert ask.event.data == AskGiven(offender_id=OTHER, surviving_offender_id=HIM)
    assert (ask.topic, ask.other_lane, ask.event.subject) == (Topic.NOTIFIER_COMMANDS, True, OTHER)
    bench.put(decision(1, tier, merge_pending=True), gate(1))
    return bench


def test_nothing_goes_out_before_the_history_is_whole_and_the_other_lane_has_answered() -> None:
    bench = waiting()
    assert bench.notice.reasons == (HoldReason.MERGE_PENDING,)
    bench.put(merge())
    assert bench.notice.reasons == (HoldReason.MERGE_PENDING,)
    bench.put(told())
    assert bench.notice.state is NotificationState.RELEASED


def test_the_answer_may_come_first() -> None:
    bench = waiting()
    bench.put(told())
    assert bench.notice.reasons == (HoldReason.MERGE_PENDING,)
    bench.put(merge())
    assert bench.notice.state is NotificationState.RELEASED


def test_what_he_was_given_there_is_not_given_again() -> None:
    bench = waiting()
    bench.put(told(Tier.C, Tier.D), merge())
    assert bench.states() == ["C cancelled"]
    bench.put(decision(2, Tier.C, change=Change.KEPT), gate(2))
    assert bench.states() == ["C cancelled"]
    bench.put(decision(3, Tier.B, change=Change.ESCALATED), gate(3))
    assert sorted(bench.states()) == ["B released", "C cancelled"]


def test_the_answer_may_find_it_prepared_before_the_merge_was_known() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, Tier.C), gate(1))
    bench.put(merge(ReviewCode.MERGE_PENDING))
    assert bench.states() == ["C held"]
    bench.put(told(Tier.C))
    assert bench.states() == ["C cancelled"]


def test_a_repeat_asks_nothing_and_adds_nothing() -> None:
    bench = waiting()
    assert bench.put(merge(ReviewCode.MERGE_PENDING)).events == ()
    bench.put(told(Tier.D))
    before = bench.offender
    bench.put(told(Tier.D))
    assert bench.offender == before
    assert [one.tier for one in before.past] == [Tier.D]


def test_a_person_helps_where_it_is_stuck() -> None:
    bench = waiting()
    assert bench.lift(LiftableHold.MERGE_PENDING) == "applied"
    assert bench.notice.state is NotificationState.RELEASED


def test_a_split_holds_until_its_part_is_whole() -> None:
    bench = Bench()
    bench.heartbeat()
    part = {"change": Change.KEPT, "outreach": Outreach.NONE}
    begun = decision(None, None, review=[ReviewCode.MERGE_PENDING], merge_pending=True, **part)
    assert bench.put(begun).events == ()
    bench.put(decision(1, merge_pending=True), gate(1))
    assert bench.notice.reasons == (HoldReason.MERGE_PENDING,)
    bench.put(decision(None, Tier.C, **part))
    assert bench.notice.state is NotificationState.RELEASED


@pytest.mark.parametrize("named", [None, 2], ids=["a raise, a challenge, another policy", "an incident"])
def test_what_is_done_in_the_meantime_ends_no_hand_over(named: int | None) -> None:
    bench = Bench()
    bench.heartbeat()
    kept = {"change": Change.KEPT, "outreach": Outreach.NONE}
    bench.put(decision(None, None, review=[ReviewCode.MERGE_PENDING], merge_pending=True, **kept))
    bench.put(decision(1, merge_pending=True), gate(1))
    bench.put(decision(named, Tier.C, merge_pending=True, **kept))
    assert bench.notice.reasons == (HoldReason.MERGE_PENDING,)


def test_a_hand_over_of_which_an_incident_speaks_holds_too() -> None:
    """Where another policy has come into force, the first decision on a split names an incident that now qualifies."""
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, review=[ReviewCode.MERGE_PENDING], merge_pending=True), gate(1))
    assert bench.notice.reasons == (HoldReason.MERGE_PENDING,)


def test_a_record_that_brings_nothing_is_asked_too() -> None:
    bench = Bench()
    bench.heartbeat()
    [ask] = bench.put(merge()).events
    assert ask.event.data == AskGiven(offender_id=OTHER, surviving_offender_id=HIM)
    bench.put(decision(1), gate(1))
    assert bench.notice.reasons == (HoldReason.MERGE_PENDING,)
    bench.put(told(Tier.C))
    assert bench.states() == ["C cancelled"]
    bench.put(decision(2, Tier.C, change=Change.KEPT), gate(2))
    assert bench.states() == ["C cancelled"]


def closed(bench: Bench) -> Bench:
    """His record is merged into another's."""
    bench.put(withdrawal(1, None, pair_id=None, incident_id=None, merged_offender_id=HIM, change=Change.REMOVED))
    return bench


def served(tier: Tier = Tier.C) -> Bench:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, tier), gate(1))
    assert bench.serve() == "applied"
    return bench


def test_the_merged_record_says_what_it_knows() -> None:
    bench = closed(served())
    [answer] = bench.put(AskGiven(offender_id=HIM, surviving_offender_id="O-9")).events
    given = [GivenBefore(notification_id=bench.notice.notification_id, tier=Tier.C, served_at=START)]
    assert answer.event.data == TellGiven(offender_id="O-9", from_offender_id=HIM, given=given)
    assert (answer.other_lane, answer.event.subject) == (True, "O-9")


def test_one_who_was_never_seen_answers_all_the_same() -> None:
    [answer] = Bench().put(AskGiven(offender_id=HIM, surviving_offender_id="O-9")).events
    assert answer.event.data == TellGiven(offender_id="O-9", from_offender_id=HIM, given=[])


def test_what_comes_to_light_later_is_sent_after() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    notice_id = bench.notice.notification_id
    given_at = bench.wait(minutes=1).now
    bench.wait(minutes=1)
    closed(bench)
    bench.put(AskGiven(offender_id=HIM, surviving_offender_id="O-9"))
    bench.work.clear()
    assert bench.serve(at=given_at, notice_id=notice_id) == "applied"
    assert bench.offender.notices[notice_id].state is NotificationState.SERVED
    [sent] = [one for one in bench.work if isinstance(one, TellGiven)]
    assert (sent.offender_id, [one.notification_id for one in sent.given]) == ("O-9", [notice_id])


def test_a_chain_of_merges_passes_on_what_it_hears() -> None:
    bench = Bench()
    bench.put(AskGiven(offender_id=HIM, surviving_offender_id="O-9"))
    bench.work.clear()
    bench.put(told(Tier.D))
    assert [one.offender_id for one in bench.work if isinstance(one, TellGiven)] == ["O-9"]
    bench.work.clear()
    bench.put(told(Tier.D))
    assert bench.work == []


def test_a_ring_comes_to_rest() -> None:
    people = {name: Bench(offender=Offender(name)) for name in (HIM, OTHER)}
    first = served(Tier.C)
    people[HIM] = first
    mail: list[Any] = [
        AskGiven(offender_id=HIM, surviving_offender_id=OTHER),
        AskGiven(offender_id=OTHER, surviving_offender_id=HIM),
    ]
    for _ in range(20):
        if not mail:
            break
        one = mail.pop(0)
        bench = people[one.offender_id]
        bench.apply(bench.input(one))
        mail += [said for said in bench.recent if isinstance(said, (AskGiven, TellGiven))]
    assert mail == []
    assert [one.tier for one in people[OTHER].offender.past] == [Tier.C]
    assert people[HIM].offender.past == ()


@pytest.mark.parametrize("reason", ["retracted", "superseded"])
def test_given_before_it_was_cancelled_and_told_after(reason: str) -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    notice_id = bench.notice.notification_id
    given_at = bench.wait(minutes=1).now
    bench.wait(minutes=1).heartbeat()
    if reason == "retracted":
        bench.put(withdrawal(1, None))
    else:
        bench.put(decision(2, Tier.B, change=Change.ESCALATED))
    assert bench.serve(at=bench.now + timedelta(minutes=1), notice_id=notice_id) == "refused:cancelled"
    assert bench.serve(at=given_at, notice_id=notice_id) == "applied"
    expected = "corrected" if reason == "retracted" else "served"
    assert bench.offender.notices[notice_id].state == expected


def test_its_successor_is_one_too_many() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    notice_id = bench.notice.notification_id
    given_at = bench.wait(minutes=1).now
    bench.wait(minutes=1).heartbeat()
    bench.put(withdrawal(1, None), decision(2, Tier.C), gate(2))
    assert bench.states() == ["C cancelled", "C released"]
    assert bench.serve(at=given_at, notice_id=notice_id) == "applied"
    assert bench.states() == ["C corrected", "C cancelled"]
