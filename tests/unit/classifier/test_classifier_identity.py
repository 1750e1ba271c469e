"""Merges and splits, from lane to lane; what comes late, or in a ring; what must leave no trace on the way."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.classification import Change, Outreach, ReviewCode, Tier
from schemas.commands import Adopt, Role
from schemas.envelope import Event, from_json_line, to_json_line
from schemas.incident import Disposition, OffenderSplit, Victim
from schemas.referral import ReferralWithdrawn
from schemas.rejects import InvalidRecord
from schemas.reviews import ConcludeReview, ReviewOutcome
from schemas.topics import Topic
from services.classifier.app import compose
from tests.harness.incidents import (
    HIM,
    PRACTICE,
    SEAL,
    SEED,
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

GONE = "O-2"


def two() -> Bench:
    bench = Bench()
    bench.put(report(1, charged=True), report(2, GONE, charged=True), report(3, GONE))
    return bench


def test_a_merge_closes_one_record_and_adds_up_in_the_other() -> None:
    bench = two()
    bench.put(merged(GONE))
    closed, survivor = bench.offender(GONE), bench.offender()
    assert (closed.tier, closed.alias and closed.alias.to, closed.history.strands) == (None, HIM, {})
    assert survivor.tier is Tier.B
    assert {one.pair_id for one in bench.live_referrals().values()} == {pair(1), pair(2), pair(3)}
    assert bench.tiers() == {HIM: Tier.B}


def test_what_both_sides_say() -> None:
    bench = two()
    bench.decide(merged(GONE))
    [ended] = [one for one in bench.decisions if one.offender_id == GONE and one.merged_offender_id]
    assert (ended.tier, ended.change, ended.pair_id, ended.incident_id) == (None, Change.REMOVED, None, None)
    assert ended.withdrawn_pair_ids == [pair(2, GONE), pair(3, GONE)]
    bench.decide(bench.crossing.popleft())
    assert bench.decisions[-1].review == [ReviewCode.MERGE_PENDING]
    assert bench.decisions[-1].merged_offender_id == GONE
    assert {code for _, code in bench.codes()} == {"merge_pending"}
    bench.cross()
    assert not bench.codes()
    assert [one.incident_id for one in bench.decisions if one.offender_id == HIM][-3:] == [
        incident_id(2), incident_id(3), None,
    ]  # fmt: skip


def test_a_hand_over_is_a_row_of_commands_that_count_down() -> None:
    bench = two()
    bench.put(noticed(him=GONE), retracted(9, GONE))
    bench.decide(merged(GONE))
    commands = list(bench.crossing)
    assert [one.data.remaining for one in commands] == [5, 4, 3, 2, 1, 0]
    assert {one.subject for one in commands} == {HIM}
    assert len({one.id for one in commands}) == len(commands)
    types = [from_json_line(to_json_line(one)).data.original["type"] for one in commands]  # type: ignore[attr-defined]
    assert types[0] == types[-1] == "ipvi.offender.merged.v1"
    assert types[1:-1] == [
        "ipvi.notification.recorded.v1",
        "ipvi.incident.reported.v1",
        "ipvi.incident.reported.v1",
        "ipvi.incident.retracted.v1",
    ]


def test_commands_cross_lanes_and_are_found_by_the_pair_they_carry() -> None:
    bench = two()
    outcome = bench.decide(merged(GONE))
    crossing = [one for one in outcome.events if one.other_lane and isinstance(one.event.data, Adopt)]
    assert {one.topic for one in crossing} == {Topic.CLASSIFIER_COMMANDS}
    assert [one.about for one in crossing] == [None, pair(2, GONE), pair(3, GONE), None]


def test_nothing_known_is_handed_over_too() -> None:
    bench = Bench()
    bench.decide(merged(GONE))
    [only] = bench.crossing
    assert only.data.remaining == 0
    bench.cross()
    assert not bench.codes()
    [told] = bench.decisions  # the notifier is to ask what he was given under the other id
    assert (told.offender_id, told.merged_offender_id, told.change) == (HIM, GONE, Change.KEPT)
    assert not told.merge_pending
    bench.put(merged(GONE))
    assert len(bench.decisions) == 1


def test_a_merge_that_brings_nothing_is_told_also_of_a_record_that_gave_a_part_before() -> None:
    """Of whom all was split off, and who then turned out to be the same man."""
    bench = Bench()
    bench.put(report(1, GONE, charged=True), split([1], HIM, GONE))
    said = len(bench.decisions)
    bench.put(merged(GONE, day=41))
    [told] = bench.decisions[said:]
    assert (told.offender_id, told.merged_offender_id, told.change) == (HIM, GONE, Change.KEPT)


def test_a_merge_is_named_also_where_another_policy_opens_his_incidents() -> None:
    codes = SEED.codes.model_copy(update={"intimate": ["SE"]})
    bench = Bench(SEED.model_copy(update={"codes": codes}))
    bench.put(report(1, charged=True), report(2, GONE, charged=True))
    bench.service = compose(PRACTICE, SEAL)  # in force, and he has not been decided again yet
    bench.put(merged(GONE))
    his = [one for one in bench.decisions if one.offender_id == HIM]
    assert (his[0].merged_offender_id, his[0].review) == (GONE, [ReviewCode.MERGE_PENDING])
    assert (his[1].incident_id, his[1].outreach) == (incident_id(1), Outreach.OPENED)
    assert [one.merge_pending for one in his] == [True, True, True, False]


def test_what_comes_late_follows() -> None:
    bench = two()
    bench.put(merged(GONE), report(4, GONE, charged=True), retracted(2, GONE), noticed(him=GONE))
    assert bench.offender().tier is Tier.B
    assert set(bench.offender().assessment.findings) == {incident_id(number) for number in (1, 3, 4)}
    assert ("notice", "N-1") in bench.offender().history.records
    assert bench.offender(GONE).history.strands == {}


def test_a_persons_act_follows_and_an_act_that_no_longer_fits_does_nothing() -> None:
    bench = Bench()
    bench.put(report(1, GONE, bulk=True), merged(GONE), opened(1, GONE))
    assert [one.outreach for one in bench.live_referrals().values()] == ["opened"]
    before = bench.offender()
    bench.put(opened(1, GONE, day=85))
    assert bench.offender().history is before.history


def test_what_was_open_stays_open_at_the_other() -> None:
    bench = Bench()
    bench.put(report(1, GONE, bulk=True), opened(1, GONE), merged(GONE))
    assert [one.outreach for one in bench.live_referrals().values()] == ["opened"]


def test_through_several_records() -> None:
    bench = Bench()
    bench.put(report(1, "O-3", charged=True), merged("O-3", GONE), merged(GONE, HIM), report(2, "O-3", charged=True))
    assert bench.offender().tier is Tier.B
    assert bench.live_referrals().keys() == {one.referral_id for one in bench.offender().referrals.values()}


def test_a_record_merged_twice_says_that_the_two_survivors_are_one() -> None:
    bench = two()
    bench.put(report(5, "O-4", charged=True), merged(GONE, HIM), merged(GONE, "O-4"))
    assert bench.offender("O-4").tier is Tier.A
    assert bench.offender(HIM).alias is not None
    said = len(bench.said)
    bench.put(merged(GONE, "O-4", day=50))
    assert len(bench.said) == said


def test_a_ring_comes_to_an_end() -> None:
    bench = Bench()
    bench.put(report(1, "O-1", charged=True), report(2, "O-2", charged=True), report(3, "O-3", charged=True))
    for gone, into in (("O-1", "O-2"), ("O-2", "O-3"), ("O-3", "O-1")):
        bench.decide(merged(gone, into))
    bench.cross()
    assert bench.offender("O-1").tier is Tier.A and bench.offender("O-1").alias is None
    assert bench.tiers() == {"O-1": Tier.A}
    bench.put(report(4, "O-3"))
    assert incident_id(4) in bench.offender("O-1").assessment.findings


def test_one_incident_told_of_both() -> None:
    """He was listed twice in one incident: it counts once; taking one telling back leaves the other."""
    bench = Bench()
    bench.put(report(1, HIM, charged=True), report(1, GONE, charged=True), merged(GONE))
    assert bench.offender().tier is Tier.C
    bench.put(retracted(1, GONE))
    assert bench.offender().tier is Tier.C
    bench.put(retracted(1, HIM))
    assert bench.offender().tier is None


@pytest.mark.parametrize("hers", [HIM, GONE])
@pytest.mark.parametrize("other", [[], ["ST"], ["RU"], [Victim(victim_no=2, victim_id="V-9", relationship="ST")]])
def test_two_offenders_of_one_incident_who_are_one_man_cost_her_nothing(hers: str, other: list[Victim | str]) -> None:
    """NIBRS tells of each offender who was what to him; the one of the two who had nobody must not win over the other."""
    his = GONE if hers == HIM else HIM
    bench = Bench()
    bench.put(report(1, hers, charged=True), report(1, his, charged=True, victims=other))
    assert pair(1, hers) in {one.pair_id for one in bench.live_referrals().values()}
    bench.put(merged(GONE))
    [after] = bench.live_referrals().values()
    assert (after.pair_id, after.victim_no, after.victim_id) == (pair(1, HIM), 1, "V-1-BG")
    bench.put(report(1, hers, charged=True, revision=2, victims=["ST"]))
    assert not bench.live_referrals(), "a later revision says that she is a stranger"


def test_after_a_merge_his_own_id_takes_back_what_was_told_under_the_other() -> None:
    bench = Bench()
    bench.put(report(1, GONE, charged=True), merged(GONE), retracted(1, HIM))
    assert bench.offender().tier is None and not bench.live_referrals()


def test_nobody_merges_into_or_splits_from_himself() -> None:
    with pytest.raises(InvalidRecord):
        Bench().put(merged(HIM, HIM))
    with pytest.raises(InvalidRecord):
        Bench().put(split([1], HIM, HIM))


# splits --------------------------------------------------------------------------------------------------------------


def test_a_split_moves_what_is_named() -> None:
    bench = Bench()
    bench.put(report(1, charged=True), report(2, charged=True), split([2], "O-9"))
    assert (bench.offender().tier, bench.offender("O-9").tier) == (Tier.C, Tier.C)
    assert {one.pair_id for one in bench.live_referrals().values()} == {pair(1), pair(2, "O-9")}
    [ended] = [one for one in bench.decisions if one.withdrawn_pair_ids]
    assert (ended.offender_id, ended.withdrawn_pair_ids, ended.change) == (HIM, [pair(2)], Change.LOWERED)


def test_a_split_before_anything_came() -> None:
    bench = Bench()
    bench.put(split([2], "O-9"), report(1, charged=True), report(2, charged=True), retracted(1))
    assert (bench.offender().tier, bench.offender("O-9").tier) == (None, Tier.C)


def test_the_courts_word_holds_on_both_sides_of_a_split() -> None:
    """One arrest for two incidents of which one has gone; said before, between or after."""
    reports = [report(1, charged=True, arrest="A"), report(2, charged=True, arrest="A")]
    word, apart = disposed("A", Disposition.ACQUITTED), split([2], "O-9")
    for order in ([*reports, apart, word], [*reports, word, apart], [word, apart, *reports], [apart, word, *reports]):
        bench = Bench()
        bench.put(*order)
        assert (bench.offender().tier, bench.offender("O-9").tier) == (Tier.D, Tier.D)


@pytest.mark.parametrize("early", [True, False])
def test_a_courts_word_reaches_all_to_whom_incidents_of_its_arrest_were_split_off(early: bool) -> None:
    """Two of them here; one of whom is made one again with the first, and split off anew."""
    reports = [report(number, charged=True, arrest="A") for number in (1, 2, 3)]
    splits = [split([2], "O-8"), split([3], "O-9")]
    bench = Bench()
    bench.put(*([*splits, *reports] if early else [*reports, *splits]))
    bench.put(merged("O-8", day=41), split([2], "O-7", day=42))
    bench.put(disposed("A", Disposition.ACQUITTED))
    assert {him: bench.offender(him).tier for him in (HIM, "O-7", "O-9")} == {HIM: Tier.D, "O-7": Tier.D, "O-9": Tier.D}
    ids = [one.event.id for one in bench.handed]
    assert len(ids) == len(set(ids))


def test_an_arrest_numbered_like_an_incident_does_not_take_it_along() -> None:
    """As agencies that number both alike do. What comes of the incident, stays or is expunged where it is."""
    for order in (
        [report(2, charged=True, arrest=incident_id(1)), split([2], "O-9")],
        [split([2], "O-9"), report(2, charged=True, arrest=incident_id(1))],
    ):
        bench = Bench()
        bench.put(report(1, charged=True, arrest=incident_id(1)), *order)
        bench.put(report(1, revision=2, charged=True, arrest=incident_id(1), force=["12"]))
        assert (bench.offender().tier, bench.offender("O-9").tier) == (Tier.A, Tier.C)
        bench.put(disposed(incident_id(1), Disposition.ACQUITTED))
        assert bench.offender("O-9").tier is Tier.D, "a court's word holds there too"
        bench.put(expunged(1))
        assert bench.offender().tier is None and bench.offender().history.strands == {}
        bench.put(report(1, revision=3, charged=True))
        assert bench.offender().tier is None and set(bench.offender("O-9").history.strands) == {incident_id(2)}


def test_what_is_taken_back_here_is_not_of_an_arrest_of_that_number() -> None:
    bench = Bench()
    bench.put(
        *(report(number, charged=True, arrest=incident_id(1)) for number in (1, 2)), split([2], "O-9"), retracted(1)
    )
    assert (bench.offender().tier, bench.offender("O-9").tier) == (None, Tier.C)


def test_a_split_of_a_merged_record_happens_where_its_history_is() -> None:
    bench = two()
    bench.put(merged(GONE), split([3], "O-9", GONE))
    assert set(bench.offender("O-9").assessment.findings) == {incident_id(3)}
    assert bench.offender().tier is Tier.B


def test_a_merge_that_was_wrong_is_undone_by_a_split() -> None:
    bench = two()
    bench.put(merged(GONE), split([2, 3], GONE, HIM))
    assert (bench.offender().tier, bench.offender(GONE).tier) == (Tier.C, Tier.C)
    bench.put(report(2, GONE, revision=2, charged=True, force=["12"]))
    assert bench.offender(GONE).tier is Tier.A
    assert bench.tiers() == {HIM: Tier.C, GONE: Tier.A}


def test_there_and_back() -> None:
    bench = Bench()
    bench.put(report(1, charged=True), split([1], "O-9"), split([1], HIM, "O-9"), report(1, revision=2, charged=True))
    assert bench.offender().tier is Tier.C and bench.offender("O-9").tier is None


@pytest.mark.parametrize(("stays", "apart"), [("O-1", "O-9"), ("O-9", "O-1")])
def test_a_split_that_was_wrong_is_undone_by_a_merge(stays: str, apart: str) -> None:
    """Whatever the order of their ids; what comes late under either counts once."""
    bench = Bench()
    bench.put(*(report(number, stays, charged=True) for number in (1, 2, 3)))
    bench.put(split([2], apart, stays), merged(apart, stays, day=41))
    assert bench.offender(apart).alias is not None and bench.offender(apart).tier is None
    assert bench.tiers() == {stays: Tier.A}
    assert not bench.codes(stays), "merge_pending has come to an end"
    assert not bench.decisions[-1].merge_pending
    bench.put(report(2, stays, revision=2, charged=True), report(4, apart, charged=True), retracted(1, stays))
    assert set(bench.offender(stays).assessment.findings) == {incident_id(number) for number in (2, 3, 4)}
    assert bench.offender(apart).history.strands == {} and not bench.codes(stays)


def test_while_a_split_is_undone_merge_pending_ends_once_and_with_all_that_was_there() -> None:
    bench = Bench()
    bench.put(*(report(number, charged=True) for number in (1, 2, 3)), split([2, 3], "O-9"))
    said = len(bench.decisions)
    bench.put(merged("O-9", day=41))
    told = [one for one in bench.decisions[said:] if one.offender_id == HIM]
    assert [one.merge_pending for one in told] == [True, True, True, False]
    assert (told[-1].tier, told[-1].evidence) == (Tier.A, [incident_id(number) for number in (1, 2, 3)])


@pytest.mark.parametrize(
    ("stays", "first", "then"), [("O-5", "O-7", "O-1"), ("O-5", "O-1", "O-7"), ("O-1", "O-5", "O-7")]
)
def test_a_split_is_undone_through_others(stays: str, first: str, then: str) -> None:
    """He was split off, and split or merged again, before they were one."""
    apart, on = [split([2], first, stays), split([2], then, first)], [split([2], first, stays), merged(first, then)]
    for way in (apart, on):
        bench = Bench()
        bench.put(report(1, stays, charged=True), report(2, stays, charged=True), report(3, then, charged=True))
        bench.put(*way, merged(then, stays, day=50))
        assert bench.tiers() == {stays: Tier.A}
        assert [one.offender_id for one in bench.offenders.values() if one.pending] == []


def test_what_a_merge_brings_of_an_incident_that_was_split_off_leaves_nobody_pending() -> None:
    bench = Bench()
    bench.put(report(1, charged=True), report(2, charged=True), report(2, GONE, charged=True), split([2], "O-9"))
    bench.put(merged(GONE))
    assert {one.reported_as for one in bench.offender("O-9").history.strands[incident_id(2)]} == {HIM, GONE}
    assert not bench.codes("O-9") and not bench.codes()


def test_a_courts_word_that_comes_back_from_a_split_is_no_ring_of_merges() -> None:
    """He was split, made one again, and merged into another: he stays merged."""
    bench = Bench()
    bench.put(report(1, charged=True, arrest="A"), report(2, charged=True, arrest="A"), report(3, "O-5", charged=True))
    bench.put(split([2], "O-9"), merged("O-9", day=41), merged(HIM, "O-5", day=42))
    bench.put(disposed("A", Disposition.ACQUITTED))
    assert bench.offender().alias is not None
    charges = {key: one.charges for key, one in bench.offender("O-5").assessment.findings.items()}
    assert charges == {incident_id(1): 0, incident_id(2): 0, incident_id(3): 1}


def test_a_courts_word_does_not_end_a_hand_over_that_goes_on() -> None:
    bench = Bench()
    bench.put(report(1, charged=True, arrest="A"), report(2, charged=True, arrest="A"))
    bench.decide(split([2], "O-9"))
    bench.decide(bench.crossing.popleft())
    bench.decide(disposed("A", Disposition.ACQUITTED))
    bench.decide(bench.crossing.pop())
    assert {code for _, code in bench.codes("O-9")} == {"merge_pending"}
    bench.cross()
    assert not bench.codes("O-9") and bench.offender("O-9").tier is Tier.D


def test_who_was_split_off_and_merged_before_all_of_it_came_stays_merged() -> None:
    bench = Bench()
    bench.put(report(1, charged=True), report(2, charged=True), report(3, GONE, charged=True))
    bench.decide(split([2], "O-9"))
    bench.decide(bench.crossing.popleft())
    bench.decide(merged("O-9", GONE, day=41))
    bench.cross()
    assert bench.offender("O-9").alias is not None and not bench.codes("O-9")
    assert bench.tiers() == {HIM: Tier.C, GONE: Tier.B} and not bench.codes(GONE)


# expunction ----------------------------------------------------------------------------------------------------------


def test_an_expunction_follows_and_what_was_said_anywhere_is_erased() -> None:
    bench = two()
    bench.put(merged(GONE))
    bench.put(expunged(2, GONE))
    assert incident_id(2) not in bench.offender().assessment.findings
    assert {pair(2, GONE), pair(2, HIM)} <= set(bench.erased)
    bench.put(report(2, GONE, revision=7), report(2, HIM, revision=8))
    assert incident_id(2) not in bench.offender().assessment.findings


def test_what_was_expunged_before_the_merge_stays_out_after_it() -> None:
    for order in ([expunged(2, GONE), merged(GONE)], [merged(GONE), expunged(2, GONE)]):
        bench = two()
        bench.put(report(2, HIM, charged=True))
        bench.put(*order)
        assert incident_id(2) not in bench.offender().assessment.findings
        bench.put(report(2, HIM, revision=5))
        assert incident_id(2) not in bench.offender().assessment.findings


@pytest.mark.parametrize(
    ("acts", "at"),
    [
        ([merged("O-6", "O-7", day=10), merged("O-7", "O-8", day=11), merged("O-8", "O-9", day=12)], "O-9"),
        ([merged("O-6", "O-7", day=10), merged("O-7", "O-8", day=11), split([1], "O-9", "O-8", day=12)], "O-9"),
        ([split([1], "O-9", "O-8", day=9), merged("O-6", "O-7", day=10), merged("O-7", "O-8", day=11)], "O-9"),
        ([merged("O-6", "O-7", day=10), split([1], "O-8", "O-7", day=11), merged("O-8", "O-9", day=12)], "O-9"),
    ],
)
def test_an_expunction_goes_to_every_id_that_he_had_on_the_way(acts: list[Event[Any]], at: str) -> None:
    """Also to those that neither told it nor gave it to where it is now."""
    bench = Bench()
    bench.put(report(1, "O-5", charged=True), report(2, "O-5"), merged("O-5", "O-6", day=8), *acts)
    assert incident_id(1) in bench.offender(at).history.strands
    used = {one.pair_id for one in bench.decisions if one.incident_id == incident_id(1)}
    used |= {one.pair_id for one in bench.of(Topic.REFERRALS) if getattr(one, "incident_id", "") == incident_id(1)}
    bench.said.clear()
    bench.put(expunged(1, at))
    assert len(used) > 2 and used <= set(bench.erased)
    assert used & {each.pair_id for one in bench.offenders.values() for each in one.decisions.values()} == set()
    told = {one.pair_id for one in bench.of(Topic.REFERRALS) if isinstance(one, ReferralWithdrawn) and one.expunged}
    assert used <= told, "and so notifier and victim outreach hear of each"
    assert used <= {one.pair_id for one in bench.decisions if one.incident_id is None}


def test_a_closed_record_waits_for_nothing_where_what_it_keeps_out_is_handed_over_through_it() -> None:
    """Neither the report nor what people said of it; and it names it to nobody."""
    bench = Bench()
    bench.put(report(1, GONE), expunged(1, GONE, day=3), merged(GONE, "O-9", day=4))
    bench.put(report(1, HIM, force=["12"]), report(3, HIM))
    said = ConcludeReview(
        offender_id=HIM,
        by="ana",
        role=Role.COORDINATOR,
        incident_id=incident_id(1),
        code=ReviewCode.WEAPON_UNCHARGED,
        outcome=ReviewOutcome.AS_IT_STANDS,
    )
    bench.put(event(said, HIM, later(8)), merged(HIM, GONE, day=10))
    assert [one.offender_id for one in bench.offenders.values() if one.pending] == []
    assert not bench.codes(GONE) and bench.offender(GONE).alias is not None
    assert set(bench.offender("O-9").assessment.findings) == {incident_id(3)}
    assert incident_id(1) not in repr(bench.offender(GONE)) + repr(bench.offender("O-9"))
    assert pair(1, HIM) in bench.erased
    bench.put(report(1, HIM, revision=2))
    assert not bench.codes(GONE) and incident_id(1) not in repr(bench.offender("O-9"))


def test_the_record_that_gave_an_incident_away_keeps_no_name_of_it() -> None:
    bench = Bench()
    bench.put(report(1, charged=True), report(2, charged=True), split([2], "O-9"))
    assert incident_id(2) not in repr((bench.offender().moved, bench.offender().decisions, bench.offender().history))
    bench.put(expunged(2, HIM))
    assert bench.offender("O-9").tier is None
    assert {pair(2, HIM), pair(2, "O-9")} <= set(bench.erased)


@pytest.mark.parametrize("ways", [[split([2], "O-9")], [split([2], "O-8"), split([2], "O-9", "O-8")]])
def test_an_expunction_finds_what_is_on_its_way_round(ways: list[Event[OffenderSplit]]) -> None:
    """He was split and is made one again; split twice, his incident goes the way of the splits before it is at home."""
    for steps in range(12):
        bench = Bench()
        bench.put(report(1, charged=True), report(2, charged=True), *ways)
        bench.decide(merged("O-9", day=41))
        for _ in range(steps):
            if bench.crossing:
                bench.decide(bench.crossing.popleft())
        bench.put(expunged(2))
        bench.put(report(2, revision=2, charged=True), report(2, "O-9", revision=3))
        left = [one.history.strands.keys() for one in bench.offenders.values() if one.history.strands]
        assert left == [{incident_id(1)}], steps


def test_a_command_emptied_by_an_expunction_does_not_keep_the_hand_over_open() -> None:
    """What was to be erased before it went out goes as a stub; the last command of a hand-over never does."""
    bench = two()
    bench.decide(merged(GONE))
    whole = list(bench.crossing)
    bench.crossing.clear()
    for one in whole:
        if one.data.original["type"] != "ipvi.incident.reported.v1":
            bench.decide(one)
    assert not bench.codes()


def test_a_command_with_a_broken_original_is_refused() -> None:
    bench = two()
    bench.decide(merged(GONE))
    command = bench.crossing[0]
    broken = Adopt(**{**command.data.model_dump(), "original": {"type": "nothing"}})
    with pytest.raises(InvalidRecord):
        bench.decide(type(command)(**{**{name: getattr(command, name) for name in command.__slots__}, "data": broken}))


def test_a_withdrawn_referral_says_where_the_incident_has_gone() -> None:
    """So that what advocates keep of her goes with it."""

    def ended() -> set[tuple[str, str | None]]:
        told = [one for one in bench.of(Topic.REFERRALS) if isinstance(one, ReferralWithdrawn)]
        bench.said.clear()
        return {(one.pair_id, one.moved_to) for one in told}

    bench = two()
    bench.put(merged(GONE))
    assert ended() == {(pair(2, GONE), HIM), (pair(3, GONE), HIM)}
    bench.put(split([3], "O-3"), retracted(1))
    assert ended() == {(pair(3), "O-3"), (pair(1), None)}
