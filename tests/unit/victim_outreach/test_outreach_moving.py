"""Two records turn out to be one man, or one to be two: what is kept of her goes with the incident."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.advocacy import (
    Answer,
    ChannelSafety,
    CloseCase,
    ConsentRecipient,
    ConsentScope,
    ContactSafety,
    GiveConsent,
    LinkVictims,
    RecordSafeContact,
    RecordScreen,
    RevokeConsent,
    TakeOver,
    UnlinkVictims,
)
from schemas.classification import Tier
from schemas.commands import Attempt, CancelTask, Claim, Complete, LiftSafetyHold, Role, SafetyHold
from schemas.envelope import Data, pair_id, referral_id
from schemas.outreach import AttemptOutcome, CaseCloseReason, ContactChannel, GateChanged, TaskCancelReason, TaskKind
from schemas.topics import Topic
from services.victim_outreach.domain import CaseFile, Referral
from services.victim_outreach.rules import address_of, is_quiet, safe_contact
from tests.harness.outreach import (
    HIM,
    POLICY,
    Bench,
    amended,
    custody,
    failed,
    incident,
    opened,
    pair,
    planned,
    ref,
    released,
    served,
    withdrawn,
)

HE = "O-9"
CALL, TEXT = ContactChannel.CALL, ContactChannel.TEXT
AFTER = TaskKind.AFTER_DELIVERY
CLOSING: dict[str, Any] = {"reason": CaseCloseReason.HER_WORD, "role": Role.OUTREACH_SUPERVISOR}


def moved(number: int = 1) -> Data:
    return withdrawn(number).model_copy(update={"moved_to": HE})


def there(number: int = 1, victim_id: str | None = "V-1", **more: Any) -> Data:
    his = pair_id(incident(number), HE)
    ids: dict[str, Any] = {"offender_id": HE, "pair_id": his, "referral_id": referral_id(his, 1)}
    return opened(number, victim_id=victim_id, **ids, **more)


def withdrawn_there(referral: Referral, to: str) -> Data:
    ids = {"referral_id": referral.referral_id, "pair_id": referral.pair_id, "offender_id": HE}
    return withdrawn().model_copy(update={**ids, "moved_to": to})


def relayed(bench: Bench) -> list[TakeOver]:
    found = [out for out in bench.out if isinstance(out.event.data, TakeOver)]
    assert all((out.topic, out.other_lane) == (Topic.VICTIM_OUTREACH_COMMANDS, True) for out in found)
    assert {out.event.subject for out in found} <= {HE}
    bench.out = [out for out in bench.out if out not in found]
    return [out.event.data for out in found if isinstance(out.event.data, TakeOver)]


@pytest.fixture
def one() -> Bench:
    bench = Bench()
    bench.put(opened())
    bench.reach()
    bench.safe(TEXT, unsafe=[ChannelSafety(channel=CALL, safety=ContactSafety.UNSAFE)])
    bench.advise(RecordScreen, answers=[Answer.NO] * 11)
    bench.hold()
    return bench


@pytest.fixture
def other() -> Bench:
    return Bench(file=CaseFile(HE))


def his_gate(bench: Bench, number: int = 1) -> str:
    his = pair_id(incident(number), HE)
    return [one.gate for one in bench.told(GateChanged) if one.pair_id == his][-1]


@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_what_is_kept_of_her_goes_with_it_in_either_order(one: Bench, other: Bench, first: str) -> None:
    opened_at = one.file.referrals[ref()].opened_at
    one.wait(hours=1).put(moved())
    [data] = relayed(one)
    other.now = one.now
    records = [there(), data] if first == "referral" else [data, there()]
    other.put(*records)
    [referral] = other.file.referrals.values()
    assert other.file.on_hold
    assert [profile.case_id for profile in other.file.profiles.values()] == [referral.case_id]
    assert [screen.result for screen in other.file.screens.values()] == ["not_high"]
    assert [attempt.case_id for attempt in other.file.attempts.values()] == [referral.case_id]
    assert referral.live
    assert referral.opened_at == opened_at
    assert his_gate(other) == "shut"
    other.put(data)  # of a second incident of hers the same is said
    assert len(other.file.screens) == len(other.file.profiles) == len(other.file.holds) == 1
    other.wait(hours=72).on_the_round()  # the hold has run out: she was reached for this very incident
    assert his_gate(other) == "clear"


@pytest.mark.parametrize("named", [opened(), opened(victim_id=None)], ids=["here", "there"])
@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_where_somebody_else_answered_before_she_was_named_is_shut_there_too(
    other: Bench, first: str, named: Data
) -> None:
    bench = Bench()
    bench.put(opened(victim_id=None))
    bench.claim(TaskKind.IDENTIFY_VICTIM)
    bench.attempt(TaskKind.IDENTIFY_VICTIM, AttemptOutcome.OTHER_PERSON)
    bench.put(named, moved())
    other.now = bench.now
    records = [there(), *relayed(bench)]
    other.put(*(records if first == "referral" else reversed(records)))
    [referral] = other.file.referrals.values()
    tries = other.file.tries_of(referral.case_id)
    assert not safe_contact(other.file.profiles_of(referral.case_id), tries, other.now).is_open(CALL)
    assert referral.case_id not in other.file.attempts_by_case


def _named_wrongly() -> Bench:
    """Nobody was named when she said it; then V-1, and then his record was merged."""
    bench = Bench()
    bench.put(opened(victim_id=None))
    bench.safe(TEXT, role=Role.OFFICER, no_contact=True)
    bench.advise(RecordScreen, answers=[Answer.YES] * 11)
    bench.put(amended(victim_id="V-1"), moved())
    return bench


@pytest.mark.parametrize("before", ["hand-over, V-1", "V-1, hand-over", "hand-over", "nothing"])
def test_named_wrongly_before_his_record_was_merged_and_rightly_since(other: Bench, before: str) -> None:
    bench = _named_wrongly()
    other.now = bench.now
    [data] = relayed(bench)
    records = {"hand-over": data, "V-1": there()}
    other.put(there(2), *(records[each] for each in before.split(", ") if each in records), there(victim_id="V-2"))
    other.put(data)
    cases = {one.victim_id: one.case_id for one in other.file.referrals.values()}
    assert [address_of(other.file.profiles_of(each), TEXT, other.now) for each in cases.values()] == [None, None]
    assert is_quiet(other.file, cases["V-2"])
    high = {task.victim_id for task in other.file.unfinished_tasks() if task.kind is TaskKind.HIGH_DANGER_CALL}
    assert "V-2" in high


@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_what_she_has_taken_back_since_she_was_named_does_not_return_with_the_merge(other: Bench, first: str) -> None:
    bench = Bench()
    bench.put(opened(victim_id=None))
    bench.safe(role=Role.OFFICER, no_contact=True)
    bench.put(amended(victim_id="V-1"))
    bench.safe(TEXT, role=Role.OFFICER)
    bench.put(moved())
    other.now = bench.now
    records = [there(), *relayed(bench)]
    other.put(*(records if first == "referral" else reversed(records)))
    [referral] = other.file.referrals.values()
    assert not is_quiet(other.file, referral.case_id)
    assert address_of(other.file.profiles_of(referral.case_id), TEXT, other.now) is not None


@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_no_clock_starts_anew(one: Bench, other: Bench, first: str) -> None:
    due = one.task(TaskKind.WRITTEN_INFORMATION).due_at
    one.wait(hours=50).put(moved())
    other.now = one.now
    records = [there(), *relayed(one)]
    other.put(*(records if first == "referral" else reversed(records)))
    assert other.task(TaskKind.WRITTEN_INFORMATION).due_at == due


@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_a_corrected_list_takes_no_task_from_her_there_either(other: Bench, first: str) -> None:
    one = Bench()
    one.put(opened(tier=Tier.A), amended(tier=Tier.C))
    rest = one.open_kinds()
    assert TaskKind.CASE_MANAGEMENT in rest
    one.put(moved())
    other.now = one.now
    records = [there(), *relayed(one)]
    other.put(*(records if first == "referral" else reversed(records)))
    assert other.open_kinds() == rest
    assert {one.gravest for one in other.file.referrals.values()} == {Tier.A}


def test_a_hold_on_a_page_that_was_still_open_holds_where_she_is_now(one: Bench, other: Bench) -> None:
    one.lift()
    one.put(moved())
    other.put(*relayed(one), there())
    assert not other.file.on_hold
    assert one.hold("H-2") == "applied"
    other.put(*relayed(one))
    assert other.file.on_hold
    assert other.hold("H-2") == "applied"  # the same hold, and may be renewed there


def test_a_hold_renewed_on_such_a_page_is_renewed_where_she_is_now(one: Bench, other: Bench) -> None:
    one.put(moved())
    other.put(*relayed(one), there())
    other.now = one.wait(hours=48).now
    assert one.hold() == "applied"
    other.put(*relayed(one))
    other.wait(hours=48).on_the_round()  # the first 72 h are over
    assert other.file.on_hold
    other.wait(hours=24).on_the_round()
    assert not other.file.on_hold


def test_the_end_of_a_hold_is_called_out_where_she_is_now_and_nowhere_else(one: Bench, other: Bench) -> None:
    """Whoever was told before it moved saw another list; renewed on such a page, it is near no end in either lane."""
    one.wait(hours=50).tick()
    assert one.file.holds["H-1"].alerts == 1
    one.put(moved())
    other.now = one.now
    other.put(*relayed(one), there())
    assert (other.file.holds["H-1"].alerts, other.file.holds["H-1"].alerted_at) == (1, other.now)
    one.wait(hours=12).tick()
    assert (one.file.holds["H-1"].alerts, one.file.holds["H-1"].alerted_at) == (1, None)
    other.wait(hours=12).tick()
    assert other.file.holds["H-1"].alerts == 2
    assert one.hold() == "applied"
    other.put(*relayed(one))
    assert (other.file.holds["H-1"].alerts, other.file.holds["H-1"].alerted_at) == (2, None)
    other.wait(hours=48).tick()
    assert (other.file.holds["H-1"].alerts, other.file.holds["H-1"].alerted_at) == (3, other.now)


def test_a_hold_lifted_where_she_is_now_is_not_put_back_by_an_older_word(one: Bench, other: Bench) -> None:
    one.put(moved())
    other.put(*relayed(one), there())
    assert other.lift() == "applied"
    one.safe(no_contact=True)  # says the hold again, as it was
    other.put(*relayed(one))
    assert not other.file.on_hold


def test_a_hold_lifted_on_such_a_page_is_lifted_where_she_is_now(one: Bench, other: Bench) -> None:
    one.put(moved())
    other.put(*relayed(one), there())
    assert other.file.on_hold
    assert one.lift() == "applied"
    other.put(*relayed(one))
    assert not other.file.on_hold
    assert other.file.holds["H-1"].ended_at == one.now


def test_lifted_on_such_a_page_it_holds_where_it_was_renewed_since(one: Bench, other: Bench) -> None:
    one.put(moved())
    other.put(*relayed(one), there())
    other.now = one.wait(hours=1).now
    assert other.hold() == "applied"
    assert one.lift() == "applied"
    other.put(*relayed(one))
    assert other.file.on_hold


def test_a_lift_before_it_moved_is_known_where_the_hold_came_first(one: Bench, other: Bench) -> None:
    """Two incidents of hers, moved one after the other: the lift lies between."""
    one.put(opened(2, victim_id="V-1"), moved())
    other.put(*relayed(one), there())
    assert one.lift() == "applied"
    relayed(one)  # has not come there yet
    one.put(moved(2))
    other.put(*relayed(one))
    assert not other.file.on_hold


def split() -> tuple[Bench, Bench]:
    """Man 1 keeps what was done to V-1; what was done to V-2 was another's. Both are held since before it was known."""
    one, other = Bench(), Bench(file=CaseFile(HE))
    one.put(opened(1), opened(2, victim_id="V-2"))
    one.hold()
    one.put(moved(2))
    other.put(*relayed(one), there(2, victim_id="V-2"))
    assert other.file.on_hold
    other.now = one.wait(hours=1).now
    return one, other


