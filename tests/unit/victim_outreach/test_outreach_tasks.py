"""Which tasks a referral and all that comes after it open, and when they are due."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from schemas.classification import Tier
from schemas.outreach import (
    AttemptOutcome,
    TaskCancelReason,
    TaskClaimed,
    TaskKind,
    TaskOpened,
    TaskOwner,
    TaskState,
)
from schemas.policy import Task
from services.victim_outreach.domain import CaseFile
from tests.harness.outreach import (
    HIM,
    POLICY,
    START,
    Bench,
    amended,
    asked,
    custody,
    failed,
    held,
    incident,
    listed,
    opened,
    pair,
    planned,
    ref,
    released,
    served,
    undone,
    withdrawn,
)

HOUR = timedelta(hours=1)
C_LIST = ["call", "safety_planning", "written_information"]
NO_TIER = ["call", "written_information"]


@pytest.mark.parametrize("tier", [*Tier, None])
def test_each_list_brings_its_tasks_due_from_the_record(tier: Tier | None) -> None:
    bench = Bench()
    bench.put(opened(tier=tier))
    expected = {task.kind: (task.owner, bench.now + task.within) for task in POLICY.victim_tasks(tier)}
    assert {task.kind: (task.owner, task.due_at) for task in bench.file.tasks.values()} == expected
    assert {one.kind: one.due_at for one in bench.told(TaskOpened)} == {
        kind: due for kind, (_, due) in expected.items()
    }
    assert all(out.about == pair() and out.event.subject == HIM for out in bench.out)


def test_written_information_comes_within_72_hours_whatever_a_policy_says() -> None:
    late = Task(kind=TaskKind.WRITTEN_INFORMATION, owner=TaskOwner.AGENCY, due_within_hours=200)
    bench = Bench(POLICY.model_copy(update={"no_tier": [late]}))
    bench.put(opened(tier=None))
    assert bench.task(TaskKind.WRITTEN_INFORMATION).due_at == bench.now + 72 * HOUR

    silent = Bench(POLICY.model_copy(update={"no_tier": []}))
    silent.put(opened(tier=None))
    assert silent.task(TaskKind.WRITTEN_INFORMATION).due_at == silent.now + 72 * HOUR


def test_of_an_unknown_victim_the_task_is_to_identify_her_and_then_all_begins() -> None:
    bench = Bench()
    bench.put(opened(victim_id=None))
    assert bench.open_kinds() == ["identify_victim"]
    bench.wait(hours=30).put(amended(victim_id="V-1"))
    assert bench.open_kinds() == C_LIST
    assert bench.task(TaskKind.IDENTIFY_VICTIM).cancel_reason is TaskCancelReason.SUPERSEDED
    assert bench.task(TaskKind.WRITTEN_INFORMATION).due_at == bench.now + 72 * HOUR


def test_a_relationship_is_asked_by_the_agency_within_24_hours_and_no_gate_waits_for_it() -> None:
    bench = Bench()
    bench.put(asked())
    task = bench.task(TaskKind.ASK_RELATIONSHIP)
    assert (task.owner, task.due_at) == (TaskOwner.AGENCY, bench.now + 24 * HOUR)
    assert bench.open_kinds() == ["ask_relationship"]
    assert bench.gate() is None
    bench.put(amended())  # she says he is her partner
    assert bench.open_kinds() == C_LIST
    assert bench.gate() == "shut"


def test_asking_leaves_her_own_case_alone() -> None:
    bench = Bench()
    bench.put(opened(1), asked(2))
    assert bench.open_kinds() == sorted([*C_LIST, "ask_relationship"])


def test_after_a_homicide_there_is_one_task_and_none_for_a_victim() -> None:
    bench = Bench()
    bench.put(opened(1), custody(released_at=START + HOUR), opened(2, homicide=True, tier=Tier.A), released(2))
    assert bench.open_kinds() == ["family_liaison"]
    bench.put(served(2))
    assert bench.open_kinds() == ["family_liaison"]


def test_a_listed_referral_opens_nothing_until_a_person_opens_it() -> None:
    bench = Bench()
    bench.put(listed())
    assert (bench.story(), bench.file.tasks) == ([], {})
    bench.wait(days=9).put(amended())
    assert bench.open_kinds() == C_LIST
    assert bench.task(TaskKind.CALL).due_at == bench.now + 48 * HOUR
    assert bench.gate() == "shut"


def test_what_was_opened_is_not_closed_by_a_late_listing() -> None:
    bench = Bench()
    bench.put(opened())
    bench.put(amended(outreach=listed().outreach))
    assert bench.open_kinds() == C_LIST


def test_an_officers_victim_is_not_left_to_his_agency() -> None:
    bench = Bench()
    bench.put(opened(conflict_of_interest=True))
    assert TaskOwner.AGENCY not in {task.owner for task in bench.file.unfinished_tasks()}


def test_once_he_is_found_to_be_an_officer_his_agency_holds_and_reads_no_task_of_hers() -> None:
    bench = Bench()
    bench.put(opened(1), opened(2, victim_id="V-2"))
    bench.claim(TaskKind.WRITTEN_INFORMATION, by="his.colleague", number=1)
    due = bench.task(TaskKind.WRITTEN_INFORMATION, 1).due_at
    bench.claim(TaskKind.WRITTEN_INFORMATION, number=2)
    bench.complete(TaskKind.WRITTEN_INFORMATION, number=2)
    bench.claim(TaskKind.CALL, number=1)
    bench.put(amended(1, conflict_of_interest=True), amended(2, victim_id="V-2", conflict_of_interest=True))
    assert TaskOwner.AGENCY not in {task.owner for task in bench.file.tasks.values()}
    letter = bench.task(TaskKind.WRITTEN_INFORMATION, 1)
    assert (letter.owner, letter.due_at, letter.claimed_by) == (TaskOwner.SYSTEM_ADVOCATE, due, None)
    assert bench.task(TaskKind.WRITTEN_INFORMATION, 2).state is TaskState.COMPLETED  # it is not given her twice
    assert bench.task(TaskKind.CALL, 1).claimed_by == "ada"
    before = bench.file.tasks
    bench.put(amended(1), amended(2, victim_id="V-2"))  # taken back: what advocates have is theirs
    assert bench.file.tasks == before


def test_a_graver_tier_brings_more_and_sooner_and_keeps_who_has_it() -> None:
    bench = Bench()
    bench.put(opened(tier=Tier.C))
    bench.claim(TaskKind.SAFETY_PLANNING, by="ada")
    bench.wait(hours=1).put(amended(tier=Tier.A))
    planning = bench.task(TaskKind.SAFETY_PLANNING)
    assert (planning.due_at, planning.claimed_by) == (bench.now + 48 * HOUR, "ada")
    assert {"case_management", "in_person_contact"} <= set(bench.open_kinds())
    assert bench.task(TaskKind.WRITTEN_INFORMATION).due_at < bench.now + 72 * HOUR  # what ran, runs on


def test_a_corrected_tier_takes_nothing_from_her() -> None:
    bench = Bench()
    bench.put(opened(tier=Tier.A))
    before = bench.file.tasks
    bench.put(amended(tier=Tier.D))
    assert bench.file.tasks == before
    assert bench.file.referrals[ref()].tier is Tier.D


def test_an_amendment_that_changes_nothing_of_hers_says_nothing() -> None:
    bench = Bench()
    bench.put(opened())
    bench.story()
    assert bench.put(amended()).result == "none"
    assert bench.story() == []


def test_a_withdrawn_referral_ends_its_tasks_and_forgets_the_incident() -> None:
    bench = Bench()
    bench.put(opened())
    bench.story()
    bench.put(withdrawn())
    assert bench.story() == [f"{kind} cancelled (referral_withdrawn)" for kind in _visible(bench, C_LIST)]
    assert incident(1) not in repr(bench.file)
    assert bench.put(withdrawn()).result == "none"
    assert Bench().put(withdrawn()).result == "none"


def _visible(bench: Bench, kinds: list[str]) -> list[str]:
    """In the order of their ids; of a community advocate's task only the opening is told."""
    own = [task for task in bench.file.tasks.values() if task.owner is not TaskOwner.COMMUNITY_ADVOCATE]
    return [task.kind for task in sorted(own, key=lambda task: task.task_id) if task.kind in kinds]


