"""After any change of the facts: tasks and gates are brought in line with them, and what follows is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from schemas.envelope import deterministic_id
from schemas.outreach import GateState, TaskCancelled, TaskCancelReason, TaskClaimed, TaskOpened, TaskState
from schemas.policy import Policy
from services.common.service import Input, Outcome
from services.victim_outreach.domain import CaseFile, Gate, Task, TaskKey
from services.victim_outreach.rules import Need, gate_state, needs, opening
from services.victim_outreach.usecases.telling import Draft


def settled(
    before: CaseFile, draft: Draft, given: Input, policy: Policy, *, on_the_round: bool = False
) -> Outcome[CaseFile]:
    """The outcome of one record. `before` itself is the state where nothing changed.

    `on_the_round`: see `gate_state`.
    """
    draft = _with_gates(_with_tasks(draft, given, policy), given, policy, on_the_round=on_the_round)
    file = replace(draft.file, wake_at=wake_at(draft.file, policy))
    return Outcome(before, result="none") if file == before else Outcome(file, draft.said)


def wake_at(file: CaseFile, policy: Policy) -> datetime | None:
    """When the clock next has work: a task falls overdue or is raised again, a hold runs out, a gate can clear."""
    shut = [gate for gate in file.gates.values() if gate.state is GateState.SHUT and not gate.ended]
    openings = (opening(file, gate.pair_id, policy.gate) for gate in shut)
    moments = [
        *(raised_at(task, policy) for task in file.tasks.values() if task.unfinished),
        *(hold.until for hold in file.holds.values() if hold.ended_at is None),
        *(max(found.grounded_at, found.clear_from) for found in openings if found is not None),
    ]
    return min(moments, default=None)


def raised_at(task: Task, policy: Policy) -> datetime:
    """When an unfinished task is next marked overdue: at its due time, then every so often."""
    return task.due_at + task.escalation * policy.escalate_overdue


def _with_tasks(draft: Draft, given: Input, policy: Policy) -> Draft:
    """Open what is needed and not there; then drop what is needed no longer, sooner, or on another's account."""
    wanted = {need.key: need for need in needs(draft.file, policy)}
    dropped = [task for task in draft.file.unfinished_tasks() if _is_stale(draft.file, task, wanted)]
    gone = {task.task_id for task in dropped}
    tasks = draft.file.tasks.values()
    standing = {task.key for task in tasks if task.stands and task.task_id not in gone}
    opened = Counter(task.key for task in tasks)
    for key, need in wanted.items():
        if key not in standing:
            forerunner = next((task for task in dropped if (task.case_id, task.kind) == key[:2]), None)
            draft = _open(draft, need, opened[key], forerunner, given)
    for task in dropped:
        draft = _drop(draft, task, given)
    return draft


def _is_stale(file: CaseFile, task: Task, wanted: Mapping[TaskKey, Need]) -> bool:
    need = wanted.get(task.key)
    return need is None or need.due_at < task.due_at or not file.referrals[task.referral_id].live


def _open(draft: Draft, need: Need, earlier: int, forerunner: Task | None, given: Input) -> Draft:
    """A task takes over its forerunner's person and, of an incident, its due time: a new one gives nobody more time.

    `earlier`: how many tasks were opened for this need before; part of the new one's identity.
    """
    task = Task(
        task_id=deterministic_id("task", *need.key, earlier),
        case_id=need.referral.case_id,
        referral_id=need.referral.referral_id,
        pair_id=need.referral.pair_id,
        victim_no=need.referral.victim_no,
        victim_id=need.referral.victim_id,
        kind=need.kind,
        about=need.about,
        owner=need.owner,
        opened_at=given.at,
        due_at=min(need.due_at, forerunner.due_at) if forerunner and need.of_incident else need.due_at,
    )
    draft = draft.task(task, TaskOpened, given)
    if forerunner is None or forerunner.claimed_by is None or forerunner.owner is not need.owner:
        return draft
    taken = replace(task, state=TaskState.CLAIMED, claimed_by=forerunner.claimed_by, claimed_at=forerunner.claimed_at)
    return draft.task(taken, TaskClaimed, given, by=forerunner.claimed_by)


def _drop(draft: Draft, task: Task, given: Input) -> Draft:
    withdrawn = draft.file.referrals[task.referral_id].withdrawn
    reason = TaskCancelReason.REFERRAL_WITHDRAWN if withdrawn else TaskCancelReason.SUPERSEDED
    ended = replace(task, state=TaskState.CANCELLED, ended_at=given.at, cancel_reason=reason)
    return draft.task(ended, TaskCancelled, given, reason=reason)


def _with_gates(draft: Draft, given: Input, policy: Policy, *, on_the_round: bool) -> Draft:
    """The first word on a pair is always `shut`. What is shut goes out at once."""
    gated = draft.file.waited_for.keys()
    for pair_id in sorted(gated | draft.file.gates.keys()):
        if pair_id not in draft.file.gates:
            draft = draft.gate(Gate(pair_id), given)
        gate = draft.file.gates[pair_id]
        state = gate_state(draft.file, gate, policy.gate, given.now, on_the_round=on_the_round)
        now = replace(gate, state=state, ended=pair_id not in gated)
        if state is not gate.state:
            draft = draft.gate(replace(now, version=gate.version + 1), given)
        elif now != gate:
            draft = Draft(replace(draft.file, gates={**draft.file.gates, pair_id: now}), draft.said)
    return draft
