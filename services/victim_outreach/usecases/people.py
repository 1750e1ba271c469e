"""What people do: take a task, try to reach her, finish; hold everything; open a gate with a second person's word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn, TypeVar

from schemas.commands import (
    Attempt,
    CancelTask,
    Claim,
    Complete,
    LiftSafetyHold,
    OverrideGate,
    PersonCommand,
    Role,
    SafetyHold,
    TaskCommand,
)
from schemas.outreach import TaskAttempted, TaskCancelled, TaskCancelReason, TaskClaimed, TaskCompleted, TaskState
from schemas.policy import Policy
from services.common.service import Input, Outcome
from services.common.versions import STALE, version_of
from services.victim_outreach import domain
from services.victim_outreach.domain import CaseFile, Hold, Override, Task
from services.victim_outreach.rules import HOLDERS, OVERRIDERS, may_lift, may_take, supervises
from services.victim_outreach.usecases.settling import settled
from services.victim_outreach.usecases.telling import Draft

T = TypeVar("T")

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far ahead of ours the clock of the person's device may be."""


class Refused(Exception):  # noqa: N818 (an answer, not an error)
    """The command is not applied; the text is the code its sender is told."""


def claim(file: CaseFile, data: Claim, given: Input, policy: Policy) -> Outcome[CaseFile]:
    """One person has it, and says so. Her own second claim changes nothing."""
    task = _open_task(file, data)
    if not may_take(task, data.role):
        _refuse("wrong_role")
    if task.claimed_by == data.by:
        return Outcome(file)
    if task.claimed_by is not None:
        _refuse("already_claimed")
    taken = replace(task, state=TaskState.CLAIMED, claimed_by=data.by, claimed_at=given.now)
    return settled(file, Draft(file).task(taken, TaskClaimed, given, by=data.by), given, policy)


def attempt(file: CaseFile, data: Attempt, given: Input, policy: Policy) -> Outcome[CaseFile]:
    """A try counts from when it was made; one that is said to be still to come is no try."""
    task = _own_task(file, data)
    if data.attempted_at > given.now + CLOCK_TOLERANCE:
        _refuse("in_future")
    number = 1 + sum(task_id == task.task_id for task_id, _ in file.attempts)
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
    return settled(file, draft, given, policy)


def complete(file: CaseFile, data: Complete, given: Input, policy: Policy) -> Outcome[CaseFile]:
    task = _own_task(file, data)
    done = replace(task, state=TaskState.COMPLETED, ended_at=given.now)
    return settled(file, Draft(file).task(done, TaskCompleted, given, by=data.by), given, policy)


def cancel(file: CaseFile, data: CancelTask, given: Input, policy: Policy) -> Outcome[CaseFile]:
    """Leaving something undone for her is the outreach supervisor's to answer for."""
    task = _open_task(file, data)
    if not supervises(data.role):
        _refuse("wrong_role")
    reason = TaskCancelReason.BY_PERSON
    ended = replace(task, state=TaskState.CANCELLED, ended_at=given.now, cancel_reason=reason)
    return settled(file, Draft(file).task(ended, TaskCancelled, given, by=data.by, reason=reason), given, policy)


def hold(file: CaseFile, data: SafetyHold, given: Input, policy: Policy) -> Outcome[CaseFile]:
    """In force at once, for policy's 72 h from now; the same hold again renews it."""
    _need_role(data, HOLDERS)
    known = file.holds.get(data.hold_id)
    if known is not None and known.ended_at is not None:
        _refuse("closed")
    until = given.now + policy.gate.safety_hold
    placed = replace(known, until=max(known.until, until)) if known else Hold(data.hold_id, data.by, until)
    return _settled_with_hold(file, placed, given, policy)


def lift_hold(file: CaseFile, data: LiftSafetyHold, given: Input, policy: Policy) -> Outcome[CaseFile]:
    known = _known(file.holds, data.hold_id, "unknown_hold")
    if known.ended_at is not None:
        _refuse("closed")
    if not may_lift(known, data.by, data.role):
        _refuse("not_yours")
    return _settled_with_hold(file, replace(known, ended_at=given.now), given, policy)


def _settled_with_hold(file: CaseFile, changed: Hold, given: Input, policy: Policy) -> Outcome[CaseFile]:
    draft = Draft(replace(file, holds={**file.holds, changed.hold_id: changed}))
    return replace(settled(file, draft, given, policy), result="applied")


def override(file: CaseFile, data: OverrideGate, given: Input, policy: Policy) -> Outcome[CaseFile]:
    """It takes two people; whoever says it again says it anew, for the victims there are by now."""
    _need_role(data, OVERRIDERS)
    if data.pair_id not in file.waited_for:
        _refuse("unknown_pair")
    word = Override(data.pair_id, data.by, data.role, data.reason, given.now)
    draft = Draft(replace(file, overrides={**file.overrides, (data.pair_id, data.by): word}))
    return settled(file, draft, given, policy)


def _open_task(file: CaseFile, data: TaskCommand) -> Task:
    task = _known(file.tasks, data.task_id, "unknown_task")
    if data.expects not in (None, version_of(task)):
        _refuse(STALE)
    if not task.unfinished:
        _refuse("closed")
    return task


def _own_task(file: CaseFile, data: TaskCommand) -> Task:
    task = _open_task(file, data)
    if not may_take(task, data.role):
        _refuse("wrong_role")
    if task.claimed_by != data.by and not supervises(data.role):
        _refuse("not_yours")
    return task


def _need_role(data: PersonCommand, allowed: frozenset[Role]) -> None:
    if data.role not in allowed:
        _refuse("wrong_role")


def _known(there: Mapping[str, T], key: str, code: str) -> T:
    found = there.get(key)
    if found is None:
        _refuse(code)
    return found


def _refuse(code: str) -> NoReturn:
    raise Refused(code)