def test_a_referral_opened_again_begins_anew() -> None:
    bench = Bench()
    bench.put(opened())
    bench.reach()
    assert bench.complete(TaskKind.CALL) == "applied"
    bench.put(withdrawn())
    bench.wait(hours=5).put(opened())
    assert bench.open_kinds() == C_LIST
    assert bench.task(TaskKind.CALL).due_at == bench.now + 48 * HOUR


def test_a_new_incident_joins_her_case_and_restarts_its_clocks() -> None:
    bench = Bench()
    bench.put(opened(1))
    bench.claim(TaskKind.CALL, by="ada")
    first_due = bench.task(TaskKind.CALL).due_at
    bench.reach(1)
    bench.complete(TaskKind.CALL)
    bench.wait(hours=20).put(opened(2))
    assert bench.open_kinds() == C_LIST  # one of each, not two
    assert {task.referral_id for task in bench.file.unfinished_tasks()} == {ref(2)}
    assert {task.case_id for task in bench.file.tasks.values()} == {bench.task(TaskKind.CALL, 1).case_id}
    assert bench.task(TaskKind.CALL, 1).due_at == first_due
    assert bench.task(TaskKind.CALL, 1).state is TaskState.COMPLETED
    assert bench.task(TaskKind.CALL, 2).due_at == bench.now + 48 * HOUR