def test_a_hold_on_one_of_two_men_is_not_lifted_with_the_others() -> None:
    one, other = split()
    assert one.lift() == "applied"
    assert relayed(one) == []
    assert (one.file.on_hold, other.file.on_hold) == (False, True)


def test_a_hold_placed_with_one_of_two_men_is_of_him_alone() -> None:
    one, other = split()
    other.put(LiftSafetyHold(offender_id=HE, by="ada", role=Role.ADVOCATE, hold_id="H-1"))
    assert one.hold("H-2") == one.hold("H-3", case_id=one.case(1)) == "applied"
    assert relayed(one) == []
    one.safe(TEXT, case_id=one.case(2))
    other.put(*relayed(one))
    assert not other.file.on_hold


def test_a_hold_on_the_page_of_a_woman_who_went_with_the_other_man_holds_him() -> None:
    one, other = split()
    assert one.hold("H-2", case_id=one.case(2)) == "applied"
    other.put(*relayed(one))
    assert other.file.holds.keys() == {"H-1", "H-2"}
    assert one.lift("H-1", case_id=one.case(2)) == one.lift("H-2", case_id=one.case(2)) == "applied"
    other.put(*relayed(one))
    assert not other.file.on_hold


def test_an_incident_that_goes_to_the_other_man_later_lifts_no_hold_on_him() -> None:
    one, other = split()
    one.put(opened(3, victim_id="V-2"))
    assert one.lift() == "applied"
    one.put(moved(3))
    other.put(*relayed(one))
    assert other.file.on_hold


