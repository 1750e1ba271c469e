"""What should be done for his victims, from the facts as they stand: so facts may come in any order.

Of each case the referral opened last sets the tasks: a new incident joins her open case and restarts its clocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas import policy as terms
from schemas.notification import NotificationState
from schemas.outreach import TaskKind, TaskOwner
from schemas.referral import ReferralPurpose
from services.victim_outreach.domain import CaseFile, Referral, TaskKey

WRITTEN_INFORMATION = terms.Task(kind=TaskKind.WRITTEN_INFORMATION, owner=TaskOwner.AGENCY, due_within_hours=72)
"""The floor of N.C.G.S. 15A-831: what every victim gets, and within what time, whatever a policy says."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to be done, on account of one referral."""

    referral: Referral
    kind: TaskKind
    about: str
    owner: TaskOwner
    due_at: datetime
    of_incident: bool
    """Else of what he does or is done to him: a release, a delivery."""

    @property
    def key(self) -> TaskKey:
        return (self.referral.case_id, self.kind, self.about)


def needs(file: CaseFile, policy: terms.Policy) -> list[Need]:
    """Everything to be done now or done already, in a fixed order."""
    live = file.live_referrals
    latest = {referral.case_id: referral for referral in live}
    reachable = [referral for referral in live if _reachable(referral) and referral.case_id not in file.killed]
    return [
        *(
            need
            for referral in latest.values()
            for need in _of_incident(referral, policy, referral.case_id in file.killed)
        ),
        *_of_release(file, reachable, policy),
        *(need for referral in reachable for need in _of_deliveries(file, referral, policy)),
    ]


def _reachable(referral: Referral) -> bool:
    """Whether there is a known partner of his to speak to."""
    return referral.gated and referral.victim_id is not None


def _of_incident(referral: Referral, policy: terms.Policy, killed: bool) -> Iterator[Need]:
    for rule in _response(referral, policy, killed):
        about = f"{referral.referral_id}|{referral.opening}"
        yield _need(referral, rule, about, referral.clocks_from, of_incident=True)


def _response(referral: Referral, policy: terms.Policy, killed: bool) -> list[terms.Task]:
    if referral.purpose is ReferralPurpose.ASK_RELATIONSHIP:
        return [policy.on_occasion[TaskKind.ASK_RELATIONSHIP]]
    if killed:
        return [policy.on_occasion[TaskKind.FAMILY_LIAISON]]
    if referral.victim_id is None:
        return [policy.on_occasion[TaskKind.IDENTIFY_VICTIM]]
    tasks = policy.victim_tasks(referral.gravest)
    informed = any(task.kind is TaskKind.WRITTEN_INFORMATION for task in tasks)
    return tasks if informed else [WRITTEN_INFORMATION, *tasks]


def _of_release(file: CaseFile, reachable: list[Referral], policy: terms.Policy) -> Iterator[Need]:
    """One for each case, whoever of her incidents came first; a release before the incident is none of hers."""
    release = file.release
    if release is None:
        return
    rule = policy.on_occasion[TaskKind.CUSTODY_RELEASE]
    concerned = [one for one in reachable if one.occurred_at is not None and one.occurred_at <= release.released_at]
    for referral in {one.case_id: one for one in concerned}.values():
        yield _need(referral, rule, release.booking_id, release.recorded_at)


def _of_deliveries(file: CaseFile, referral: Referral, policy: terms.Policy) -> Iterator[Need]:
    """She hears of a notice before it is given, and is asked after each visit whether she is safe."""
    for _, notice in sorted(file.deliveries.items()):
        if notice.pair_id != referral.pair_id:
            continue
        if notice.state is NotificationState.RELEASED:
            rule = policy.on_occasion[TaskKind.BEFORE_DELIVERY]
            yield _need(referral, rule, f"{notice.notification_id}|{notice.releases}", notice.released_at)
        if notice.visits:
            rule = policy.on_occasion[TaskKind.AFTER_DELIVERY]
            yield _need(referral, rule, f"{notice.notification_id}|{notice.visits}", notice.visited_at)


def _within(task: terms.Task) -> timedelta:
    """How long after its cause was recorded a task is due."""
    if task.kind is TaskKind.WRITTEN_INFORMATION:
        return min(task.within, WRITTEN_INFORMATION.within)
    return task.within


def _need(
    referral: Referral, rule: terms.Task, about: str, cause: datetime | None, *, of_incident: bool = False
) -> Need:
    assert cause is not None, "what is live was opened, what was released or visited has its time"
    # Where he is a sworn officer or the like, his own agency's people are not to hold her tasks.
    elsewhere = referral.conflict_of_interest and rule.owner is TaskOwner.AGENCY
    owner = TaskOwner.SYSTEM_ADVOCATE if elsewhere else rule.owner
    return Need(referral, rule.kind, about, owner, cause + _within(rule), of_incident)
