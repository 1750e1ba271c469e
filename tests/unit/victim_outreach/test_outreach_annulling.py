"""An attempt that was recorded by mistake is annulled, and with it what rested on it."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.advocacy import TakeOver
from schemas.commands import AnnulAttempt, Role
from schemas.envelope import pair_id, referral_id
from schemas.outreach import (
    AnnulReason,
    AttemptOutcome,
    ContactChannel,
    GateChanged,
    TaskAttemptAnnulled,
    TaskCancelled,
    TaskCancelReason,
    TaskKind,
    TaskState,
)
from services.victim_outreach.domain import CaseFile, Task
from services.victim_outreach.rules import changed_women, safe_contact
from tests.harness.outreach import HIM, Bench, custody, described, incident, opened, withdrawn
from tests.harness.outreach_store import her

CALL, PLANNING, DANGER = TaskKind.CALL, TaskKind.SAFETY_PLANNING, TaskKind.HIGH_DANGER_CALL
SUE: dict[str, Any] = {"by": "sue", "role": Role.OUTREACH_SUPERVISOR}


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.put(opened())
    made.claim(CALL)
    return made


def kept(bench: Bench, kind: TaskKind = CALL) -> list[Task]:
    return [task for task in bench.file.tasks.values() if task.kind is kind]


def annul(bench: Bench, task: Task, by: str = "ada", role: Role = Role.ADVOCATE, number: int = 1) -> str:
    """At a task that has ended, too."""
    act: dict[str, Any] = {"offender_id": HIM, "task_id": task.task_id, "by": by, "role": role}
    return bench.put(AnnulAttempt(**act, number=number, reason=AnnulReason.WRONG_TASK)).result


def test_the_gate_shuts_again_at_once(bench: Bench) -> None:
    bench.attempt(outcome=AttemptOutcome.REACHED)
    bench.wait(hours=4).on_the_round()
    assert bench.gate() == "clear"
    assert bench.annul() == "applied"
    assert bench.gate() == "shut"
    bench.wait(days=3).on_the_round()
    assert bench.gate() == "shut"
    bench.attempt(outcome=AttemptOutcome.REACHED)  # this time it is she
    assert [number for _, number in bench.file.attempts] == [2]
    bench.wait(hours=4).on_the_round()
    assert bench.gate() == "clear"


def test_what_else_clears_it_goes_on_clearing_it(bench: Bench) -> None:
    bench.attempt(outcome=AttemptOutcome.REACHED)
    bench.wait(minutes=1).attempt(outcome=AttemptOutcome.REACHED)
    bench.wait(hours=4).on_the_round()
    bench.annul(number=2)
    bench.wait(minutes=1).on_the_round()
    assert [one.gate for one in bench.told(GateChanged)] == ["shut", "clear"]


def test_in_jail_too() -> None:
    bench = Bench()
    bench.put(custody(), opened())
    bench.claim(CALL)
    bench.attempt()
    assert bench.gate() == "clear"
    bench.annul()
    assert bench.gate() == "shut"


def test_who_recorded_it_or_the_supervisor_says_so_once(bench: Bench) -> None:
    bench.attempt(outcome=AttemptOutcome.REACHED)
    assert bench.annul(by="bea") == "refused:not_yours"
    assert bench.annul(role=Role.OFFICER) == "refused:wrong_role"
    assert bench.annul(number=2) == "refused:unknown_attempt"
    assert bench.annul(**SUE) == "applied"
    at = bench.now
    assert bench.annul(**SUE) == "none"
    [told] = bench.told(TaskAttemptAnnulled)
    assert (told.by, told.outcome, told.reason) == ("sue", AttemptOutcome.REACHED, AnnulReason.WRONG_TASK)
    [gone] = bench.file.annulled_attempts.values()
    assert (gone.by, gone.annulled_by, gone.annulled_at) == ("ada", "sue", at)
    assert bench.task(CALL).state is TaskState.CLAIMED  # as if nobody had tried
    assert bench.give_back(CALL) == "applied"


def test_whoever_recorded_it_annuls_it_also_where_another_has_the_task_now(bench: Bench) -> None:
    bench.attempt()
    bench.claim(CALL, by="bea", instead_of="ada")
    assert bench.annul(by="ada") == "applied"


def test_what_was_completed_upon_it_is_open_again(bench: Bench) -> None:
    """The call itself, and the planning that was done since she had been reached at the call."""
    due = bench.task(CALL).due_at
    bench.attempt(outcome=AttemptOutcome.REACHED)
    assert bench.complete(CALL) == "applied"
    bench.claim(PLANNING)
    assert bench.complete(PLANNING) == "applied"
    bench.wait(hours=4).on_the_round()
    [call] = kept(bench)
    assert annul(bench, call) == "applied"
    assert bench.gate() == "shut"
    for kind in (CALL, PLANNING):
        before, after = kept(bench, kind)
        assert (before.state, before.cancel_reason) == (TaskState.CANCELLED, TaskCancelReason.SUPERSEDED)
        assert (after.state, after.claimed_by) == (TaskState.OPEN, None)
    assert bench.task(CALL).due_at == due
    bench.wait(days=3).on_the_round()
    assert bench.gate() == "shut"
    assert bench.task(CALL).alerts


def test_what_was_completed_before_an_attempt_was_asked_for_stays_so(bench: Bench) -> None:
    bench.completed_unshown(CALL)
    bench.claim(PLANNING)
    bench.attempt(PLANNING)
    bench.annul(PLANNING)
    assert [task.state for task in kept(bench)] == [TaskState.COMPLETED]
    bench.wait(hours=4).on_the_round()
    assert bench.gate() == "clear"


def test_another_attempt_shows_it_still(bench: Bench) -> None:
    for _ in range(2):
        bench.attempt(outcome=AttemptOutcome.REACHED)
    bench.complete(CALL)
    [call] = kept(bench)
    assert annul(bench, call) == "applied"
    assert [task.state for task in kept(bench)] == [TaskState.COMPLETED]


@pytest.mark.parametrize("kind", [CALL, DANGER])
def test_her_word_that_was_another_womans_stops_nothing(bench: Bench, kind: TaskKind) -> None:
    bench.put(described(her(1, lethality_screen="high")))
    bench.claim(kind)
    bench.attempt(kind, AttemptOutcome.DECLINED)
    [stopped] = kept(bench, kind)
    assert stopped.cancel_reason is TaskCancelReason.HER_WORD
    assert annul(bench, stopped) == "applied"
    assert bench.task(kind).state is TaskState.OPEN
    assert len(kept(bench, kind)) == 2


def test_a_try_that_nobody_made_is_none_of_those_that_end_it(bench: Bench) -> None:
    for _ in range(6):
        bench.attempt()
    [stopped] = kept(bench)
    assert stopped.cancel_reason is TaskCancelReason.ATTEMPTS_EXHAUSTED
    assert annul(bench, stopped, number=3) == "applied"
    assert bench.task(CALL).state is TaskState.OPEN


def test_what_a_person_dropped_stays_dropped(bench: Bench) -> None:
    bench.attempt()
    bench.cancel(CALL)
    [dropped] = kept(bench)
    assert annul(bench, dropped) == "applied"
    assert CALL not in bench.open_kinds()


def test_where_nothing_is_needed_any_more_nothing_opens_and_the_gate_is_shut(bench: Bench) -> None:
    bench.attempt(outcome=AttemptOutcome.REACHED)
    bench.complete(CALL)
    [call] = kept(bench)
    bench.put(withdrawn())
    assert annul(bench, call) == "applied"
    assert bench.open_kinds() == []
    assert bench.gate() == "shut"


def test_a_way_on_which_nobody_else_answered_is_as_it_was_and_the_others_hear_of_it(bench: Bench) -> None:
    bench.attempt(outcome=AttemptOutcome.OTHER_PERSON)
    before = bench.file
    bench.annul(reason=AnnulReason.NOT_MADE)
    case = bench.case()
    assert safe_contact([], bench.file.tries_of(case), bench.now).is_open(ContactChannel.CALL)
    assert changed_women(before, bench.file) == {"V-1"}


def test_of_a_community_advocates_nothing_is_told(bench: Bench) -> None:
    bench.claim(PLANNING)
    bench.attempt(PLANNING, AttemptOutcome.REACHED)
    bench.complete(PLANNING)
    bench.out = []
    [planning] = kept(bench, PLANNING)
    assert annul(bench, planning, role=Role.COMMUNITY_ADVOCATE) == "applied"
    assert {one.TYPE for one in bench.told(TaskAttemptAnnulled)} == set()
    assert bench.story() == ["safety_planning opened"]


def test_what_rests_on_a_community_advocates_word_with_her_tells_nobody_else_of_it(bench: Bench) -> None:
    """An advocate of the police could else try whether a call is done, to learn that she has spoken to somebody."""
    bench.claim(PLANNING, by="cora")
    bench.attempt(PLANNING, AttemptOutcome.REACHED, by="cora")
    assert bench.complete(CALL) == "refused:not_reached"
    bench.attempt(outcome=AttemptOutcome.REACHED)
    assert bench.complete(CALL) == "applied"
    bench.out = []
    assert bench.annul(PLANNING, by="cora") == "applied"
    assert bench.out == []


def test_who_annulled_it_is_said_of_the_attempt_alone(bench: Bench) -> None:
    bench.attempt(outcome=AttemptOutcome.REACHED)
    bench.complete(CALL)
    bench.annul(**SUE)
    assert [one.by for one in bench.told(TaskAttemptAnnulled)] == ["sue"]
    assert [one.by for one in bench.told(TaskCancelled)] == ["system"]


# merged --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
def test_it_goes_after_the_attempt_to_where_his_record_was_merged(bench: Bench, late: bool) -> None:
    """`late`: the attempt is told over there once more, after it was annulled."""
    bench.attempt(outcome=AttemptOutcome.DECLINED)
    [stopped] = kept(bench)
    bench.put(withdrawn().model_copy(update={"moved_to": "O-2"}))
    assert annul(bench, stopped) == "applied"
    first, second = bench.told(TakeOver)
    other = Bench(file=CaseFile("O-2"), now=bench.now)
    his = pair_id(incident(1), "O-2")
    other.put(opened(offender_id="O-2", pair_id=his, referral_id=referral_id(his, 1)), first)
    assert CALL not in other.open_kinds()  # she declined
    other.wait(hours=5).on_the_round()
    assert other.told(GateChanged)[-1].gate == "clear"
    other.put(second, *([first] if late else []))
    assert other.told(GateChanged)[-1].gate == "shut"
    assert CALL in other.open_kinds()
    assert (len(other.file.attempts), len(other.file.annulled_attempts)) == (0, 1)