def test_what_is_said_of_an_unnamed_woman_on_such_a_page_finds_her(other: Bench) -> None:
    one = Bench()
    one.put(opened(victim_id=None), moved())
    other.put(*relayed(one), there(victim_id=None))
    [case] = other.file.cases
    one.safe(no_contact=True)
    other.put(*relayed(one))
    assert [(profile.case_id, profile.no_contact) for profile in other.file.profiles.values()] == [(case, True)]


def test_withdrawn_twice_she_is_found_all_the_same(other: Bench) -> None:
    one = Bench()
    one.put(opened(victim_id=None), moved(), moved())
    other.put(there(victim_id=None))
    relayed(one)
    one.safe(no_contact=True)
    other.put(*relayed(one))
    assert [profile.case_id for profile in other.file.profiles.values()] == list(other.file.cases)


def test_a_screen_on_such_a_page_has_her_called_where_she_is_now(one: Bench, other: Bench) -> None:
    one.put(moved())
    other.put(*relayed(one), there())
    assert TaskKind.HIGH_DANGER_CALL not in other.open_kinds()
    one.wait(minutes=1).advise(RecordScreen, answers=[Answer.YES] * 11)
    other.put(*relayed(one))
    assert TaskKind.HIGH_DANGER_CALL in other.open_kinds()


def test_a_consent_revoked_on_such_a_page_is_revoked_where_she_is_now(one: Bench, other: Bench) -> None:
    until = one.now + timedelta(days=10)
    said: dict[str, Any] = {"scope": ConsentScope.SAFE_CONTACT, "recipient": ConsentRecipient.AGENCY, "named": "HPPD"}
    assert one.advise(GiveConsent, consent_id="C-1", signed=True, until=until, **said) == "applied"
    one.put(moved())
    other.put(*relayed(one), there())
    assert other.file.consents["C-1"].revoked_at is None
    assert one.advise(RevokeConsent, consent_id="C-1") == "applied"
    other.put(*relayed(one))
    assert other.file.consents["C-1"].revoked_at == one.now