def test_a_new_incident_gives_nobody_more_time_and_keeps_who_has_the_task() -> None:
    bench = Bench()
    bench.put(opened(1))
    bench.claim(TaskKind.CALL, by="ada")
    due = bench.task(TaskKind.CALL).due_at
    bench.wait(hours=20).put(opened(2))
    call = bench.task(TaskKind.CALL)
    assert (call.referral_id, call.due_at, call.claimed_by, call.state) == (ref(2), due, "ada", "claimed")
    assert [one.by for one in bench.told(TaskClaimed)] == ["ada", "ada"]
    assert bench.task(TaskKind.CALL, 1).cancel_reason is TaskCancelReason.SUPERSEDED


@pytest.mark.parametrize("tier", [Tier.B, Tier.C, Tier.D, None])
def test_an_incident_told_late_on_a_lesser_list_takes_nothing_from_her(tier: Tier | None) -> None:
    bench = Bench()
    bench.put(opened(1, tier=Tier.A))
    before = {task.kind: task.due_at for task in bench.file.unfinished_tasks()}
    bench.claim(TaskKind.IN_PERSON_CONTACT)
    bench.wait(hours=5).put(opened(2, tier=tier, occurred_at=START - timedelta(days=5)))
    assert {task.kind: task.due_at for task in bench.file.unfinished_tasks()} == before
    assert {task.referral_id for task in bench.file.unfinished_tasks()} == {ref(2)}
    assert bench.task(TaskKind.IN_PERSON_CONTACT, 2).claimed_by == "ada"
    bench.put(withdrawn(1))  # what put him on the graver list is taken back
    expected = {task.kind for task in POLICY.victim_tasks(tier)}
    assert {task.kind for task in bench.file.unfinished_tasks()} == expected


def test_a_graver_view_of_an_older_incident_brings_its_list_with_its_clocks() -> None:
    bench = Bench()
    bench.put(opened(1, tier=Tier.D))
    bench.wait(hours=1).put(opened(2, tier=Tier.C))
    bench.wait(hours=40).put(amended(1, tier=Tier.A))
    visit = bench.task(TaskKind.IN_PERSON_CONTACT)
    assert (visit.referral_id, visit.due_at) == (ref(2), bench.now + 24 * HOUR)
    assert bench.task(TaskKind.WRITTEN_INFORMATION).due_at < bench.now + 72 * HOUR  # what ran, runs on


def test_what_her_list_calls_for_is_no_other_womans() -> None:
    bench = Bench()
    bench.put(opened(1, tier=Tier.A), opened(2, victim_id="V-2", tier=Tier.D))
    found = {task.kind for task in bench.file.unfinished_tasks() if task.victim_id == "V-2"}
    assert found == {task.kind for task in POLICY.victim_tasks(Tier.D)}


