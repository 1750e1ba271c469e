"""What rested on attempts that are annulled, in whichever lane it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from schemas.outreach import TaskCancelled, TaskCancelReason, TaskState
from services.common.service import Input
from services.victim_outreach.domain import AnnulledAttempt, CaseFile, Task
from services.victim_outreach.rules import Terms, is_shown, stop_stands
from services.victim_outreach.usecases.telling import Draft


def without(draft: Draft, gone: Collection[AnnulledAttempt], given: Input, terms: Terms) -> Draft:
    """What was stopped or completed on the ground of these alone is superseded: what it was for opens anew if it is needed.

    Who annulled is said of the attempt alone.
    """
    if not gone:
        return draft
    before = draft.file
    keys = {(one.task_id, one.number): one for one in gone}
    attempts = {key: one for key, one in before.attempts.items() if key not in keys}
    after = replace(before, attempts=attempts, annulled_attempts={**keys, **before.annulled_attempts})
    draft = replace(draft, file=after)
    if len(attempts) == len(before.attempts):
        return draft
    for task in _unsettled(before, after, terms):
        if task.state is TaskState.COMPLETED:
            ended = replace(task, state=TaskState.CANCELLED, cancel_reason=TaskCancelReason.SUPERSEDED)
            draft = draft.task(ended, TaskCancelled, given, reason=TaskCancelReason.SUPERSEDED)
        else:
            draft = replace(draft, file=_with(draft.file, _as_untried(task)))
    return draft


def _unsettled(before: CaseFile, after: CaseFile, terms: Terms) -> Iterable[Task]:
    """In a fixed order. What was completed without any attempt, before one was asked for, stays so."""
    tried, left = ({task_id for task_id, _ in file.attempts} for file in (before, after))
    for _, task in sorted(after.tasks.items()):
        if task.state is TaskState.COMPLETED:
            if is_shown(before, task) and not is_shown(after, task):
                yield task
        elif task.state is TaskState.CANCELLED:
            if stop_stands(before, task, terms.now) and not stop_stands(after, task, terms.now):
                yield task
        elif task.state is TaskState.ATTEMPTED and task.task_id in tried - left:
            yield task


def _as_untried(task: Task) -> Task:
    if task.state is TaskState.CANCELLED:
        return replace(task, cancel_reason=TaskCancelReason.SUPERSEDED)
    return replace(task, state=TaskState.CLAIMED if task.claimed_by else TaskState.OPEN)


def _with(file: CaseFile, task: Task) -> CaseFile:
    return replace(file, tasks={**file.tasks, task.task_id: task})
