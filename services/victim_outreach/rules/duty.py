"""Whom a task is brought before, and how often: the person on duty, then the next in policy's order, until it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas import policy as terms
from schemas.commands import Role
from schemas.outreach import TaskKind
from services.common.duty import rung
from services.victim_outreach.domain import CaseFile, Task
from services.victim_outreach.rules.gates import waits_beyond_the_hearing

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


def paging(file: CaseFile, task: Task, policy: terms.Policy) -> Paging | None:
    """None: nobody is paged for it, as things stand: it is finished, or not for such haste."""
    if not task.unfinished:
        return None
    terms_ = policy.outreach
    ladder = terms_.duty[task.owner]
    if (alarm := _hearing_alarm(file, task, policy)) is not None:
        return Paging(alarm, terms_.alert_every, len(ladder), climbs=False)
    if task.claimed_by is not None:
        return Paging(task.due_at, policy.escalate_overdue, len(ladder), climbs=False)
    urgent = task.kind in AT_ONCE or (file.in_custody and task.kind in CUSTODY_TASKS)
    return Paging(task.opened_at if urgent else task.due_at, terms_.alert_every)


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
    """When the next page is due."""
    found = paging(file, task, policy)
    if found is None:
        return None
    if task.alerted_at is None:
        return found.since
    # After a day of it nobody is helped by a page every few minutes; it still does not end.
    long = task.alerted_at - found.since >= policy.escalate_overdue
    return max(found.since, task.alerted_at + (policy.escalate_overdue if long else found.every))


def on_duty(file: CaseFile, task: Task, policy: terms.Policy, now: datetime) -> Role:
    """The role that is told now."""
    ladder = policy.outreach.duty[task.owner]
    found = paging(file, task, policy)
    if found is None:
        return rung(ladder, 1)
    climbed = max(now - found.since, timedelta()) // policy.outreach.escalate_after if found.climbs else 0
    return rung(ladder, found.first + climbed)
