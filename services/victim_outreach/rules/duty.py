"""Whom a task is brought before, and how often: the person on duty, then the next in policy's order, until it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas import policy as terms
from schemas.classification import Tier
from schemas.commands import Role
from schemas.outreach import TaskKind
from services.common.duty import rung
from services.victim_outreach.domain import CaseFile, Task

AT_ONCE = frozenset({TaskKind.CUSTODY_RELEASE, TaskKind.HIGH_DANGER_CALL})
"""Somebody is paged for them as soon as they are there."""
CUSTODY_TASKS = frozenset({TaskKind.CALL, TaskKind.IN_PERSON_CONTACT, TaskKind.IDENTIFY_VICTIM})
"""So are these while he is in jail: his hearing is hours away."""
_NEVER_BY_TIME = frozenset({Tier.A, Tier.B})


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
    """A and B wait beyond the time limit, and somebody must know that they do."""
    custody, referral = file.custody, file.referrals[task.referral_id]
    waits = referral.gated and referral.tier in _NEVER_BY_TIME and task.kind in CUSTODY_TASKS
    if not waits or custody is None or not custody.held or custody.hearing_at is None:
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
