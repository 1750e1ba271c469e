"""What people do: take a task, try to reach her, finish; hold everything; open a gate with a second person's word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from schemas.commands import (
    Attempt,
    CancelTask,
    Claim,
    Complete,
    GiveBack,
    HoldCommand,
    LiftSafetyHold,
    OverrideGate,
    SafetyHold,
    TaskCommand,
)
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
from services.common.service import Input, Outcome
from services.common.versions import STALE
from services.victim_outreach import domain
from services.victim_outreach.domain import CaseFile, Hold, Override, Task
from services.victim_outreach.rules import (
    HOLDERS,
    OVERRIDERS,
    QUIET,
    Terms,
    is_in_vain,
    is_shown,
    may_lift,
    may_take,
    supervises,
    tried_before,
)
from services.victim_outreach.usecases.moving import passed_on
from services.victim_outreach.usecases.refusing import known, need_role, refuse
from services.victim_outreach.usecases.settling import applied, settled
from services.victim_outreach.usecases.telling import Draft

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours the clock of the person's device may be."""


def claim(file: CaseFile, data: Claim, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """One person has it, and says so. Her own second claim changes nothing; another's takes it over who says whose it is."""
    task = _open_task(file, data)
    if not may_take(task, data.role):
        refuse("wrong_role")
    if task.claimed_by == data.by:
        return Outcome(file)
    if task.claimed_by not in (None, data.instead_of):
        refuse("already_claimed")
    taken = replace(task, state=TaskState.CLAIMED, claimed_by=data.by, claimed_at=given.now)
    said = Draft(file).task(taken, TaskClaimed, given, by=data.by, instead_of=task.claimed_by)
    return settled(file, said, given, terms)


def give_back(file: CaseFile, data: GiveBack, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Open again, and rung for as if it were opened now; its due time stays. What was tried for her stays tried."""
    task = own_task(file, data)
    if task.claimed_by is None:
        return Outcome(file, result="none")
    back = replace(task, state=TaskState.OPEN, claimed_by=None, claimed_at=None, given_back_at=given.now)
    said = Draft(file).task(back, TaskGivenBack, given, by=data.by, had_by=task.claimed_by)
    return settled(file, said, given, terms)


def attempt(file: CaseFile, data: Attempt, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """A try counts from when it was made; one that is said to be still to come is no try."""
    task = own_task(file, data)
    if data.attempted_at > given.now + CLOCK_TOLERANCE:
        refuse("in_future")
    made_before = (number for task_id, number in (*file.attempts, *file.annulled_attempts) if task_id == task.task_id)
    number = 1 + max(made_before, default=0)
    made = domain.Attempt(
        task_id=task.task_id,
        number=number,
        case_id=task.case_id,
        kind=task.kind,
        channel=data.channel,
        outcome=data.outcome,
        attempted_at=min(data.attempted_at, given.now),
        recorded_at=given.now,
        by=data.by,
    )
    draft = Draft(replace(file, attempts={**file.attempts, (task.task_id, number): made})).task(
        replace(task, state=TaskState.ATTEMPTED),
        TaskAttempted,
        given,
        by=data.by,
        channel=made.channel,
        outcome=made.outcome,
        attempted_at=made.attempted_at,
    )
    reason = _stopped_by(draft.file, task, made, terms)
    if reason is not None:
        draft = _ended(draft, draft.file.tasks[task.task_id], reason, given, "system")
    return settled(file, draft, given, terms)


def _stopped_by(file: CaseFile, task: Task, made: domain.Attempt, terms: Terms) -> TaskCancelReason | None:
    """The stop rules: her word, and so many attempts in vain. Who may be killed is tried for as long as it takes.

    A wrong number, or somebody else who answered, stops that way of reaching her (`rules.contact`), not the task.
    """
    if made.outcome is AttemptOutcome.DECLINED and (task.kind in QUIET or task.kind is TaskKind.HIGH_DANGER_CALL):
        return TaskCancelReason.HER_WORD
    before = tried_before(file, file.referrals[task.referral_id], task.kind)
    here = (one for one in file.attempts.values() if one.task_id == task.task_id)
    vain = is_in_vain([one.outcome for one in (*before, *here)], terms.now)
    return TaskCancelReason.ATTEMPTS_EXHAUSTED if vain and task.kind in QUIET else None


def _ended(draft: Draft, task: Task, reason: TaskCancelReason, given: Input, by: str) -> Draft:
    ended = replace(task, state=TaskState.CANCELLED, ended_at=given.now, cancel_reason=reason)
    return draft.task(ended, TaskCancelled, given, by=by, reason=reason)


def complete(file: CaseFile, data: Complete, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """A slip lets nothing go to him: what counts as a word with her is done only where an attempt says that there was one."""
    task = own_task(file, data)
    if not is_shown(file, task):
        refuse("not_reached")
    done = replace(task, state=TaskState.COMPLETED, ended_at=given.now)
    return settled(file, Draft(file).task(done, TaskCompleted, given, by=data.by), given, terms)


def cancel(file: CaseFile, data: CancelTask, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Leaving something undone for her is the outreach supervisor's to answer for."""
    task = _open_task(file, data)
    if not supervises(data.role):
        refuse("wrong_role")
    return settled(file, _ended(Draft(file), task, TaskCancelReason.BY_PERSON, given, data.by), given, terms)


def hold(file: CaseFile, data: SafetyHold, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """In force at once, for policy's 72 h from now; the same hold again renews it."""
    need_role(data, HOLDERS)
    before = file.holds.get(data.hold_id)
    if before is not None and before.ended_at is not None:
        refuse("closed")
    until = given.now + terms.now.gate.safety_hold
    placed = replace(before, until=max(before.until, until)) if before else Hold(data.hold_id, data.by, until)
    return _settled_with_hold(file, placed, data, given, terms)


def lift_hold(file: CaseFile, data: LiftSafetyHold, given: Input, terms: Terms) -> Outcome[CaseFile]:
    placed = known(file.holds, data.hold_id, "unknown_hold")
    if placed.ended_at is not None:
        refuse("closed")
    if not may_lift(placed, data.by, data.role):
        refuse("not_yours")
    return _settled_with_hold(file, replace(placed, ended_at=given.now), data, given, terms)


def _settled_with_hold(
    file: CaseFile, changed: Hold, data: HoldCommand, given: Input, terms: Terms
) -> Outcome[CaseFile]:
    """Where nobody he waits for is left here, his record was merged and the hold is for all of his."""
    after = replace(file, holds={**file.holds, changed.hold_id: changed})
    case = after.shared_case(data.case_id) if data.case_id is not None and after.live_referrals else None
    outcome = applied(file, after, given, terms)
    return replace(outcome, events=(*outcome.events, *passed_on(file, after, given, case=case)))


def override(file: CaseFile, data: OverrideGate, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """It takes two people; whoever says it again says it anew, for the victims there are by now."""
    need_role(data, OVERRIDERS)
    if data.pair_id not in file.waited_for:
        refuse("unknown_pair")
    word = Override(data.pair_id, data.by, data.role, data.reason, given.now)
    draft = Draft(replace(file, overrides={**file.overrides, (data.pair_id, data.by): word}))
    return settled(file, draft, given, terms)


def _open_task(file: CaseFile, data: TaskCommand) -> Task:
    task = known(file.tasks, data.task_id, "unknown_task")
    if data.expects not in (None, task.version):
        refuse(STALE)
    if not task.unfinished:
        refuse("closed")
    return task


def own_task(file: CaseFile, data: TaskCommand) -> Task:
    task = _open_task(file, data)
    if not may_take(task, data.role):
        refuse("wrong_role")
    if task.claimed_by != data.by and not supervises(data.role):
        refuse("not_yours")
    return task