def test_a_link_taken_back_after_the_merge_leaves_what_she_forbade_before_it(other: Bench) -> None:
    one = Bench()
    one.put(opened())
    one.safe(no_contact=True)
    one.link()
    one.safe(TEXT)
    one.put(moved())
    other.now = one.now
    other.put(*relayed(one), there())
    assert TaskKind.CALL in other.open_kinds()
    act: dict[str, Any] = {"offender_id": HE, "by": "ada", "role": Role.COMMUNITY_ADVOCATE}
    assert other.put(UnlinkVictims(**act, victim_id="V-1", other_victim_id="V-2")).result == "applied"
    assert TaskKind.CALL not in other.open_kinds()


@pytest.mark.parametrize("linked_there", [False, True])
def test_two_women_taken_for_one_have_each_her_own_after_the_merge(other: Bench, linked_there: bool) -> None:
    one = Bench()
    one.put(opened(1), opened(2, victim_id="V-2"))
    until = one.now + timedelta(days=10)
    said: dict[str, Any] = {"scope": ConsentScope.SAFE_CONTACT, "recipient": ConsentRecipient.AGENCY, "named": "HPPD"}
    one.advise(RecordScreen, case_id=one.case(2), answers=[Answer.YES] * 11)
    one.safe(no_contact=True, case_id=one.case(2))
    one.advise(GiveConsent, consent_id="C-2", signed=True, until=until, case_id=one.case(2), **said)
    one.safe(CALL, TEXT)
    one.wait(hours=1).link()
    one.wait(hours=1).put(moved(1), moved(2))
    other.now = one.now
    if linked_there:
        other.put(there(1), there(2, victim_id="V-2"), *relayed(one))
    else:
        other.put(*relayed(one), there(1), there(2, victim_id="V-2"))
    first, second = (act(other, number)["case_id"] for number in (1, 2))
    assert first == second
    assert is_quiet(other.file, first), "of one woman the stricter word holds"
    assert TaskKind.HIGH_DANGER_CALL in other.open_kinds()
    by: dict[str, Any] = {"offender_id": HE, "by": "ada", "role": Role.COMMUNITY_ADVOCATE}
    other.wait(hours=1).put(UnlinkVictims(**by, victim_id="V-1", other_victim_id="V-2"))
    first, second = (act(other, number)["case_id"] for number in (1, 2))
    assert (is_quiet(other.file, first), is_quiet(other.file, second)) == (False, True)
    danger = [task for task in other.file.unfinished_tasks() if task.kind is TaskKind.HIGH_DANGER_CALL]
    assert {task.victim_id for task in danger} == {"V-2"}
    assert {task.victim_id for task in other.file.unfinished_tasks() if task.kind is TaskKind.CALL} == {"V-1"}
    assert other.file.consents["C-2"].case_id == second
    [hers] = other.file.profiles_of(first)
    assert hers.says(TEXT) is ContactSafety.SAFE


def test_what_an_older_lane_kept_of_both_ids_in_one_case_is_read_as_it_says(other: Bench) -> None:
    one = Bench()
    one.put(opened(1), opened(2, victim_id="V-2"))
    one.safe(no_contact=True, case_id=one.case(2))
    one.link()
    one.put(moved(1), moved(2))
    sent = relayed(one)
    other.put(there(1), there(2, victim_id="V-2"))
    case = act(other, 1)["case_id"]
    for data in sent:
        profiles = [profile | {"case_id": case} for profile in data.kept["profiles"]]
        kept = {key: each for key, each in data.kept.items() if key != "closings"} | {"profiles": profiles}
        other.put(data.model_copy(update={"kept": kept}))
    assert act(other, 1)["case_id"] == act(other, 2)["case_id"]
    assert is_quiet(other.file, act(other, 1)["case_id"])


def test_a_consent_under_an_id_that_was_linked_since_is_revoked_where_she_is_now(other: Bench) -> None:
    one = Bench()
    one.put(opened(victim_id="V-2"))
    was, until = one.case(), one.now + timedelta(days=10)
    said: dict[str, Any] = {"scope": ConsentScope.SAFE_CONTACT, "recipient": ConsentRecipient.AGENCY, "named": "HPPD"}
    one.advise(GiveConsent, consent_id="C-1", signed=True, until=until, **said)
    one.link()
    one.put(moved())
    other.put(*relayed(one), there(victim_id="V-2"))
    assert one.advise(RevokeConsent, consent_id="C-1", case_id=was) == "applied"
    other.put(*relayed(one))
    assert other.file.consents["C-1"].revoked_at == one.now


def test_of_two_women_of_one_incident_each_is_told(one: Bench) -> None:
    """One event each: of two under one id the second would be passed over as a repeat."""
    one.put(opened(1, 2, victim_id="V-2"))
    one.safe(case_id=one.case(1, 2), no_contact=True)
    one.put(moved(), withdrawn(1, 2).model_copy(update={"moved_to": HE}))
    one.out.clear()
    assert one.hold("H-2") == "applied"
    sent = [out.event for out in one.out if isinstance(out.event.data, TakeOver)]
    assert len({event.id for event in sent}) == len(sent) == 2


