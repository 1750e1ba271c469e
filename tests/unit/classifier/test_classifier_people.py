"""What people do: reviews that two close, raises that end, D that is validated or goes, challenges that hold every notice."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from schemas.classification import Change, ReviewCode, Tier
from schemas.commands import ClassifierTick, NotedVictim, PersonCommand, Role
from schemas.envelope import Event
from schemas.incident import Disposition, Offense, Victim
from schemas.policy import Policy
from schemas.referral import ReferralWithdrawn
from schemas.reviews import (
    AnswerChallenge,
    ChallengeGround,
    ChallengeListing,
    ChallengeOutcome,
    Challenger,
    ClaimReview,
    ConcludeReview,
    EndRaise,
    RaiseReason,
    RaiseTier,
    ReviewActed,
    ReviewOutcome,
    ValidateD,
)
from schemas.topics import Topic
from services.classifier.app import compose
from services.classifier.domain import Offender
from services.classifier.domain.levers import levers
from services.common.service import Input, Outcome
from tests.harness.incidents import (
    HIM,
    PRACTICE,
    SEAL,
    Bench,
    event,
    expunged,
    incident_id,
    later,
    merged,
    pair,
    report,
    retracted,
    split,
)
from tests.harness.policies import changed

WEAPON = ReviewCode.WEAPON_UNCHARGED


def act(
    kind: type[PersonCommand],
    by: str = "ana",
    him: str = HIM,
    role: Role = Role.COORDINATOR,
    *,
    day: float = 50,
    **data: Any,
) -> Event[Any]:
    return event(kind(offender_id=him, by=by, role=role, **data), him, later(day))


def conclude(by: str, outcome: ReviewOutcome = ReviewOutcome.AS_IT_STANDS, number: int = 1, **more: Any) -> Event[Any]:
    return act(ConcludeReview, by, incident_id=incident_id(number), **{"code": WEAPON, "outcome": outcome, **more})


def raised(tier: str = "A", *, until: float = 90, **more: Any) -> Event[Any]:
    return act(RaiseTier, tier=Tier(tier), reason=RaiseReason.THREAT_TO_KILL, until=later(until), **more)


def tick(bench: Bench, day: float, him: str = HIM) -> Outcome[Offender]:
    """The clock comes to him."""
    one = event(ClassifierTick(lane=0, period=int(day * 1440)), "0", later(day))
    outcome = bench.service.decide(
        bench.offender(him), Input(one, Topic.CLASSIFIER_COMMANDS, 0, later(day), later(day), kept=bench.kept)
    )
    bench.offenders[him] = outcome.state
    bench.said += outcome.events
    return outcome


def acted(bench: Bench) -> list[tuple[str, str, str]]:
    found = [one for one in bench.of(Topic.DECISIONS) if isinstance(one, ReviewActed)]
    return [(str(one.matter), str(one.act), one.by) for one in found]


def decisions(bench: Bench) -> list[Any]:
    return [one for one in bench.of(Topic.DECISIONS) if not isinstance(one, ReviewActed)]


# reviews -------------------------------------------------------------------------------------------------------------


def test_a_review_is_claimed_and_closed_by_two_who_find_the_same() -> None:
    bench = Bench()
    bench.put(report(1, force=["12"]))
    bench.put(act(ClaimReview, incident_id=incident_id(1), code=WEAPON))
    [review] = bench.offender().reviews.values()
    assert (review.claimed_by, review.concluded) == ("ana", ())
    bench.put(conclude("ana"), conclude("ana"), conclude("bo", ReviewOutcome.REFERRED))
    [review] = bench.offender().reviews.values()
    assert review.concluded == (("ana", "as_it_stands"), ("bo", "referred"))
    bench.put(conclude("bo"))
    assert not bench.offender().reviews
    assert acted(bench) == [
        ("review", "claimed", "ana"),
        ("review", "concluded", "ana"),
        ("review", "concluded", "bo"),
        ("review", "closed", "bo"),
    ]
    assert decisions(bench)[-1].change is Change.KEPT
    bench.put(report(1, revision=2, force=["12"], probable_cause=False))
    assert not bench.offender().reviews, "the same reason, closed by two people, stays closed"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (conclude("ana", number=2), "not_open"),
        (conclude("ana", role=Role.OFFICER), "role"),
        (act(ClaimReview, incident_id=incident_id(1), code=ReviewCode.MERGE_PENDING), "closes_by_itself"),
        (raised("D"), "not_a_raise"),
        (raised("A", until=49), "until_out_of_range"),
        (raised("A", until=1000), "until_out_of_range"),
        (raised("A", role=Role.ADVOCATE), "role"),
        (act(EndRaise, raise_id="none"), "unknown_raise"),
        (act(AnswerChallenge, challenge_id="none", outcome=ChallengeOutcome.STANDS), "unknown_challenge"),
    ],
)
def test_what_may_not_be_done(one: Event[Any], why: str) -> None:
    bench = Bench()
    bench.put(report(1, force=["12"]))
    before = bench.offender()
    outcome = bench.put(one)
    assert (outcome.result, outcome.state, outcome.events) == (f"refused:{why}", before, ())


def test_nobody_is_raised_who_is_not_on_the_ladder() -> None:
    bench = Bench()
    bench.put(report(1, offender={"age": 16}, born=None))
    assert bench.put(raised("A")).result == "refused:not_on_ladder"
    assert bench.put(act(ValidateD)).result == "refused:not_on_d"
    assert Bench().put(act(ChallengeListing, challenger=Challenger.PERSON, ground=ChallengeGround.FACTS)).result == (
        "refused:not_listed"
    )


def test_an_act_on_what_has_moved_follows_it() -> None:
    bench = Bench()
    bench.put(report(1, force=["12"]), report(2, force=["12"]), conclude("ana"), split([1], "O-9"), conclude("bo"))
    assert bench.codes() == {("002", "weapon_uncharged")}
    assert bench.codes("O-9") == set()
    bench.put(conclude("ana", number=2), merged(HIM, "O-9"), conclude("bo", number=2))
    assert bench.codes("O-9") == set()


OTHER = "O-2"
"""Merged into `HIM`; people go on acting under this id."""


def test_an_act_that_follows_a_merge_is_told_where_it_counts() -> None:
    bench = Bench()
    bench.put(report(1, OTHER, force=["12"]), merged(OTHER), conclude("ana", him=OTHER))
    [told] = [one for one in bench.of(Topic.DECISIONS) if isinstance(one, ReviewActed)]
    assert (told.offender_id, told.act, told.by, told.pair_id) == (HIM, "concluded", "ana", pair(1))
    bench.put(
        conclude("bo", him=OTHER),
        act(ChallengeListing, him=OTHER, challenger=Challenger.PERSON, ground=ChallengeGround.FACTS),
    )
    assert acted(bench)[1:] == [("review", "closed", "bo"), ("challenge", "opened", "ana")]
    assert bench.codes() == set()


def test_what_follows_a_merge_closes_no_review_that_is_not_open_yet() -> None:
    bench = Bench()
    bench.put(report(1, OTHER), report(2, OTHER, force=["12"]), merged(OTHER))
    bench.put(conclude("ana", him=OTHER), conclude("bo", him=OTHER))
    assert acted(bench) == []
    bench.put(report(1, OTHER, revision=2, force=["12"]))
    assert bench.codes() == {("001", "weapon_uncharged"), ("002", "weapon_uncharged")}
    assert bench.offender().reviews[(incident_id(1), WEAPON)].concluded == ()
    late = [(one.data.by, one.data.incident_id) for one in bench.offender().history.acts("late")]
    assert sorted(late) == [("ana", incident_id(1)), ("bo", incident_id(1))], "kept"
    bench.put(split([1], "O-9"))
    assert len(list(bench.offender("O-9").history.acts("late"))) == 2, "and goes with its incident"
    assert list(bench.offender().history.acts("late")) == []
    assert bench.codes("O-9") == {("001", "weapon_uncharged")}
    bench.put(conclude("ana"), conclude("bo"))  # by the way of the record it was split from: now it is open
    assert bench.codes("O-9") == set()
    assert bench.codes() == {("002", "weapon_uncharged")}


def test_an_act_that_a_merge_brings_of_an_incident_split_off_is_told_once() -> None:
    bench = Bench()
    bench.put(report(1), report(2), split([2], "O-9"))
    bench.put(report(2, OTHER, revision=2, force=["12"]), conclude("ana", number=2, him=OTHER), merged(OTHER))
    assert acted(bench) == [("review", "concluded", "ana")], "where it was done"
    assert [one.data.by for one in bench.offender("O-9").history.acts("review")] == ["ana"]


def test_nor_one_that_two_others_have_closed_by_then() -> None:
    bench = Bench()
    bench.put(report(1, OTHER, force=["12"]), merged(OTHER), conclude("ana"), conclude("bo"))
    bench.put(conclude("cy", ReviewOutcome.REFERRED, him=OTHER))
    assert bench.codes() == set()
    assert [one.data.by for one in bench.offender().history.acts("late")] == ["cy"]


def test_a_word_on_what_was_expunged_leaves_nothing_of_it() -> None:
    bench = Bench()
    bench.put(report(1, OTHER, force=["12"]), report(2, OTHER), conclude("ana", him=OTHER), merged(OTHER))
    bench.put(expunged(1, OTHER), conclude("bo", him=OTHER), conclude("bo", him=OTHER, number=7))
    assert incident_id(1) not in repr(bench.offender()) + repr(bench.offender(OTHER))
    assert incident_id(7) not in repr(bench.offender()), "nor of what nobody knows"


def test_that_it_is_late_says_the_service_alone() -> None:
    bench = Bench()
    bench.put(report(1, force=["12"]), conclude("ana", late=True), conclude("bo", late=True))
    assert bench.codes() == set()


def test_an_expunction_takes_the_words_with_it() -> None:
    bench = Bench()
    bench.put(report(1, force=["12"]), report(2), conclude("ana"), expunged(1))
    assert incident_id(1) not in repr(bench.offender())


# raises --------------------------------------------------------------------------------------------------------------


def test_a_raise_is_above_the_rules_until_its_day() -> None:
    bench = Bench()
    bench.put(report(1), report(2))
    bench.put(raised("B"))
    last = decisions(bench)[-1]
    assert (last.tier, last.previous_tier, last.change) == (Tier.B, Tier.D, Change.ESCALATED)
    assert (last.pair_id, last.raised_until, last.rules) == (None, later(90), ["d-suspicion"])
    assert bench.tiers() == {HIM: "B"}
    assert {one.incident_id: one.tier for one in bench.live_referrals().values()} == {
        incident_id(1): Tier.D,
        incident_id(2): Tier.B,
    }
    assert tick(bench, 89).result == "none"
    bench.put(report(3, charged=True))
    assert (decisions(bench)[-1].tier, decisions(bench)[-1].change) == (Tier.B, Change.KEPT)
    tick(bench, 90)
    last = decisions(bench)[-1]
    assert (last.tier, last.change, last.raised_until) == (Tier.C, Change.LOWERED, None), "the rules' word, not less"
    assert acted(bench)[-1] == ("raise", "ended", "clock")
    assert bench.offender().wake_at is None
    assert tick(bench, 91).result == "none"


def test_a_person_may_end_it_and_the_gravest_counts() -> None:
    bench = Bench()
    bench.put(report(1))
    first, second = raised("B"), raised("A", day=51)
    bench.put(first, second)
    assert bench.offender().tier is Tier.A
    bench.put(act(EndRaise, raise_id=second.id, day=52))
    assert bench.offender().tier is Tier.B
    bench.put(act(EndRaise, raise_id=first.id, day=53))
    assert bench.offender().tier is Tier.D
    assert acted(bench)[-1] == ("raise", "ended", "ana")


def test_a_raise_goes_with_a_merge_and_falls_with_what_it_stood_on() -> None:
    bench = Bench()
    bench.put(report(1, "O-2"), raised("A", him="O-2"), report(2), merged("O-2"))
    assert bench.offender().tier is Tier.A
    bench.put(retracted(1, "O-2"), retracted(2))
    assert bench.offender().tier is None


# D -------------------------------------------------------------------------------------------------------------------


def test_a_suspicion_nobody_validated_is_purged_and_her_help_goes_on() -> None:
    bench = Bench()
    bench.put(report(1), report(2, day=400))
    lapse = (report(1).data.reported_at + PRACTICE.validate_d_after - later(0)) / timedelta(days=1)
    assert bench.offender().wake_at == later(lapse)
    assert tick(bench, lapse - 0.01).result == "none"
    tick(bench, lapse)
    him = bench.offender()
    assert set(him.assessment.findings) == {incident_id(2)} and him.tier is Tier.D
    assert pair(1) in decisions(bench)[-1].withdrawn_pair_ids and decisions(bench)[-1].purged
    assert not [one for one in bench.of(Topic.REFERRALS) if isinstance(one, ReferralWithdrawn)]
    tick(bench, lapse + 400)
    last = decisions(bench)[-1]
    assert (bench.offender().tier, last.change) == (None, Change.REMOVED)
    bench.put(report(1, revision=2, charged=True))
    assert bench.offender().tier is Tier.C, "a charge filed later counts"


def test_a_validated_d_stays_for_another_term_and_c_for_ever() -> None:
    bench = Bench()
    bench.put(report(1), act(ValidateD, day=1800))
    assert tick(bench, 1830).result == "none" and bench.offender().tier is Tier.D
    assert bench.offender().wake_at == later(1800) + PRACTICE.validate_d_after
    bench.put(report(2, charged=True))
    assert bench.offender().wake_at is None
    assert tick(bench, 9000).result == "none" and bench.offender().tier is Tier.C


def two_calls_are_c() -> Policy:
    rules = json.loads(PRACTICE.canonical())["rules"]
    two = {"id": "c-two-calls", "tier": "C", "source": "county", "when": {"suspicions": {"at_least": 2}}}
    return changed(PRACTICE, {"version": "2"}, [*rules, two])


def test_nothing_is_purged_by_a_policy_no_longer_in_force() -> None:
    """Who was not decided again yet is so first, and what follows for him waits for a person."""
    bench = Bench()
    bench.put(report(1), report(2))
    lapse, other = bench.offender().wake_at, two_calls_are_c()
    assert lapse is not None
    bench.service = compose(other, SEAL)
    bench.kept = other.digest
    day = (lapse - later(0)) / timedelta(days=1)
    tick(bench, day + 1)
    him, last = bench.offender(), decisions(bench)[-1]
    assert (him.tier, him.wake_at, len(him.history.strands)) == (Tier.C, None, 2)
    assert (last.tier, last.change, last.bulk, last.purged, last.policy) == (
        Tier.C,
        Change.ESCALATED,
        True,
        False,
        other.ref,
    )
    said = len(bench.said)
    assert tick(bench, day + 2).result == "none" and len(bench.said) == said


def test_the_term_is_that_of_the_policy_in_force() -> None:
    bench = Bench()
    bench.put(report(1))
    lapse = bench.offender().wake_at
    other = changed(PRACTICE, {"version": "2", "validate_d_after_days": 100})
    bench.service = compose(other, SEAL)
    bench.kept = other.digest
    assert lapse is not None
    day = (lapse - later(0)) / timedelta(days=1)
    tick(bench, day)
    assert (bench.offender().tier, decisions(bench)[-1].purged) == (Tier.D, False), "decided again first"
    assert bench.offender().wake_at == report(1).data.reported_at + timedelta(days=100)
    tick(bench, day + 1)
    assert (bench.offender().tier, decisions(bench)[-1].purged, decisions(bench)[-1].bulk) == (None, True, False)


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ([*PRACTICE.codes.intimate, "AQ"], [(2, False, []), (None, True, [1])]),
        (["SE", "BG"], [(None, False, [2]), (None, True, [1])]),
    ],
)
def test_what_another_policy_changes_is_said_apart_from_what_is_purged(
    codes: list[str], said: list[tuple[int | None, bool, list[int]]]
) -> None:
    """The one opens and withdraws, the other leaves her help alone."""
    bench, other = Bench(), changed(PRACTICE, {"version": "2", "codes.intimate": codes})
    whom = "AQ" if "AQ" in codes else "HR"
    bench.put(report(1), report(2, day=1800, victims=[whom]), report(3, day=1801))
    before = len(decisions(bench))
    bench.service = compose(other, SEAL)
    bench.kept = other.digest
    tick(bench, 1830)
    tick(bench, 1831)
    assert [(one.incident_id, one.purged, one.withdrawn_pair_ids) for one in decisions(bench)[before:]] == [
        (number and incident_id(number), purged, [pair(each) for each in ended]) for number, purged, ended in said
    ]
    assert {one.incident_id for one in bench.live_referrals().values()} == {
        incident_id(number) for number in (1, 2, 3) if (number, whom) != (2, "HR")
    }


# challenges ----------------------------------------------------------------------------------------------------------


def test_a_challenge_is_said_until_two_people_give_one_answer() -> None:
    bench = Bench()
    bench.put(report(1, charged=True))
    opened = act(ChallengeListing, challenger=Challenger.COUNSEL, ground=ChallengeGround.NOT_A_PARTNER)
    bench.put(opened)
    assert (decisions(bench)[-1].challenged, decisions(bench)[-1].change) == (True, Change.KEPT)
    again = act(ChallengeListing, "bo", challenger=Challenger.PERSON, ground=ChallengeGround.FACTS)
    assert bench.put(again).result == "refused:already_challenged"
    bench.put(report(2, charged=True))
    assert decisions(bench)[-1].challenged

    def answer(by: str, outcome: ChallengeOutcome) -> str:
        return bench.put(act(AnswerChallenge, by, challenge_id=opened.id, outcome=outcome)).result

    assert answer("ana", ChallengeOutcome.STANDS) == answer("bo", ChallengeOutcome.WITHDRAWN) == "applied"
    assert bench.offender().history.challenged
    assert answer("cy", ChallengeOutcome.STANDS) == "applied"
    assert not decisions(bench)[-1].challenged and bench.offender().tier is Tier.B
    assert acted(bench)[-1] == ("challenge", "closed", "cy")
    assert answer("di", ChallengeOutcome.STANDS) == "refused:already_answered"


# also a victim -------------------------------------------------------------------------------------------------------


def hurt(number: int, by: str, whom: str) -> Event[Any]:
    return report(number, by, victims=[Victim(victim_id=whom, relationship="SE")], charged=True)


@pytest.mark.parametrize("first", [True, False])
def test_who_is_also_a_victim_keeps_his_tier_and_people_look(first: bool) -> None:
    bench = Bench()
    two = [hurt(1, "O-2", HIM), report(2, charged=True)]
    bench.put(*(two if first else reversed(two)))
    assert bench.offender().tier is Tier.C
    assert bench.codes() == {("002", "also_victim")}
    told = [one for one in decisions(bench) if one.offender_id == HIM][-1]
    assert (told.review, told.pair_id) == ([ReviewCode.ALSO_VICTIM], pair(2))
    assert "O-2" not in told.model_dump_json(), "by whom he was hurt is not said"
    also: dict[str, Any] = {"number": 2, "code": ReviewCode.ALSO_VICTIM}
    bench.put(conclude("ana", **also))
    assert bench.put(conclude("bo", **also)).result == "refused:same_role"
    assert bench.put(conclude("bo", role=Role.PROSECUTOR, **also)).result == "refused:role"
    bench.put(conclude("bo", role=Role.OUTREACH_SUPERVISOR, **also))
    assert bench.codes() == set()


def test_nor_do_two_of_one_role_close_it_on_the_page_of_a_record_that_was_merged() -> None:
    bench = Bench()
    bench.put(hurt(1, "O-2", HIM), report(2, charged=True), merged("O-3"))
    also: dict[str, Any] = {"number": 2, "code": ReviewCode.ALSO_VICTIM, "him": "O-3"}
    bench.put(conclude("ana", **also), conclude("bo", **also), conclude("cy", role=Role.PROSECUTOR, **also))
    assert bench.codes() == {("002", "also_victim")}
    bench.put(conclude("dee", role=Role.OUTREACH_SUPERVISOR, **also))
    assert bench.codes() == set()


def test_it_ends_with_the_last_incident_of_the_case_and_goes_with_a_merge() -> None:
    bench = Bench()
    bench.put(hurt(1, "O-2", "O-3"), hurt(2, "O-2", "O-3"), report(3, "O-3"), retracted(1, "O-2"))
    assert bench.codes("O-3") == {("003", "also_victim")}
    bench.put(report(4), merged("O-3"))
    assert bench.codes() == {("003", "also_victim"), ("004", "also_victim")}
    bench.put(retracted(2, "O-2"))
    assert bench.codes() == set()


def test_of_a_victim_who_is_no_offender_nothing_stays_once_her_case_is_gone() -> None:
    bench = Bench()
    bench.put(hurt(1, "O-2", "V-9"))
    assert bench.offender("V-9").victim_of and bench.offender("V-9").tier is None
    bench.put(expunged(1, "O-2"))
    assert "V-9" not in bench.offenders
    assert bench.put(event(NotedVictim(offender_id="V-9", case="c", withdrawn=True), "V-9", later(3))).result == "none"


# levers --------------------------------------------------------------------------------------------------------------


def test_levers_are_read_from_the_history_and_never_told() -> None:
    bench = Bench()
    offenses = [
        Offense(code="13B", charged=True),
        Offense(code="35A", charged=True, statute="90-95", disposition=Disposition.PENDING),
    ]
    partner = Victim(victim_id="V", relationship="SE", offenses=["13B"])
    bench.put(
        report(1, offenses=offenses, victims=[partner], arrest="A-1"), report(2, charged=True), report(3, charged=True)
    )
    assert bench.offender().tier is Tier.A
    assert [(one.offense, one.statute) for one in levers(bench.offender(), PRACTICE)] == [("35A", "90-95")]
    assert not [one for one in bench.said if "90-95" in one.event.data.model_dump_json()]
