"""What notices to him call for with her: before each is given, and after each visit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from schemas import policy as terms
from schemas.notification import NotificationState
from schemas.outreach import CaseCloseReason, ContactChannel, TaskKind
from services.victim_outreach.domain import CaseFile, Delivery, Referral, Task
from services.victim_outreach.rules.contact import safe_contact
from services.victim_outreach.rules.need import Need, need_for

_TO_COME = (NotificationState.PREPARED, NotificationState.HELD, NotificationState.RELEASED)
_ELSEWHERE = frozenset({ContactChannel.HOSPITAL, ContactChannel.COURT})
"""Where she may be met, but not sought on account of a visit to him."""
_A_DAY = timedelta(days=1)


def of_deliveries(file: CaseFile, reachable: list[Referral], policy: terms.Policy) -> Iterator[Need]:
    """Every woman he waits for hears of a notice before it is given, and is asked after each visit whether she is safe."""
    rule = policy.on_occasion[TaskKind.AFTER_DELIVERY]
    by_case: dict[str, list[Referral]] = {}
    for one in reachable:
        by_case.setdefault(one.case_id, []).append(one)
    for _, notice in sorted(file.deliveries.items()):
        its = {one.case_id for one in file.referrals.values() if one.pair_id == notice.pair_id and one.place}
        for case_id, hers in by_case.items():
            if _is_left_alone(file, case_id, on_her_account=case_id in its):
                continue
            referral = max(hers, key=lambda one: (one.pair_id == notice.pair_id, one.place))
            if _has_a_way(file, case_id):
                yield from _before(notice, referral, {one.told_of for one in hers}, policy)
            if notice.last and notice.visited_at is not None and (case_id in its or _was_before(hers, notice)):
                yield need_for(referral, rule, f"{notice.notification_id}|{notice.last}", notice.visited_at, policy)


def _is_left_alone(file: CaseFile, case_id: str, *, on_her_account: bool) -> bool:
    """She died; or wants nothing more, and the notice is on another woman's account. Closed otherwise, she hears of it."""
    case = file.cases.get(case_id)
    if case is None or case.closed_at is None:
        return False
    return case.close_reason is CaseCloseReason.DECEASED or (
        case.close_reason is CaseCloseReason.HER_WORD and not on_her_account
    )


def _was_before(hers: Iterable[Referral], notice: Delivery) -> bool:
    """Of another woman than the one on whose account it was: a visit before what was done to her is none of hers."""
    visited_at = notice.visited_at
    return visited_at is not None and any(one.occurred_at is not None and one.occurred_at <= visited_at for one in hers)


def _before(
    notice: Delivery, referral: Referral, told_of: Collection[datetime | None], policy: terms.Policy
) -> Iterator[Need]:
    """By the day before the one that is planned, or at once when that is nearer; while he waits as well. Of none planned,
    when it may be given. `told_of`: rounds of which she heard under another record of his.
    """
    rule = policy.on_occasion[TaskKind.BEFORE_DELIVERY]
    if notice.planned_from is not None and notice.planned_at is not None:
        told = notice.plans == 1 and notice.planned_from in told_of
        if notice.state in _TO_COME and not told:
            about = of_plan(notice)
            need = need_for(referral, rule, about, notice.planned_at, policy)
            yield replace(need, due_at=max(notice.planned_at, notice.planned_from - _A_DAY))
    elif notice.state is NotificationState.RELEASED:
        yield need_for(referral, rule, f"{notice.notification_id}|{notice.releases}", notice.released_at, policy)


def of_plan(notice: Delivery) -> str:
    """What a task before the day that is planned is about."""
    return f"{notice.notification_id}|planned|{notice.plans}"


def told_of(file: CaseFile, referral: Referral) -> datetime | None:
    """Beginning of the round that is planned, where she has been told of it, or is not to be."""
    kept = {task.about for task in file.tasks.values() if task.case_id == referral.case_id and _is_over(task)}
    rounds = [one for one in file.deliveries.values() if of_plan(one) in kept]
    latest = max((one.planned_from for one in rounds if one.planned_from is not None), default=None)
    return latest or referral.told_of


def _is_over(task: Task) -> bool:
    return task.kind is TaskKind.BEFORE_DELIVERY and task.stands and not task.unfinished


def _has_a_way(file: CaseFile, case_id: str) -> bool:
    """Whether some way to her is not known to be unsafe; what has run out by now is looked at when it is used."""
    profiles = file.profiles_of(case_id)
    if not profiles:
        return True
    asked_at = max(profile.recorded_at for profile in profiles)
    found = safe_contact(profiles, file.tries_of(case_id), asked_at)
    return any(found.is_open(channel) for channel in ContactChannel if channel not in _ELSEWHERE)