def test_what_she_says_on_such_a_page_holds_there_too(one: Bench, other: Bench) -> None:
    one.put(moved())
    other.put(*relayed(one), there())
    one.safe(no_contact=True)
    other.put(*relayed(one))
    assert [profile.no_contact for profile in other.file.profiles.values()] == [True]
    assert TaskKind.CALL not in other.open_kinds()


def act(bench: Bench, number: int = 1) -> dict[str, Any]:
    """On her page there."""
    case = bench.file.referrals[referral_id(pair_id(incident(number), HE), 1)].case_id
    return {"offender_id": HE, "by": "ada", "role": Role.COMMUNITY_ADVOCATE, "case_id": case}


@pytest.mark.parametrize("what", ["visit", "hold", "screen", "profile of another owner"])
def test_what_she_says_otherwise_there_is_not_undone_by_an_act_on_the_old_page(other: Bench, what: str) -> None:
    one = Bench()
    one.put(opened(), released())
    one.safe(no_contact=True)
    one.put(moved())
    other.put(*relayed(one), there())
    assert TaskKind.CALL not in other.open_kinds()
    other.wait(days=10).put(RecordSafeContact(**act(other), channels=[]))
    assert TaskKind.CALL in other.open_kinds()
    one.now = other.now
    match what:
        case "visit":
            one.put(served())
        case "hold":
            one.hold("H-2")
        case "screen":
            one.advise(RecordScreen, answers=[Answer.NO] * 11)
        case _:
            one.safe(CALL, role=Role.OFFICER)
    other.put(*relayed(one))
    assert TaskKind.CALL in other.open_kinds()


def test_nor_by_what_comes_by_way_of_the_old_record(other: Bench) -> None:
    """A third record of his, merged into the old one before that was known to be merged on."""
    one = Bench()
    one.put(opened())
    one.safe(no_contact=True)
    one.put(moved())
    other.put(*relayed(one), there())
    other.wait(days=10).put(RecordSafeContact(**act(other), channels=[]))
    third = Bench(file=CaseFile("O-3"), now=other.now)
    his = pair_id(incident(3), "O-3")
    ids: dict[str, Any] = {"offender_id": "O-3", "pair_id": his, "referral_id": referral_id(his, 1)}
    third.put(opened(3, **ids), SafetyHold(offender_id="O-3", by="ada", role=Role.ADVOCATE, hold_id="H-3"))
    third.put(withdrawn(3).model_copy(update={**ids, "moved_to": HIM}))
    [data] = [out.event.data for out in third.out if isinstance(out.event.data, TakeOver)]
    one.now = third.now
    one.put(data)
    other.put(*relayed(one))
    assert other.file.on_hold
    assert TaskKind.CALL in other.open_kinds()


def test_of_two_profiles_the_later_with_what_either_forbids(one: Bench, other: Bench) -> None:
    other.put(there())
    [case] = other.file.cases
    other.safe(CALL, ContactChannel.EMAIL, case_id=case)
    one.now = other.now
    one.put(moved())
    other.put(*relayed(one))
    [profile] = other.file.profiles.values()
    assert profile.says(CALL) is ContactSafety.UNSAFE


def test_nothing_goes_where_it_came_from_or_nowhere(one: Bench) -> None:
    one.put(withdrawn())
    assert relayed(one) == []
    again = Bench()
    again.put(opened(), withdrawn().model_copy(update={"moved_to": "O-1"}))
    assert relayed(again) == []


def test_taken_over_and_expunged_before_it_was_told_nothing_of_the_incident_stays(one: Bench, other: Bench) -> None:
    one.put(moved())
    other.put(*relayed(one))
    gone = there()
    assert isinstance(gone, Data)
    ids = {"referral_id": gone.referral_id, "pair_id": gone.pair_id, "offender_id": HE}  # type: ignore[attr-defined]
    other.put(withdrawn().model_copy(update={**ids, "expunged": True}))
    [referral] = other.file.referrals.values()
    assert (referral.incident_id, referral.occurred_at, referral.opened_at) == (None, None, None)


@pytest.mark.parametrize("first", ["file", "plan"])
def test_she_is_not_told_twice_of_a_round_that_goes_with_the_notice(other: Bench, first: str) -> None:
    bench = Bench()
    bench.put(opened(), planned(bench.now + timedelta(days=3)))
    begins = bench.file.deliveries["N-1"].planned_from
    assert begins is not None
    bench.claim(TaskKind.BEFORE_DELIVERY)
    bench.attempt(TaskKind.BEFORE_DELIVERY, AttemptOutcome.REACHED)
    assert bench.complete(TaskKind.BEFORE_DELIVERY) == "applied"
    bench.put(moved())
    [kept] = relayed(bench)
    his = {"offender_id": HE, "pair_id": pair_id(incident(1), HE), "notification_id": "N-9"}
    plan = planned(begins).model_copy(update=his)
    other.now = bench.now
    other.put(there(), *((kept, plan) if first == "file" else (plan, kept)))
    assert TaskKind.BEFORE_DELIVERY not in other.open_kinds()
    other.put(planned(begins + timedelta(days=1)).model_copy(update=his))
    assert TaskKind.BEFORE_DELIVERY in other.open_kinds()


