"""When a pair's gate is clear, when it is shut, and what its events give away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.classification import Tier
from schemas.commands import Attempt, Claim, Complete, OverrideReason, Role
from schemas.envelope import deterministic_id
from schemas.outreach import AttemptOutcome, ContactChannel, GateChanged, TaskKind
from schemas.topics import Topic
from tests.harness.outreach import (
    HIM,
    START,
    Bench,
    amended,
    asked,
    custody,
    described,
    listed,
    opened,
    pair,
    ref,
    withdrawn,
)
from tests.harness.outreach_store import her

HOUR = timedelta(hours=1)
CHANNELS = (ContactChannel.CALL, ContactChannel.IN_PERSON)


def after_the_pause(bench: Bench) -> Bench:
    bench.wait(hours=4).on_the_round()
    return bench


def cleared() -> Bench:
    """A pair whose victim was reached four hours ago."""
    bench = Bench()
    bench.put(opened())
    bench.reach()
    after_the_pause(bench)
    assert bench.gate() == "clear"
    return bench


def try_her(bench: Bench, *, times: int, hours: float, channels: tuple[ContactChannel, ...] = CHANNELS) -> None:
    bench.claim(TaskKind.CALL)
    for number in range(times):
        if number:
            bench.wait(hours=hours)
        bench.attempt(channel=channels[number % len(channels)])


# shut ----------------------------------------------------------------------------------------------------------------


def test_the_first_word_is_shut_and_comes_at_once_once_a_pair() -> None:
    bench = Bench()
    bench.put(opened(1, 1, "V-1"), opened(1, 2, "V-2"), opened(2))
    assert [(one.pair_id, one.gate, one.version) for one in bench.told(GateChanged)] == [
        (pair(1), "shut", 1),
        (pair(2), "shut", 1),
    ]


def test_nothing_done_is_shut_for_ever() -> None:
    bench = Bench()
    bench.put(opened())
    for _ in range(40):
        bench.wait(days=30).on_the_round()
    assert bench.gate() == "shut"


def test_an_unidentified_victim_was_not_reached_by_whoever_was_called() -> None:
    bench = Bench()
    bench.put(opened(victim_id=None))
    bench.claim(TaskKind.IDENTIFY_VICTIM)
    bench.attempt(TaskKind.IDENTIFY_VICTIM, AttemptOutcome.REACHED)
    bench.complete(TaskKind.IDENTIFY_VICTIM)
    assert after_the_pause(bench).gate() == "shut"


def test_every_victim_of_the_pair_counts() -> None:
    bench = Bench()
    bench.put(opened(1, 1, "V-1"), opened(1, 2, "V-2"))
    tasks = [task for task in bench.file.unfinished_tasks() if task.kind is TaskKind.CALL]
    for number, task in enumerate(tasks):
        _reach_by_id(bench, task.task_id)
        assert after_the_pause(bench).gate() == ("clear" if number else "shut")


def _reach_by_id(bench: Bench, task_id: str) -> None:
    act: dict[str, Any] = {"offender_id": HIM, "by": "ada", "role": Role.ADVOCATE, "task_id": task_id}
    bench.put(Claim(**act))
    bench.put(Attempt(**act, channel=ContactChannel.CALL, outcome=AttemptOutcome.REACHED, attempted_at=bench.now))


def test_a_listed_victim_and_one_to_be_asked_do_not_count() -> None:
    bench = Bench()
    bench.put(opened(1, 1, "V-1"), listed(1, victim_no=2, victim_id="V-2"), asked(1, victim_no=3, victim_id="V-3"))
    bench.reach()
    assert after_the_pause(bench).gate() == "clear"


# clear ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("reached", "clear"), ("declined", "clear"), ("no_answer", "shut"), ("unsafe", "shut"), ("wrong_contact", "shut")],
)
def test_one_contact_is_enough_and_nothing_less(outcome: str, expected: str) -> None:
    bench = Bench()
    bench.put(opened())
    bench.claim(TaskKind.CALL)
    bench.attempt(outcome=AttemptOutcome(outcome))
    assert after_the_pause(bench).gate() == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(TaskKind.CALL, "clear"), (TaskKind.SAFETY_PLANNING, "clear"), (TaskKind.WRITTEN_INFORMATION, "shut")],
)
def test_a_contact_task_that_was_completed_without_an_attempt_before_one_was_asked_for_counts(
    kind: TaskKind, expected: str
) -> None:
    bench = Bench()
    bench.put(opened())
    bench.claim(kind)
    bench.completed_unshown(kind)
    assert after_the_pause(bench).gate() == expected


@pytest.mark.parametrize("kind", [TaskKind.CALL, TaskKind.SAFETY_PLANNING, TaskKind.HIGH_DANGER_CALL])
def test_a_slip_of_a_click_lets_nothing_go_to_him(kind: TaskKind) -> None:
    bench = Bench()
    bench.put(opened(), described(her(1, lethality_screen="high")))
    bench.claim(kind)
    assert bench.complete(kind) == "refused:not_reached"
    for outcome in AttemptOutcome:
        if outcome not in ("reached", "declined"):
            bench.attempt(kind, outcome)
            assert bench.complete(kind) == "refused:not_reached"
    assert bench.task(kind).unfinished
    assert after_the_pause(bench).gate() == "shut"
    bench.attempt(kind, AttemptOutcome.REACHED)
    assert bench.complete(kind) == "applied"


def test_reached_at_another_task_of_hers_since_she_was_referred_she_was_reached() -> None:
    bench = Bench()
    bench.put(opened(1), opened(1, 2, "V-2"))
    planning = TaskKind.SAFETY_PLANNING

    def done(referral: str) -> str:
        [task] = [one for one in bench.file.unfinished_tasks() if (one.referral_id, one.kind) == (referral, planning)]
        sue = Complete(offender_id=HIM, by="sue", role=Role.OUTREACH_SUPERVISOR, task_id=task.task_id)
        return bench.put(sue).result

    [call] = [one for one in bench.file.tasks.values() if (one.referral_id, one.kind) == (ref(), TaskKind.CALL)]
    act: dict[str, Any] = {"offender_id": HIM, "by": "ada", "role": Role.ADVOCATE, "task_id": call.task_id}
    declined: dict[str, Any] = {"channel": ContactChannel.CALL, "outcome": AttemptOutcome.DECLINED, "attempted_at": bench.now}
    bench.put(Claim(**act), Attempt(**act, **declined))
    assert done(ref(1, 2)) == "refused:not_reached"  # that was another woman
    assert done(ref(1, 1)) == "applied"
    bench.put(opened(2, occurred_at=bench.now))
    assert done(ref(2)) == "refused:not_reached"  # that was before


def test_for_a_homicide_a_try_for_the_family_is_to_be_told() -> None:
    bench = Bench()
    bench.put(opened(homicide=True))
    bench.claim(TaskKind.FAMILY_LIAISON)
    assert bench.complete(TaskKind.FAMILY_LIAISON) == "refused:not_reached"
    bench.attempt(TaskKind.FAMILY_LIAISON)
    assert bench.complete(TaskKind.FAMILY_LIAISON) == "applied"


def test_what_the_supervisor_cancels_instead_clears_nothing() -> None:
    bench = Bench()
    bench.put(opened())
    for kind in (TaskKind.CALL, TaskKind.SAFETY_PLANNING):
        assert bench.cancel(kind) == "applied"
    assert after_the_pause(bench).gate() == "shut"


@pytest.mark.parametrize(
    ("times", "hours", "channels", "expected"),
    [
        (3, 12, CHANNELS, "clear"),
        (2, 24, CHANNELS, "shut"),
        (3, 11.9, CHANNELS, "shut"),
        (3, 12, (ContactChannel.CALL,), "shut"),
        (4, 8, CHANNELS, "clear"),
    ],
)
def test_three_attempts_on_two_channels_over_24_hours(
    times: int, hours: float, channels: tuple[ContactChannel, ...], expected: str
) -> None:
    bench = Bench()
    bench.put(opened())
    try_her(bench, times=times, hours=hours, channels=channels)
    assert after_the_pause(bench).gate() == expected


def test_four_hours_pass_after_the_last_attempt() -> None:
    bench = Bench()
    bench.put(opened())
    bench.reach()
    bench.wait(hours=3).attempt()
    bench.wait(hours=3.9).on_the_round()
    assert bench.gate() == "shut"
    bench.wait(hours=0.2).on_the_round()
    assert bench.gate() == "clear"


def test_four_hours_pass_after_a_contact_that_was_only_marked_as_done() -> None:
    bench = Bench()
    bench.put(opened())
    bench.claim(TaskKind.CALL)
    bench.completed_unshown(TaskKind.CALL)
    bench.on_the_round()
    assert bench.gate() == "shut"
    assert after_the_pause(bench).gate() == "clear"


def test_outside_custody_it_clears_on_the_round_alone() -> None:
    bench = Bench()
    bench.put(opened())
    bench.reach()
    bench.wait(hours=5)
    for period in (1, 2, 3, 4, 6):
        bench.tick(period)
        bench.put(opened(9, victim_id="V-9"))
        assert bench.gate() == "shut"
    bench.tick(10)
    assert bench.gate() == "clear"


def test_a_later_call_does_not_shut_it_which_would_tell_of_the_call() -> None:
    bench = cleared()
    bench.attempt()
    bench.complete(TaskKind.CALL)
    bench.wait(days=2).on_the_round()
    assert [one.gate for one in bench.told(GateChanged)] == ["shut", "clear"]


def test_what_was_done_before_an_incident_does_not_count_for_it() -> None:
    bench = cleared()
    bench.put(opened(2, occurred_at=bench.now))
    after_the_pause(bench)
    assert (bench.gate(1), bench.gate(2)) == ("clear", "shut")
    bench.attempt(outcome=AttemptOutcome.REACHED, number=2)  # her person took over the new task
    after_the_pause(bench)
    assert bench.gate(2) == "clear"


def test_a_contact_marked_as_done_before_an_incident_does_not_count_for_it() -> None:
    bench = Bench()
    bench.put(opened(1))
    bench.claim(TaskKind.CALL)
    bench.completed_unshown(TaskKind.CALL)
    bench.put(opened(2))
    after_the_pause(bench)
    assert (bench.gate(1), bench.gate(2)) == ("clear", "shut")


def test_what_was_done_at_the_scene_counts_when_it_is_told() -> None:
    bench = Bench()
    bench.put(opened())
    bench.claim(TaskKind.CALL)
    bench.attempt(outcome=AttemptOutcome.REACHED, at=START - HOUR)
    bench.wait(hours=3).on_the_round()
    assert bench.gate() == "clear"


def test_what_was_done_before_it_happened_does_not_count() -> None:
    bench = Bench()
    bench.put(opened())
    bench.claim(TaskKind.CALL)
    bench.attempt(outcome=AttemptOutcome.REACHED, at=START - 3 * HOUR)
    assert after_the_pause(bench).gate() == "shut"


def test_for_a_homicide_the_family_is_tried_once() -> None:
    bench = Bench()
    bench.put(opened(homicide=True, tier=Tier.A))
    assert after_the_pause(bench).gate() == "shut"
    bench.claim(TaskKind.FAMILY_LIAISON)
    bench.attempt(TaskKind.FAMILY_LIAISON)
    assert after_the_pause(bench).gate() == "clear"


# shut again ----------------------------------------------------------------------------------------------------------


def test_a_new_victim_of_the_pair_shuts_it_at_once() -> None:
    bench = cleared()
    bench.put(opened(1, 2, "V-2"))
    assert bench.gate() == "shut"
    assert bench.told(GateChanged)[-1].version == 3


def test_another_woman_than_thought_shuts_it() -> None:
    bench = cleared()
    bench.put(amended(victim_id="V-2"))
    assert bench.gate() == "shut"


def test_each_asking_is_answered_once_all_that_it_says_is_worked() -> None:
    bench = cleared()
    bench.put(opened(1, 2, "V-2"), amended(asking=2))
    assert [(one.gate, one.answers) for one in bench.told(GateChanged)][-2:] == [("shut", 0), ("shut", 2)]
    bench = cleared()
    bench.put(amended(asking=2), amended(agency="NC0411000"))
    last = bench.told(GateChanged)[-1]
    assert (last.gate, last.version, last.answers) == ("clear", 3, 2)


def test_withdrawn_for_all_it_is_shut_and_ended() -> None:
    bench = cleared()
    bench.put(withdrawn())
    assert bench.gate() == "shut"
    assert bench.file.gates[pair()].ended
    assert bench.file.wake_at is None
    bench.put(opened())
    assert not bench.file.gates[pair()].ended
    assert after_the_pause(bench).gate() == "shut"


def test_withdrawn_for_one_the_other_decides() -> None:
    bench = Bench()
    bench.put(opened(1, 1, "V-1"), opened(1, 2, "V-2"), withdrawn(1, 2))
    bench.reach()
    assert after_the_pause(bench).gate() == "clear"


# in custody ----------------------------------------------------------------------------------------------------------


def test_in_custody_one_attempt_is_enough_and_clears_at_once() -> None:
    bench = Bench()
    bench.put(custody(), opened())
    try_her(bench, times=1, hours=0)
    assert bench.gate() == "clear"


def test_custody_heard_after_the_attempt_clears_at_once() -> None:
    bench = Bench()
    bench.put(opened())
    try_her(bench, times=1, hours=0)
    assert bench.gate() == "shut"
    bench.put(custody())
    assert bench.gate() == "clear"


def test_his_release_shuts_what_only_custody_had_cleared() -> None:
    bench = Bench()
    bench.put(custody(), opened())
    try_her(bench, times=1, hours=0)
    bench.put(custody(released_at=bench.now))
    assert bench.gate() == "shut"


def test_let_out_within_the_pause_he_waits_for_the_rest_of_it() -> None:
    bench = Bench()
    bench.put(custody(), opened())
    bench.reach()
    assert bench.gate() == "clear"
    bench.wait(minutes=10).put(custody(released_at=bench.now))
    assert bench.gate() == "shut"
    bench.wait(hours=3.5).on_the_round()
    assert bench.gate() == "shut"
    bench.wait(hours=0.4).on_the_round()
    assert bench.gate() == "clear"


def test_let_out_after_the_pause_it_stays_clear_and_does_not_tell_of_a_later_call() -> None:
    bench = Bench()
    bench.put(custody(), opened())
    bench.reach()
    bench.wait(hours=4.5).attempt()
    bench.wait(minutes=10).put(custody(released_at=bench.now))
    assert [one.gate for one in bench.told(GateChanged)] == ["shut", "clear"]


def test_let_out_at_once_the_word_of_two_people_stands() -> None:
    bench = Bench()
    bench.put(custody(), opened())
    bench.override("cora")
    bench.override("sue", Role.OUTREACH_SUPERVISOR)
    assert bench.gate() == "clear"
    bench.wait(minutes=10).put(custody(released_at=bench.now))
    assert bench.gate() == "clear"


@pytest.mark.parametrize(
    ("tier", "claimed", "expected"),
    [
        ("A", True, "shut"),
        ("B", True, "shut"),
        ("C", True, "clear"),
        ("D", True, "shut"),
        ("A", False, "shut"),
        (None, True, "shut"),
    ],
)
def test_the_time_limit_before_his_hearing(tier: str | None, claimed: bool, expected: str) -> None:
    bench = Bench()
    bench.put(opened(tier=Tier(tier) if tier else None), custody(hearing_at=START + 10 * HOUR))
    if claimed:
        bench.claim(TaskKind.WRITTEN_INFORMATION)
    bench.wait(hours=7).tick()
    assert bench.gate() == "shut"
    bench.wait(hours=1.5).tick()
    assert bench.gate() == expected


@pytest.mark.parametrize(
    ("tier", "expected"), [("A", "shut"), ("B", "shut"), ("C", "clear"), ("D", "clear"), (None, "clear")]
)
def test_while_he_waits_for_another_woman_as_a_or_b_no_time_limit_opens_hers(tier: str | None, expected: str) -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), custody(hearing_at=START + 10 * HOUR))
    bench.claim(TaskKind.WRITTEN_INFORMATION)
    bench.put(opened(2, victim_id="V-2", tier=Tier(tier) if tier else None))
    bench.wait(hours=8.5).tick()
    assert bench.gate(1) == expected
    bench.put(withdrawn(2))
    assert bench.gate(1) == "clear"


def test_an_a_or_b_that_comes_later_shuts_what_the_time_limit_had_cleared() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), custody(hearing_at=START + 3 * HOUR))
    bench.claim(TaskKind.WRITTEN_INFORMATION)
    bench.wait(hours=2).tick()
    assert bench.gate(1) == "clear"
    bench.put(opened(2, victim_id="V-2", tier=Tier.B))
    assert bench.gate(1) == "shut"


def test_a_hearing_put_off_shuts_what_only_the_time_limit_had_cleared() -> None:
    bench = Bench()
    bench.put(opened(), custody(hearing_at=START + 3 * HOUR))
    bench.claim(TaskKind.WRITTEN_INFORMATION)
    bench.wait(hours=2).tick()
    assert bench.gate() == "clear"
    bench.put(custody(hearing_at=START + 30 * HOUR))
    assert bench.gate() == "shut"


def test_a_task_taken_before_an_incident_is_not_seen_for_it() -> None:
    bench = Bench()
    bench.put(custody(hearing_at=START + 3 * HOUR), opened(1))
    bench.claim(TaskKind.CALL)
    bench.put(opened(2))
    bench.wait(hours=2).tick()
    assert bench.task(TaskKind.CALL).claimed_by == "ada"
    assert (bench.gate(1), bench.gate(2)) == ("clear", "shut")


def test_outside_custody_no_time_limit_opens_it() -> None:
    bench = Bench()
    bench.put(opened(tier=Tier.A), custody(hearing_at=START + 10 * HOUR, released_at=START + HOUR))
    bench.claim(TaskKind.WRITTEN_INFORMATION)
    bench.wait(days=30).on_the_round()
    assert bench.gate() == "shut"


# safety hold ---------------------------------------------------------------------------------------------------------


def test_a_hold_shuts_all_his_pairs_at_once() -> None:
    bench = cleared()
    bench.put(opened(2, victim_id="V-2", tier=Tier.D))
    bench.reach(2)
    after_the_pause(bench)
    assert (bench.gate(1), bench.gate(2)) == ("clear", "clear")
    assert bench.hold() == "applied"
    assert (bench.gate(1), bench.gate(2)) == ("shut", "shut")


def test_a_hold_outranks_override_and_time_limit() -> None:
    bench = Bench()
    bench.put(opened(tier=Tier.A), custody(hearing_at=START + 10 * HOUR))
    bench.claim(TaskKind.WRITTEN_INFORMATION)
    bench.hold()
    bench.override("cora")
    bench.override("sue", Role.OUTREACH_SUPERVISOR)
    bench.wait(hours=9).on_the_round()
    assert bench.gate() == "shut"


def test_a_hold_ends_by_the_clock_after_72_hours_unless_renewed() -> None:
    bench = cleared()
    bench.hold()
    bench.wait(hours=71)
    bench.hold()  # renewed
    bench.wait(hours=71.9).on_the_round()
    assert bench.gate() == "shut"
    bench.wait(hours=0.2).on_the_round()
    assert bench.gate() == "clear"


def test_two_holds_both_must_end() -> None:
    bench = cleared()
    bench.hold("H-1")
    bench.hold("H-2", by="cora", role=Role.COORDINATOR)
    assert bench.lift("H-1") == "applied"
    bench.on_the_round()
    assert bench.gate() == "shut"
    assert bench.lift("H-2", by="cora", role=Role.COORDINATOR) == "applied"
    assert bench.gate() == "shut"  # until the round
    bench.on_the_round()
    assert bench.gate() == "clear"


def test_a_hold_looks_like_any_other_shut() -> None:
    bench = cleared()
    bench.hold()
    [last] = bench.told(GateChanged)[-1:]
    assert last.model_dump() == {"pair_id": pair(), "offender_id": HIM, "gate": "shut", "version": 3, "answers": 0}


# override ------------------------------------------------------------------------------------------------------------


def test_an_override_takes_two_people_and_waits_for_the_round() -> None:
    bench = Bench()
    bench.put(opened())
    bench.override("cora")
    bench.override("cora")
    bench.on_the_round()
    assert bench.gate() == "shut"
    bench.override("sue", Role.OUTREACH_SUPERVISOR)
    assert bench.gate() == "shut"
    bench.on_the_round()
    assert bench.gate() == "clear"


@pytest.mark.parametrize(
    ("later", "reason"),
    [(HOUR, OverrideReason.COURT_ORDER), (25 * HOUR, OverrideReason.VICTIM_UNREACHABLE)],
    ids=["another reason", "another day"],
)
def test_an_override_is_agreed_upon(later: timedelta, reason: OverrideReason) -> None:
    bench = Bench()
    bench.put(opened())
    bench.override("cora")
    bench.now += later
    bench.override("sue", Role.OUTREACH_SUPERVISOR, reason=reason)
    bench.on_the_round()
    assert bench.gate() == "shut"
    bench.override("cora", reason=reason)
    bench.on_the_round()
    assert bench.gate() == "clear"


def test_an_override_does_not_cover_a_victim_referred_after_it() -> None:
    bench = Bench()
    bench.put(opened())
    bench.override("cora")
    bench.override("sue", Role.OUTREACH_SUPERVISOR)
    bench.on_the_round()
    bench.put(opened(1, 2, "V-2"))
    assert bench.gate() == "shut"
    bench.override("cora")
    bench.on_the_round()
    assert bench.gate() == "shut"
    bench.override("sue", Role.OUTREACH_SUPERVISOR)
    bench.on_the_round()
    assert bench.gate() == "clear"


# what it gives away --------------------------------------------------------------------------------------------------


def test_a_gate_event_tells_neither_cause_nor_incident_nor_victim() -> None:
    bench = cleared()
    told = [out for out in bench.out if out.topic is Topic.OUTREACH_GATES]
    assert len(told) == 2
    for version, out in enumerate(told, start=1):
        event = out.event
        assert (event.causationid, event.correlationid, event.subject, out.about) == (None, None, HIM, pair())
        assert event.id == deterministic_id("ipvi.gate.changed.v1", pair(), version)
        assert not out.other_lane
    assert told[-1].event.time == bench.now  # of the tick, not of the call