def test_if_the_later_incident_is_withdrawn_the_earlier_one_stands_again() -> None:
    bench = Bench()
    bench.put(opened(1), opened(2))
    bench.claim(TaskKind.CALL, by="ada")
    bench.put(withdrawn(2))
    assert {task.referral_id for task in bench.file.unfinished_tasks()} == {ref(1)}
    assert bench.open_kinds() == C_LIST
    assert bench.task(TaskKind.CALL, 1).claimed_by == "ada"


def test_every_opened_referral_has_a_task_of_its_own() -> None:
    bench = Bench()
    bench.put(opened(1), opened(2), opened(3, 2, victim_id=None), opened(4, victim_id="V-2"), asked(5), opened(6))
    assert {task.referral_id for task in bench.file.tasks.values()} == {*bench.file.referrals}


def test_victims_of_one_incident_each_have_their_own() -> None:
    bench = Bench()
    bench.put(opened(1, 1, "V-1"), opened(1, 2, "V-2"))
    assert bench.open_kinds() == sorted(2 * C_LIST)


# his release from jail -----------------------------------------------------------------------------------------------


def test_his_release_opens_a_task_at_once_for_every_woman_known() -> None:
    bench = Bench()
    bench.put(opened(1, 1, "V-1"), opened(1, 2, "V-2"), opened(2, 1, None), custody())
    bench.put(custody(released_at=START + HOUR))
    found = [task for task in bench.file.unfinished_tasks() if task.kind is TaskKind.CUSTODY_RELEASE]
    assert [(task.victim_id, task.due_at) for task in sorted(found, key=lambda task: task.victim_id or "")] == [
        ("V-1", bench.now + HOUR),
        ("V-2", bench.now + HOUR),
    ]


def test_a_release_heard_before_the_referral_is_kept() -> None:
    bench = Bench()
    bench.put(custody(released_at=START))
    due = bench.now + HOUR
    bench.put(opened())
    assert bench.task(TaskKind.CUSTODY_RELEASE).due_at == due


def test_a_release_before_the_incident_is_none_of_hers() -> None:
    bench = Bench()
    bench.put(custody(released_at=START - timedelta(days=30)), opened())
    assert TaskKind.CUSTODY_RELEASE not in bench.open_kinds()


def test_a_release_told_twice_is_one_and_a_new_booking_does_not_undo_it() -> None:
    bench = Bench()
    bench.put(opened(), custody(released_at=START))
    due = bench.task(TaskKind.CUSTODY_RELEASE).due_at
    bench.put(custody(released_at=START + HOUR))  # the jail mends the hour
    assert bench.task(TaskKind.CUSTODY_RELEASE).due_at == due
    bench.put(custody("J-2"))
    assert bench.task(TaskKind.CUSTODY_RELEASE).due_at == due
    bench.wait(hours=9).put(custody("J-2", released_at=START + 9 * HOUR))
    assert bench.task(TaskKind.CUSTODY_RELEASE).due_at == bench.now + HOUR  # another release, another clock
    bench.put(custody("J-2"))  # the jail takes it back
    assert TaskKind.CUSTODY_RELEASE not in bench.open_kinds()


def test_a_release_stands_for_her_other_incident_when_one_is_withdrawn() -> None:
    bench = Bench()
    bench.put(opened(1), opened(2), custody(released_at=START))
    due = bench.task(TaskKind.CUSTODY_RELEASE).due_at
    bench.claim(TaskKind.CUSTODY_RELEASE, by="ada")
    bench.put(withdrawn(2))
    left = bench.task(TaskKind.CUSTODY_RELEASE)
    assert (left.referral_id, left.due_at, left.claimed_by, left.state) == (ref(1), due, "ada", "claimed")


# around a delivery ---------------------------------------------------------------------------------------------------


def of_each(bench: Bench, kind: TaskKind) -> dict[str | None, tuple[str, datetime]]:
    """By woman, on account of which referral she has a task of this kind, and by when."""
    return {one.victim_id: (one.referral_id, one.due_at) for one in bench.file.unfinished_tasks() if one.kind is kind}