def test_an_expunction_ends_what_is_kept_of_every_victim_of_the_pair() -> None:
    """The withdrawal of one of them was erased before it was out."""
    bench = Bench()
    bench.put(opened(), opened(1, 2, "V-2"))
    bench.put(withdrawn().model_copy(update={"expunged": True}))
    assert [one.incident_id for one in bench.file.referrals.values()] == [None, None]
    assert bench.file.unfinished_tasks() == []


def test_what_was_here_stays_as_it_was(one: Bench) -> None:
    one.put(moved(), custody(released_at=one.now))
    assert relayed(one)
    assert one.file.unfinished_tasks() == []
    assert pair() in one.file.gates


def test_merged_on_before_it_came_it_follows_and_a_ring_comes_to_an_end(one: Bench, other: Bench) -> None:
    other.put(there(2))
    gone = there(2)
    ids = {"referral_id": gone.referral_id, "pair_id": gone.pair_id, "offender_id": HE}  # type: ignore[attr-defined]
    other.put(withdrawn(2).model_copy(update={**ids, "moved_to": "O-1"}))
    other.out.clear()
    [case] = other.file.cases
    other.safe(ContactChannel.EMAIL, case_id=case, unsafe=[ChannelSafety(channel=TEXT, safety=ContactSafety.UNSAFE)])
    other.out.clear()
    one.put(moved())
    other.put(*relayed(one))
    [back] = [out.event.data for out in other.out if isinstance(out.event.data, TakeOver)]
    assert back.offender_id == "O-1"
    rounds = 0
    said = [back]
    while said and rounds < 5:
        rounds += 1
        one.put(*said)
        further = relayed(one)
        other.out.clear()
        for record in further:
            other.put(record)
        said = [out.event.data for out in other.out if isinstance(out.event.data, TakeOver)]
    assert rounds < 5


@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_what_she_declined_is_not_asked_of_her_again(other: Bench, first: str) -> None:
    one = Bench()
    one.put(opened())
    one.claim(TaskKind.CALL)
    one.wait(minutes=5).attempt(outcome=AttemptOutcome.DECLINED)
    rest = [kind for kind in one.open_kinds() if kind is not TaskKind.GATE_REVIEW]
    one.put(moved())
    other.now = one.now
    records = [there(), *relayed(one)]
    other.put(*(records if first == "referral" else reversed(records)))
    assert other.open_kinds() == rest
    assert TaskKind.CALL not in rest
    other.wait(hours=1).put(there(2))
    assert TaskKind.CALL in other.open_kinds(), "of a new incident she is asked anew"


def test_linked_after_a_merge_what_she_declined_and_a_wrong_number_stay_known(other: Bench) -> None:
    one = Bench()
    one.put(opened(victim_id="V-2"))
    one.claim(TaskKind.CALL)
    one.wait(minutes=5).attempt(outcome=AttemptOutcome.OTHER_PERSON)
    one.wait(minutes=5).attempt(outcome=AttemptOutcome.DECLINED, channel=ContactChannel.IN_PERSON)
    one.put(moved())
    other.now = one.now
    other.put(there(victim_id="V-2"), *relayed(one))
    rest = other.open_kinds()
    act: dict[str, Any] = {"offender_id": HE, "by": "ada", "role": Role.COMMUNITY_ADVOCATE}
    assert other.put(LinkVictims(**act, victim_id="V-1", other_victim_id="V-2")).result == "applied"
    assert other.open_kinds() == rest
    [referral] = other.file.referrals.values()
    case = referral.case_id
    assert not safe_contact(other.file.profiles_of(case), other.file.tries_of(case), other.now).is_open(CALL)
    other.out.clear()
    other.put(withdrawn_there(referral, "O-3"))
    [data] = [out.event.data for out in other.out if isinstance(out.event.data, TakeOver)]
    assert len(data.kept["attempts"]) == 2


def afters(bench: Bench) -> list[tuple[str | None, Any]]:
    """For whom, and by when."""
    found = [task for task in bench.file.unfinished_tasks() if task.kind is TaskKind.AFTER_DELIVERY]
    return [(task.victim_id, task.due_at) for task in found]


@pytest.mark.parametrize("visit", [served(), failed()])
@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_a_visit_before_the_merge_is_asked_after_where_she_is_now(other: Bench, first: str, visit: Data) -> None:
    one = Bench()
    one.put(opened(), planned(one.now + timedelta(days=1)), released(), visit)
    [due] = afters(one)
    other.now = one.wait(hours=1).now
    one.put(moved())
    records = [there(), *relayed(one)]
    other.put(*(records if first == "referral" else reversed(records)))
    assert (afters(one), afters(other)) == ([], [due])
    assert [each.came_of for each in other.file.deliveries.values()] == [one.file.deliveries["N-1"].came_of]
    assert TaskKind.BEFORE_DELIVERY not in other.open_kinds()
    assert TaskKind.GATE_REVIEW not in other.open_kinds()


def test_a_visit_told_after_the_merge_is_asked_after_where_she_is_now(other: Bench) -> None:
    """Who gave it was under way."""
    one = Bench()
    one.put(opened(), released(), moved())
    other.put(*relayed(one), there())
    one.put(failed())
    other.put(*relayed(one))
    assert [victim for victim, _ in afters(other)] == ["V-1"]
    one.put(released(), served())
    last = relayed(one)
    other.put(*last)
    assert [victim for victim, _ in afters(other)] == ["V-1"]
    state = other.file
    other.put(*last)
    assert other.file == state


