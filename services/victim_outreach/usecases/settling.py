"""After any change of the facts: tasks and gates are brought in line with them, and what follows is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from schemas.envelope import deterministic_id
from schemas.outreach import (
    GateState,
    TaskCancelled,
    TaskCancelReason,
    TaskClaimed,
    TaskKind,
    TaskOpened,
    TaskOwner,
    TaskState,
)
from schemas.policy import Policy
from services.common.service import Input, Outcome
from services.victim_outreach.domain import Case, CaseFile, Gate, Hold, Message, Task, TaskKey
from services.victim_outreach.rules import (
    QUIET,
    Need,
    Terms,
    called,
    gate_state,
    is_quiet,
    needs,
    next_alert,
    next_call,
    on_duty,
    opening,
    reviews,
)
from services.victim_outreach.usecases.naming import followed
from services.victim_outreach.usecases.telling import Draft

MESSAGE_LOST_AFTER = timedelta(minutes=15)


def settled(
    before: CaseFile, draft: Draft, given: Input, terms: Terms, *, on_the_round: bool = False
) -> Outcome[CaseFile]:
    """The outcome of one record. `before` itself is the state where nothing changed.

    `on_the_round`: see `gate_state`.
    """
    draft = replace(draft, file=followed(before, draft.file))
    wanted = needs(draft.file, terms)
    draft = _with_cases(draft, wanted, given)
    draft = _with_tasks(draft, wanted, lambda task: task.kind is not TaskKind.GATE_REVIEW, given)
    draft = _with_gates(before, draft, given, terms, on_the_round=on_the_round)
    draft = _with_tasks(draft, reviews(draft.file, terms.now), lambda task: task.kind is TaskKind.GATE_REVIEW, given)
    file = _paged(_kept_from_his_agency(draft.file), given, terms)
    file = replace(file, wake_at=wake_at(file, terms))
    return Outcome(before, result="none") if file == before else Outcome(file, draft.said)


def applied(before: CaseFile, after: CaseFile, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """The outcome of a command: applied too where nothing changed."""
    return replace(settled(before, Draft(after), given, terms), result="applied")


def wake_at(file: CaseFile, terms: Terms) -> datetime | None:
    """When the clock next has work: a task falls overdue, is raised or paged for, a hold ends or will, a gate can clear."""
    shut = [gate for gate in file.gates.values() if gate.state is GateState.SHUT and not gate.ended]
    openings = (opening(file, gate.pair_id, terms.now.gate) for gate in shut)
    moments = [
        *(moment for task in file.tasks.values() if task.unfinished for moment in _calls(file, task, terms)),
        *(message_lost_at(one) for one in file.messages.values() if one.outcome is None),
        *(moment for hold in file.holds.values() if hold.ended_at is None for moment in _ends(file, hold, terms)),
        *(max(found.grounded_at, found.clear_from) for found in openings if found is not None),
    ]
    return min(moments, default=None)


def _calls(file: CaseFile, task: Task, terms: Terms) -> Iterable[datetime]:
    yield raised_at(task, terms.now)
    if (alert := next_alert(file, task, terms.now)) is not None:
        yield alert


def _ends(file: CaseFile, hold: Hold, terms: Terms) -> Iterable[datetime]:
    yield hold.until
    if (call := next_call(file, hold, terms.now)) is not None:
        yield call


def message_lost_at(message: Message) -> datetime:
    """When a message of which the sender has said nothing counts as not known to have left."""
    return message.asked_at + MESSAGE_LOST_AFTER


def raised_at(task: Task, policy: Policy) -> datetime:
    """When an unfinished task is next marked overdue: at its due time, then every so often."""
    return task.due_at + task.escalation * policy.escalate_overdue


def _with_cases(draft: Draft, wanted: Iterable[Need], given: Input) -> Draft:
    """A case is opened by its first live referral, or by the call that a screen opens before its incident is."""
    file = draft.file
    new = {one.case_id for one in file.live_referrals} | {need.referral.case_id for need in wanted}
    new -= file.cases.keys()
    if not new:
        return draft
    cases = {**file.cases, **{each: Case(each, given.now) for each in sorted(new)}}
    return replace(draft, file=replace(file, cases=cases))


def _kept_from_his_agency(file: CaseFile) -> CaseFile:
    """Where he turns out to be an officer, what his agency's people did for her is theirs to read no longer."""
    if not any(one.conflict_of_interest for one in file.live_referrals):
        return file
    ended = (one for one in file.tasks.values() if one.owner is TaskOwner.AGENCY and not one.unfinished)
    theirs = {one.task_id: replace(one, owner=TaskOwner.SYSTEM_ADVOCATE) for one in ended}
    return replace(file, tasks={**file.tasks, **theirs}) if theirs else file