def test_every_woman_he_waits_for_hears_before_and_is_asked_after() -> None:
    bench = Bench()
    bench.put(opened(1), opened(2, victim_id="V-2"), opened(3, victim_id=None), listed(4, victim_id="V-4"), released(1))
    due = bench.now + 24 * HOUR
    assert of_each(bench, TaskKind.BEFORE_DELIVERY) == {"V-1": (ref(1), due), "V-2": (ref(2), due)}
    bench.wait(hours=3).put(served(1))
    due = bench.now + 24 * HOUR
    assert of_each(bench, TaskKind.AFTER_DELIVERY) == {"V-1": (ref(1), due), "V-2": (ref(2), due)}
    assert of_each(bench, TaskKind.BEFORE_DELIVERY) == {}
    # Of her own pair alone is what is hers.
    found = [one for one in bench.file.tasks.values() if one.victim_id == "V-2"]
    assert {(one.pair_id, one.referral_id) for one in found} == {(pair(2), ref(2))}


def test_a_visit_before_what_was_done_to_her_is_none_of_hers() -> None:
    bench = Bench()
    bench.put(opened(1), released(1), served(1))
    bench.wait(days=2).put(opened(2, victim_id="V-2", occurred_at=bench.now))
    assert of_each(bench, TaskKind.AFTER_DELIVERY).keys() == {"V-1"}
    bench.put(opened(3, victim_id="V-3"))  # told late
    assert of_each(bench, TaskKind.AFTER_DELIVERY).keys() == {"V-1", "V-3"}


def test_she_hears_the_planned_day_first_though_he_still_waits() -> None:
    bench = Bench()
    begins = bench.now + timedelta(days=5)
    bench.put(opened(), held(), planned(begins))
    assert bench.task(TaskKind.BEFORE_DELIVERY).due_at == begins - 24 * HOUR
    assert bench.file.gates[pair()].state == "shut"
    bench.claim(TaskKind.BEFORE_DELIVERY)
    bench.complete(TaskKind.BEFORE_DELIVERY)
    bench.put(released(), planned(begins))  # she has heard of it
    assert TaskKind.BEFORE_DELIVERY not in bench.open_kinds()
    bench.put(served())
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()


def test_a_day_that_is_nearer_she_hears_of_at_once() -> None:
    bench = Bench()
    bench.put(opened(), released(), planned(bench.now + 5 * HOUR))
    assert bench.task(TaskKind.BEFORE_DELIVERY).due_at == bench.now


def test_a_day_that_is_moved_she_hears_of_anew_and_of_one_that_is_off_no_more() -> None:
    bench = Bench()
    begins = bench.now + timedelta(days=5)
    bench.put(opened(), held(), planned(begins))
    bench.claim(TaskKind.BEFORE_DELIVERY, by="ada")
    bench.put(planned(begins + timedelta(days=2)))
    moved = bench.task(TaskKind.BEFORE_DELIVERY)
    assert (moved.due_at, moved.claimed_by) == (begins + 24 * HOUR, "ada")
    bench.complete(TaskKind.BEFORE_DELIVERY)
    bench.put(planned(begins))
    assert bench.task(TaskKind.BEFORE_DELIVERY).due_at == begins - 24 * HOUR
    bench.put(planned(None))
    assert TaskKind.BEFORE_DELIVERY not in bench.open_kinds()
    bench.put(released())
    assert TaskKind.BEFORE_DELIVERY in bench.open_kinds()


def test_a_visit_ends_its_day() -> None:
    bench = Bench()
    bench.put(opened(), planned(bench.now + timedelta(days=5)), released(), failed(), held())
    assert TaskKind.BEFORE_DELIVERY not in bench.open_kinds()


def test_a_missed_visit_is_asked_after_too_and_the_next_one_anew() -> None:
    bench = Bench()
    bench.put(opened(), released(), failed())
    bench.claim(TaskKind.AFTER_DELIVERY)
    bench.complete(TaskKind.AFTER_DELIVERY)
    bench.put(released())
    assert TaskKind.BEFORE_DELIVERY in bench.open_kinds()
    bench.put(served())
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()
    assert TaskKind.BEFORE_DELIVERY not in bench.open_kinds()


def test_she_is_not_asked_after_a_visit_that_was_none() -> None:
    bench = Bench()
    bench.put(opened(), released(), served())
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()
    bench.put(undone(), held())
    assert TaskKind.AFTER_DELIVERY not in bench.open_kinds()
    bench.put(released())
    assert TaskKind.BEFORE_DELIVERY in bench.open_kinds()
    bench.put(served())
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()