def test_a_visit_that_she_was_asked_after_is_not_asked_after_again(other: Bench) -> None:
    one = Bench()
    one.put(opened(), released(), served())
    one.claim(TaskKind.AFTER_DELIVERY)
    one.attempt(TaskKind.AFTER_DELIVERY, AttemptOutcome.REACHED)
    assert one.complete(TaskKind.AFTER_DELIVERY) == "applied"
    one.put(moved())
    other.put(*relayed(one), there())
    assert afters(other) == []


def test_another_woman_who_was_not_asked_after_it_is_where_she_is_now(other: Bench) -> None:
    """The one on whose account it was has been asked."""
    one = Bench()
    one.put(opened(), opened(2, victim_id="V-2"), released(), served())
    [first] = [task for task in one.file.unfinished_tasks() if (task.kind, task.victim_id) == (AFTER, "V-1")]
    act: dict[str, Any] = {"offender_id": HIM, "by": "ada", "role": Role.ADVOCATE, "task_id": first.task_id}
    one.put(Claim(**act), Complete(**act))
    one.put(moved(), moved(2))
    other.now = one.now
    other.put(there(), there(2, victim_id="V-2"), *relayed(one))
    assert "V-2" in [victim for victim, _ in afters(other)]


def test_merged_on_the_visit_goes_on(other: Bench) -> None:
    one = Bench()
    one.put(opened(), released(), served(), moved())
    other.put(*relayed(one), there())
    [referral] = other.file.referrals.values()
    other.out.clear()
    other.put(withdrawn_there(referral, "O-3"))
    third = Bench(file=CaseFile("O-3"))
    his = pair_id(incident(1), "O-3")
    [data] = [out.event.data for out in other.out if isinstance(out.event.data, TakeOver)]
    third.put(data, opened(offender_id="O-3", pair_id=his, referral_id=referral_id(his, 1)))
    assert [victim for victim, _ in afters(third)] == ["V-1"]


@pytest.fixture
def closed() -> Bench:
    """A case that was closed at her word, with two incidents in it."""
    bench = Bench()
    bench.put(opened(), opened(2))
    bench.reach()
    bench.wait(days=1)
    assert bench.advise(CloseCase, **CLOSING) == "applied"
    bench.wait(days=60).put(moved(), moved(2))
    return bench


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (2, 0, 1, 3), (0, 2, 3, 1), (0, 2, 1, 3)])
def test_a_case_closed_at_her_word_stays_closed(closed: Bench, other: Bench, order: tuple[int, ...]) -> None:
    other.now = closed.now
    records = [there(), there(2), *relayed(closed)]
    other.put(*(records[each] for each in order))
    assert other.open_kinds() == []
    other.put(there(3))
    assert TaskKind.CALL in other.open_kinds(), "a new incident opens it again"
    closed.safe(TEXT)  # says the closing again
    other.put(*relayed(closed))
    assert TaskKind.CALL in other.open_kinds()


def test_a_closing_ends_nothing_that_was_open_over_there(closed: Bench, other: Bench) -> None:
    """Closed since another has her case, say: of an incident told of two offenders who are one man."""
    other.wait(minutes=5).put(there(), there(2))
    other.now = closed.now
    other.put(*relayed(closed))
    assert TaskKind.CALL in other.open_kinds()


@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_a_graver_list_under_the_other_record_opens_a_closed_case(closed: Bench, other: Bench, first: str) -> None:
    other.now = closed.now
    kept = relayed(closed)
    records = [there(tier=Tier.A), *kept] if first == "referral" else [*kept, there(tier=Tier.A)]
    other.put(*records, there(2))
    assert TaskKind.SAFETY_PLANNING in other.open_kinds()
    assert max(one.clocks_from for one in other.file.referrals.values() if one.clocks_from) > closed.now
    closed.safe(TEXT)  # says the closing again
    other.put(*relayed(closed))
    assert TaskKind.SAFETY_PLANNING in other.open_kinds()


def test_closed_on_a_page_that_was_still_open_it_is_closed_where_she_is_now(other: Bench) -> None:
    one = Bench()
    one.put(opened(), moved())
    other.put(*relayed(one), there())
    assert TaskKind.CALL in other.open_kinds()
    one.wait(minutes=5)
    assert one.advise(CloseCase, **CLOSING) == "applied"
    other.put(*relayed(one))
    assert other.open_kinds() == []


def test_her_case_with_one_of_two_men_is_closed_alone(other: Bench) -> None:
    """An ordinary closing, a minute or a day after they turned out to be two."""
    one = Bench()
    one.put(opened(), opened(2), moved(2))
    other.put(*relayed(one), there(2))
    kinds = other.open_kinds()
    assert TaskKind.WRITTEN_INFORMATION in kinds
    assert one.advise(CloseCase, **CLOSING) == "applied"
    assert relayed(one) == []
    assert one.open_kinds() == []
    assert other.open_kinds() == kinds


