"""What people may do, and what they are told when they may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.commands import CancelTask, Claim, Complete, Role
from schemas.outreach import (
    AttemptOutcome,
    TaskAttempted,
    TaskCancelled,
    TaskCancelReason,
    TaskClaimed,
    TaskCompleted,
    TaskGivenBack,
    TaskKind,
    TaskState,
)
from services.common.versions import version_of
from tests.harness.outreach import HIM, Bench, amended, opened, pair, withdrawn

AGENCYS = TaskKind.WRITTEN_INFORMATION
SYSTEMS = TaskKind.CALL
COMMUNITYS = TaskKind.SAFETY_PLANNING


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.put(opened())
    return made


@pytest.mark.parametrize(
    ("kind", "may"),
    [
        (AGENCYS, {"officer", "coordinator", "outreach_supervisor"}),
        (SYSTEMS, {"advocate", "outreach_supervisor"}),
        (COMMUNITYS, {"community_advocate", "outreach_supervisor"}),
    ],
)
@pytest.mark.parametrize("role", Role)
def test_who_may_take_a_task(bench: Bench, kind: TaskKind, may: set[str], role: Role) -> None:
    assert bench.claim(kind, role=role) == ("applied" if role in may else "refused:wrong_role")


def test_one_person_has_a_task(bench: Bench) -> None:
    assert bench.claim(SYSTEMS, by="ada") == "applied"
    assert bench.claim(SYSTEMS, by="bea") == "refused:already_claimed"
    assert bench.claim(SYSTEMS, by="ada") == "applied"
    assert [one.by for one in bench.told(TaskClaimed)] == ["ada"]
    assert bench.task(SYSTEMS).state is TaskState.CLAIMED


def test_who_says_whose_it_is_takes_it_over(bench: Bench) -> None:
    bench.claim(SYSTEMS, by="ada")
    bench.attempt(SYSTEMS, by="ada")
    bench.wait(hours=1)
    assert bench.claim(SYSTEMS, by="bea", instead_of="cy") == "refused:already_claimed"
    assert bench.claim(SYSTEMS, by="bea", role=Role.OFFICER, instead_of="ada") == "refused:wrong_role"
    assert bench.claim(SYSTEMS, by="bea", instead_of="ada") == "applied"
    task = bench.task(SYSTEMS)
    assert (task.claimed_by, task.claimed_at) == ("bea", bench.now)
    assert [(one.by, one.instead_of) for one in bench.told(TaskClaimed)] == [("ada", None), ("bea", "ada")]
    assert bench.attempt(SYSTEMS, by="ada") == "refused:not_yours"
    assert bench.claim(SYSTEMS, by="cy", instead_of="ada") == "refused:already_claimed"  # of two, one
    assert bench.claim(SYSTEMS, by="bea", instead_of="ada") == "applied"  # her second claim changes nothing
    assert len(bench.told(TaskClaimed)) == 2
    assert bench.attempt(SYSTEMS, by="bea") == "applied"


def test_given_back_it_is_open_again(bench: Bench) -> None:
    assert bench.give_back(SYSTEMS) == "refused:not_yours"
    bench.claim(SYSTEMS, by="ada")
    bench.attempt(SYSTEMS, by="ada")
    assert bench.give_back(SYSTEMS, by="bea") == "refused:not_yours"
    assert bench.give_back(SYSTEMS, by="ada") == "applied"
    task = bench.task(SYSTEMS)
    assert (task.state, task.claimed_by, task.claimed_at) == (TaskState.OPEN, None, None)
    assert len(bench.file.attempts) == 1
    assert [(one.by, one.had_by) for one in bench.told(TaskGivenBack)] == [("ada", "ada")]
    assert bench.claim(SYSTEMS, by="bea", instead_of="ada") == "applied"  # nobody has it
    assert bench.give_back(SYSTEMS, by="sue", role=Role.OUTREACH_SUPERVISOR) == "applied"
    assert bench.give_back(SYSTEMS, by="sue", role=Role.OUTREACH_SUPERVISOR) == "none"
    assert [(one.by, one.had_by) for one in bench.told(TaskGivenBack)][1:] == [("sue", "bea")]


def test_of_a_community_advocates_shift_nothing_is_told(bench: Bench) -> None:
    bench.claim(COMMUNITYS, by="ada")
    bench.out = []
    assert bench.claim(COMMUNITYS, by="bea", instead_of="ada") == "applied"
    assert bench.give_back(COMMUNITYS, by="bea") == "applied"
    assert bench.out == []


def test_an_act_on_what_has_changed_since_it_was_seen(bench: Bench) -> None:
    seen = bench.task(SYSTEMS)
    act: dict[str, Any] = {"offender_id": HIM, "role": Role.ADVOCATE, "task_id": seen.task_id}
    bench.claim(SYSTEMS, by="ada")
    for stale in (Claim, Complete, CancelTask):
        assert bench.put(stale(**act, by="bea", expects=version_of(seen))).result == "refused:stale"
    bench.attempt(SYSTEMS, AttemptOutcome.REACHED)
    now = version_of(bench.task(SYSTEMS))
    assert bench.put(Complete(**act, by="ada", expects=now)).result == "applied"


def test_only_who_took_it_works_on_it_or_a_supervisor(bench: Bench) -> None:
    assert bench.attempt(SYSTEMS) == "refused:not_yours"
    assert bench.complete(SYSTEMS) == "refused:not_yours"
    bench.claim(SYSTEMS, by="ada")
    assert bench.attempt(SYSTEMS, by="bea") == "refused:not_yours"
    assert bench.attempt(SYSTEMS, by="ada", role=Role.OFFICER) == "refused:wrong_role"
    assert bench.attempt(SYSTEMS, AttemptOutcome.REACHED, by="ada") == "applied"
    assert bench.attempt(SYSTEMS, by="sue", role=Role.OUTREACH_SUPERVISOR) == "applied"
    assert bench.complete(SYSTEMS, by="sue", role=Role.OUTREACH_SUPERVISOR) == "applied"
    assert [one.by for one in bench.told(TaskAttempted)] == ["ada", "sue"]
    assert [one.by for one in bench.told(TaskCompleted)] == ["sue"]
    assert [number for _, number in bench.file.attempts] == [1, 2]


def test_what_is_finished_is_closed(bench: Bench) -> None:
    bench.claim(SYSTEMS)
    bench.attempt(SYSTEMS, AttemptOutcome.REACHED)
    bench.complete(SYSTEMS)
    assert bench.claim(SYSTEMS) == "refused:closed"
    assert bench.attempt(SYSTEMS) == "refused:closed"
    assert bench.complete(SYSTEMS) == "refused:closed"
    assert bench.cancel(SYSTEMS) == "refused:closed"


def test_what_is_not_there_is_unknown(bench: Bench) -> None:
    stranger = Bench()
    stranger.put(opened(3))
    [other, *_] = stranger.file.tasks.values()
    bench.file, known = stranger.file, bench.file
    act = bench._act(SYSTEMS, "ada", None, None)
    bench.file = known
    from schemas.commands import Claim

    assert other.task_id not in known.tasks
    assert bench.put(Claim(**act)).result == "refused:unknown_task"


def test_an_attempt_still_to_come_is_none(bench: Bench) -> None:
    bench.claim(SYSTEMS)
    assert bench.attempt(SYSTEMS, at=bench.now + timedelta(minutes=10)) == "refused:in_future"
    assert bench.attempt(SYSTEMS, at=bench.now + timedelta(minutes=4)) == "applied"
    [made] = bench.file.attempts.values()
    assert made.attempted_at == made.recorded_at == bench.now


def test_an_attempt_says_how_and_what_came_of_it(bench: Bench) -> None:
    bench.claim(SYSTEMS)
    at = bench.now - timedelta(hours=1)
    bench.attempt(SYSTEMS, AttemptOutcome.NO_ANSWER, at=at)
    [told] = bench.told(TaskAttempted)
    assert (told.channel, told.outcome, told.attempted_at) == ("call", "no_answer", at)
    assert bench.task(SYSTEMS).state is TaskState.ATTEMPTED


@pytest.mark.parametrize("role", Role)
def test_only_the_supervisor_leaves_something_undone(bench: Bench, role: Role) -> None:
    expected = "applied" if role is Role.OUTREACH_SUPERVISOR else "refused:wrong_role"
    assert bench.cancel(SYSTEMS, role=role) == expected


def test_what_a_person_dropped_is_not_opened_again(bench: Bench) -> None:
    bench.cancel(SYSTEMS)
    [told] = bench.told(TaskCancelled)
    assert (told.reason, told.by) == (TaskCancelReason.BY_PERSON, "sue")
    bench.put(amended())
    assert SYSTEMS not in bench.open_kinds()


@pytest.mark.parametrize("role", Role)
def test_who_may_hold(bench: Bench, role: Role) -> None:
    may = role in (Role.COORDINATOR, Role.ADVOCATE, Role.COMMUNITY_ADVOCATE, Role.OUTREACH_SUPERVISOR)
    assert bench.hold(role=role) == ("applied" if may else "refused:wrong_role")


def test_a_hold_is_lifted_by_who_placed_it_or_the_supervisor(bench: Bench) -> None:
    assert bench.lift() == "refused:unknown_hold"
    bench.hold("H-1", by="ada")
    bench.hold("H-2", by="ada")
    assert bench.lift("H-1", by="cora", role=Role.COORDINATOR) == "refused:not_yours"
    assert bench.lift("H-1", by="ada") == "applied"
    assert bench.lift("H-1", by="ada") == "refused:closed"
    assert bench.hold("H-1", by="ada") == "refused:closed"
    assert bench.lift("H-2", by="sue", role=Role.OUTREACH_SUPERVISOR) == "applied"
    assert not bench.file.on_hold


def test_a_hold_may_come_before_any_referral() -> None:
    bench = Bench()
    assert bench.hold() == "applied"
    assert bench.file.wake_at == bench.now + timedelta(hours=72)


@pytest.mark.parametrize("role", Role)
def test_who_may_override(bench: Bench, role: Role) -> None:
    may = role in (Role.COORDINATOR, Role.OUTREACH_SUPERVISOR)
    assert bench.override("cora", role) == ("applied" if may else "refused:wrong_role")


def test_there_must_be_a_gate_to_open(bench: Bench) -> None:
    assert bench.override("cora", number=2) == "refused:unknown_pair"
    bench.put(withdrawn())
    assert bench.override("cora") == "refused:unknown_pair"
    assert pair() in bench.file.gates


def test_a_refusal_changes_nothing(bench: Bench) -> None:
    before, said = bench.file, len(bench.out)
    bench.claim(SYSTEMS, role=Role.OFFICER)
    bench.override("cora", number=5)
    assert bench.file is before
    assert len(bench.out) == said
    assert before.offender_id == HIM