def test_asked_after_what_was_none_she_is_asked_after_what_was() -> None:
    bench = Bench()
    bench.put(opened(), released(), served())
    bench.claim(TaskKind.AFTER_DELIVERY)
    bench.complete(TaskKind.AFTER_DELIVERY)
    bench.put(undone(), released(), served())
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()


def test_a_visit_before_the_one_that_was_none_is_asked_after() -> None:
    bench = Bench()
    bench.put(opened(), released(), failed(), released(), served(), undone(), held())
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()


def test_asked_after_that_one_before_she_is_not_asked_after_it_again() -> None:
    bench = Bench()
    bench.put(opened(), released(), failed())
    bench.claim(TaskKind.AFTER_DELIVERY)
    bench.complete(TaskKind.AFTER_DELIVERY)
    bench.put(released(), served(), undone(), held())
    assert TaskKind.AFTER_DELIVERY not in bench.open_kinds()
    bench.put(released(), served(), undone(), held())
    assert TaskKind.AFTER_DELIVERY not in bench.open_kinds()


def test_of_two_visits_that_were_none_she_is_asked_after_neither() -> None:
    bench = Bench()
    bench.put(opened(), released(), served(), undone(), released(), served(), undone(), held())
    assert TaskKind.AFTER_DELIVERY not in bench.open_kinds()
    bench.put(released(), served())
    assert bench.task(TaskKind.AFTER_DELIVERY).about.endswith("|3")


def test_a_notice_that_is_withdrawn_was_given() -> None:
    bench = Bench()
    bench.put(opened(), released(), served(), undone(None))
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()


def test_she_is_asked_after_a_visit_whose_incident_is_taken_back_while_another_of_hers_stands() -> None:
    bench = Bench()
    bench.put(opened(1), opened(2), released(1), served(1))
    due = bench.task(TaskKind.AFTER_DELIVERY).due_at
    bench.claim(TaskKind.AFTER_DELIVERY, by="ada")
    bench.wait(hours=3).put(withdrawn(1))
    left = bench.task(TaskKind.AFTER_DELIVERY)
    assert (left.referral_id, left.victim_id, left.due_at, left.claimed_by) == (ref(2), "V-1", due, "ada")
    bench.complete(TaskKind.AFTER_DELIVERY)
    bench.put(withdrawn(2), opened(4))
    assert TaskKind.AFTER_DELIVERY not in bench.open_kinds()  # she has been asked
    late = Bench()
    late.put(opened(1), opened(2), withdrawn(1), released(1), served(1))
    assert late.task(TaskKind.AFTER_DELIVERY).referral_id == ref(2)


def test_a_notice_taken_back_is_no_visit_to_come() -> None:
    bench = Bench()
    bench.put(opened(), held(), released(), held())
    assert TaskKind.BEFORE_DELIVERY not in bench.open_kinds()
    bench.put(released())
    assert bench.task(TaskKind.BEFORE_DELIVERY).due_at == bench.now + 24 * HOUR


def test_a_release_of_a_notice_told_twice_is_one_visit_to_come() -> None:
    bench = Bench()
    bench.put(opened(), released())
    before = bench.file
    assert bench.put(released()).result == "none"
    assert bench.file is before


def test_a_delivery_heard_before_the_referral_is_kept() -> None:
    bench = Bench()
    bench.put(released(), served(), opened())
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()
    assert TaskKind.BEFORE_DELIVERY not in bench.open_kinds()


# what leaves ---------------------------------------------------------------------------------------------------------


def test_of_a_community_advocates_work_only_the_opening_is_told() -> None:
    bench = Bench()
    bench.put(opened())
    bench.story()
    assert bench.claim(TaskKind.SAFETY_PLANNING) == "applied"
    assert bench.attempt(TaskKind.SAFETY_PLANNING, AttemptOutcome.REACHED) == "applied"
    assert bench.complete(TaskKind.SAFETY_PLANNING) == "applied"
    assert bench.story() == []


def test_no_change_without_a_task() -> None:
    assert Bench().put(released()).state == Bench().put(released()).state
    assert Bench().file == CaseFile(HIM)