def test_of_two_women_the_one_who_went_is_closed_where_she_is_now(other: Bench) -> None:
    """On a page that was open when it was found; with the other there is still something to do."""
    one = Bench()
    one.put(opened(), opened(2, victim_id="V-2"), moved(2))
    other.put(*relayed(one), there(2, victim_id="V-2"))
    one.wait(minutes=5)
    assert one.advise(CloseCase, case_id=one.case(2), **CLOSING) == "applied"
    other.put(*relayed(one))
    assert other.open_kinds() == []


@pytest.mark.parametrize("done", [False, True])
def test_a_case_that_has_gone_is_not_closed_from_the_old_page_weeks_later(other: Bench, done: bool) -> None:
    one = Bench()
    one.put(opened())
    if done:
        act: dict[str, Any] = {"offender_id": HIM, "by": "sue", "role": Role.OUTREACH_SUPERVISOR}
        one.put(*(CancelTask(**act, task_id=task.task_id) for task in one.file.unfinished_tasks()))
    one.put(moved())
    other.put(*relayed(one), there())
    kinds = other.open_kinds()
    other.now = one.wait(days=60).now
    assert one.advise(CloseCase, reason=CaseCloseReason.SERVED, role=Role.ADVOCATE) == "refused:moved"
    assert relayed(one) == []
    assert other.open_kinds() == kinds


def test_retracted_and_never_moved_a_case_is_closed_as_ever() -> None:
    one = Bench()
    one.put(opened(), withdrawn())
    one.wait(days=60)
    assert one.advise(CloseCase, reason=CaseCloseReason.SERVED, role=Role.ADVOCATE) == "applied"


def test_merged_on_no_other_woman_is_closed_with_the_one_who_was(other: Bench) -> None:
    """The other one's case was closed before that, and open all the same where both are now."""

    def further(number: int, victim_id: str) -> Data:
        his = pair_id(incident(number), "O-3")
        return opened(number, victim_id=victim_id, offender_id="O-3", pair_id=his, referral_id=referral_id(his, 1))

    one, third = Bench(), Bench(file=CaseFile("O-3"))
    one.put(opened(1), opened(2, victim_id="V-2"), moved(1), moved(2))
    other.now = one.now
    other.put(*relayed(one), there(1), there(2, victim_id="V-2"))
    third.put(further(2, "V-2"))
    assert other.put(CloseCase(**act(other, 2) | CLOSING)).result == "applied"
    for referral in list(other.file.referrals.values()):
        other.put(withdrawn_there(referral, "O-3"))
    third.now = other.now
    third.put(*(out.event.data for out in other.out if isinstance(out.event.data, TakeOver)), further(1, "V-1"))
    other.out.clear()
    assert {task.victim_id for task in third.file.unfinished_tasks()} == {"V-1", "V-2"}
    one.now = other.now
    assert one.advise(CloseCase, case_id=one.case(1), **CLOSING) == "applied"
    other.put(*relayed(one))
    third.put(*(out.event.data for out in other.out if isinstance(out.event.data, TakeOver)))
    assert {task.victim_id for task in third.file.unfinished_tasks()} == {"V-2"}


@pytest.mark.parametrize("first", ["referral", "hand-over"])
def test_tries_in_vain_count_on(other: Bench, first: str) -> None:
    most = POLICY.outreach.stop_after_attempts
    one = Bench()
    one.put(opened())
    one.claim(TaskKind.CALL)
    for _ in range(most - 1):
        one.wait(minutes=5).attempt()
    one.put(moved())
    other.now = one.now
    records = [there(), *relayed(one)]
    other.put(*(records if first == "referral" else reversed(records)))
    call = other.task(TaskKind.CALL)
    act: dict[str, Any] = {"offender_id": HE, "by": "ada", "role": Role.ADVOCATE, "task_id": call.task_id}
    other.put(Claim(**act))
    tried: dict[str, Any] = {"channel": CALL, "outcome": AttemptOutcome.NO_ANSWER, "attempted_at": other.now}
    assert other.put(Attempt(**act, **tried)).result == "applied"
    assert other.file.tasks[call.task_id].cancel_reason == TaskCancelReason.ATTEMPTS_EXHAUSTED


def test_tried_so_often_before_it_moved_she_is_tried_no_more(other: Bench) -> None:
    one = Bench()
    one.put(opened())
    one.claim(TaskKind.CALL)
    for _ in range(POLICY.outreach.stop_after_attempts):
        one.wait(minutes=5).attempt()
    one.put(moved())
    other.now = one.now
    other.put(there(), *relayed(one))
    assert TaskKind.CALL not in other.open_kinds()


def test_a_gate_shut_by_a_hold_stays_shut_after_the_merge(other: Bench) -> None:
    one = Bench()
    one.put(opened())
    one.reach()
    one.hold()
    one.wait(hours=48).on_the_round()
    assert one.gate() == "shut"
    one.put(moved())
    other.now = one.now
    other.put(there(), *relayed(one))
    other.on_the_round()
    assert his_gate(other) == "shut"
    lifted = LiftSafetyHold(offender_id=HE, by="ada", role=Role.ADVOCATE, hold_id="H-1")
    assert other.put(lifted).result == "applied"
    other.on_the_round()
    assert his_gate(other) == "clear", "she was reached before"