def _paged(file: CaseFile, given: Input, terms: Terms) -> CaseFile:
    """Whoever is on duty is told of what nobody has taken, and of a hold that ends; the sender finds here that it has something
    to say.
    """
    paged = {}
    for task in file.unfinished_tasks():
        alert = next_alert(file, task, terms.now)
        if alert is not None and alert <= given.now:
            duty = on_duty(file, task, terms.now, given.now)
            paged[task.task_id] = replace(task, duty=duty, alerts=task.alerts + 1, alerted_at=given.now)
    holds = {key: called(file, hold, terms.now, given.now) for key, hold in file.holds.items()}
    if holds != file.holds:
        file = replace(file, holds=holds)
    return replace(file, tasks={**file.tasks, **paged}) if paged else file


def _with_tasks(draft: Draft, wanted_: Iterable[Need], among: Callable[[Task], bool], given: Input) -> Draft:
    """Open what is needed and not there; then drop what is needed no longer, sooner, or on another's account."""
    wanted = {need.key: need for need in wanted_}
    dropped = [task for task in draft.file.unfinished_tasks() if among(task) and _is_stale(draft.file, task, wanted)]
    gone = {task.task_id for task in dropped}
    tasks = draft.file.tasks.values()
    standing = {task.key for task in tasks if task.stands and task.task_id not in gone}
    opened = Counter(task.key for task in tasks)
    for key, need in wanted.items():
        if key not in standing:
            forerunner = _forerunner(draft.file, dropped, need)
            draft = _open(draft, need, opened[key], forerunner, given)
    for task in dropped:
        draft = _drop(draft, task, given)
    return draft


def _is_stale(file: CaseFile, task: Task, wanted: Mapping[TaskKey, Need]) -> bool:
    need = wanted.get(task.key)
    if need is None or need.due_at < task.due_at:
        return True
    if not file.referrals[task.referral_id].live and need.referral.referral_id != task.referral_id:
        return True
    return need.referral.conflict_of_interest and task.owner is TaskOwner.AGENCY


def _forerunner(file: CaseFile, dropped: Iterable[Task], need: Need) -> Task | None:
    """Of the same case; of a call in high danger also of that she had before she was named. One of its owner, if there is."""
    cases = {need.referral.case_id}
    if need.kind is TaskKind.HIGH_DANGER_CALL:
        cases.add(file.case_before(need.referral) or need.referral.case_id)
    found = [task for task in dropped if task.kind is need.kind and task.case_id in cases]
    return min(found, key=lambda task: task.owner is not need.owner, default=None)


def _open(draft: Draft, need: Need, earlier: int, forerunner: Task | None, given: Input) -> Draft:
    """A task takes over its forerunner's person and, of an incident, its due time: a new one gives nobody more time.

    `earlier`: how many tasks were opened for this need before; part of the new one's identity.
    """
    # Links move tasks between cases: an id must not be given twice.
    ids = (deterministic_id("task", *need.key, number) for number in count(earlier))
    task = Task(
        task_id=next(each for each in ids if each not in draft.file.tasks),
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
    reason = _why(draft.file, task)
    ended = replace(task, state=TaskState.CANCELLED, ended_at=given.at, cancel_reason=reason)
    return draft.task(ended, TaskCancelled, given, reason=reason)


def _why(file: CaseFile, task: Task) -> TaskCancelReason:
    """Why a task is needed no longer."""
    if file.referrals[task.referral_id].withdrawn:
        return TaskCancelReason.REFERRAL_WITHDRAWN
    if task.kind in QUIET and is_quiet(file, task.case_id):
        hers = [one.owner for one in file.profiles_of(task.case_id) if one.no_contact]
        # What she told advocates of another kind is not theirs to know.
        return TaskCancelReason.NO_CONTACT if task.owner in hers else TaskCancelReason.SUPERSEDED
    return TaskCancelReason.CASE_CLOSED if file.is_closed(task.case_id) else TaskCancelReason.SUPERSEDED


def _with_gates(before: CaseFile, draft: Draft, given: Input, terms: Terms, *, on_the_round: bool) -> Draft:
    """The first word on a pair is always `shut`. What is shut goes out at once, and so does the answer to an asking."""
    gated = draft.file.waited_for.keys()
    for pair_id in sorted(gated | draft.file.gates.keys()):
        known = before.gates.get(pair_id)
        gate = draft.file.gates.get(pair_id, Gate(pair_id))
        if known is None:
            draft = draft.gate(gate, given)
        state = gate_state(draft.file, gate, terms.now.gate, given.now, on_the_round=on_the_round)
        now = replace(gate, state=state, ended=pair_id not in gated)
        if state is not gate.state or (known is not None and known.answers != gate.answers):
            draft = draft.gate(replace(now, version=gate.version + 1), given)
        elif now != gate:
            draft = Draft(replace(draft.file, gates={**draft.file.gates, pair_id: now}), draft.said)
    return draft
