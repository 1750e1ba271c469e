"""Whom a task is brought before, and how often: the person on duty, then the next in policy's order, until it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas import policy as terms
from schemas.commands import Role
from schemas.outreach import TaskKind
from services.common.duty import rung
from services.victim_outreach.domain import CaseFile, Task
from services.victim_outreach.rules.gates import CONTACT, waits_beyond_the_hearing

AT_ONCE = frozenset({TaskKind.CUSTODY_RELEASE, TaskKind.HIGH_DANGER_CALL})
"""Somebody is paged for them as soon as they are there."""
CUSTODY_TASKS = frozenset({TaskKind.CALL, TaskKind.IN_PERSON_CONTACT, TaskKind.IDENTIFY_VICTIM})
"""So are these while he is in jail: his hearing is hours away."""


@dataclass(frozen=True, slots=True)
class Paging:
    """From when on, how often, and from which rung of the ladder. `climbs`: the next rung after every so long."""

    since: datetime
    every: timedelta
    first: int = 1
    climbs: bool = True


def pagings(file: CaseFile, task: Task, policy: terms.Policy) -> list[Paging]:
    """As for any task, and the alarm before his hearing besides: it takes the place of none. Nobody for what is finished."""
    if not task.unfinished:
        return []
    terms_ = policy.outreach
    last = len(terms_.duty[task.owner])
    urgent = task.kind in AT_ONCE or (file.in_custody and task.kind in CUSTODY_TASKS)
    if task.claimed_at is not None and urgent and not _is_tried(file, task):
        # Taken is not done: whoever took it may have fallen asleep.
        since = max(task.due_at, task.claimed_at + terms_.escalate_after)
        usual = Paging(since, terms_.alert_every, last, climbs=False)
    elif task.claimed_by is not None:
        usual = Paging(task.due_at, policy.escalate_overdue, last, climbs=False)
    else:
        since = task.opened_at if urgent else task.due_at
        usual = Paging(max(since, task.given_back_at or since), terms_.alert_every)
    alarm = _hearing_alarm(file, task, policy)
    return [usual] if alarm is None else [usual, Paging(alarm, terms_.alert_every, last, climbs=False)]


def _is_tried(file: CaseFile, task: Task) -> bool:
    """By who has it now; or she was reached."""
    tried = (one for one in file.attempts.values() if one.task_id == task.task_id)
    return any(task.claimed_at is None or one.recorded_at >= task.claimed_at or one.outcome in CONTACT for one in tried)


def _hearing_alarm(file: CaseFile, task: Task, policy: terms.Policy) -> datetime | None:
    """As A or B he waits beyond the time limit, for every woman there is; somebody must know that he does."""
    custody = file.custody
    if custody is None or not custody.held or custody.hearing_at is None:
        return None
    if (
        task.kind not in CUSTODY_TASKS
        or not file.referrals[task.referral_id].gated
        or not waits_beyond_the_hearing(file)
    ):
        return None
    return max(task.opened_at, custody.hearing_at - policy.gate.hearing_margin)


def next_alert(file: CaseFile, task: Task, policy: terms.Policy) -> datetime | None:
    """When the next page is due; None: nobody is paged for it any more."""
    return min((_next(one, task, policy) for one in pagings(file, task, policy)), default=None)


def _next(found: Paging, task: Task, policy: terms.Policy) -> datetime:
    if task.alerted_at is None or task.alerted_at < found.since:
        return found.since  # what was rung before was another's, or rung for another reason
    # After a day of it nobody is helped by a page every few minutes; it still does not end.
    long = task.alerted_at - found.since >= policy.escalate_overdue
    return task.alerted_at + (policy.escalate_overdue if long else found.every)


def on_duty(file: CaseFile, task: Task, policy: terms.Policy, now: datetime) -> Role:
    """The role that is told now: the alarm's, once it rings."""
    ladder = policy.outreach.duty[task.owner]
    begun = [one for one in pagings(file, task, policy) if one.since <= now]
    if not begun:
        return rung(ladder, 1)
    found = begun[-1]
    climbed = (now - found.since) // policy.outreach.escalate_after if found.climbs else 0
    return rung(ladder, found.first + climbed)
