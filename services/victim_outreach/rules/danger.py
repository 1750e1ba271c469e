"""Whom a screen says may be killed: she is called at once, whoever she is and however she came to be known (decision 100)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas import policy as terms
from schemas.advocacy import ScreenResult
from schemas.outreach import TaskCancelReason, TaskKind, TaskState
from services.victim_outreach.domain import CaseFile, Referral, Task, Victim
from services.victim_outreach.rules.need import Need, about, need_for

_LISTED = "{}|0"
"""What a call is about that was opened before its incident was."""


def of_danger(file: CaseFile, policy: terms.Policy) -> Iterator[Need]:
    """In a fixed order. One who is not named, or not known to be his partner, is to be found and called all the same."""
    live = [one for one in file.live_referrals if one.case_id not in file.killed]
    high = [one for one in file.victims.values() if one.lethality_screen == ScreenResult.HIGH]
    for referral in (*live, *_listed(file)) if high else ():
        yield from _of_polices(file, referral, [one for one in high if _is_hers(one, referral)], policy)
    for referral in {one.case_id: one for one in live}.values():
        yield from _of_advocates(file, referral, policy)


def _listed(file: CaseFile) -> list[Referral]:
    """In the order of their ids. Where any record of hers says that she was killed, nobody calls."""
    killed = file.killed | {one.case_id for one in file.referrals.values() if one.homicide and one.listed}
    listed = (one for one in file.referrals.values() if one.listed and one.case_id not in killed)
    return sorted(listed, key=lambda one: one.referral_id)


def _of_polices(file: CaseFile, referral: Referral, screens: Sequence[Victim], policy: terms.Policy) -> Iterator[Need]:
    """On account of its incident. What is listed opens nothing by itself, but a screen of these days does."""
    if not referral.live and not referral.to_be_called:
        screens = [one for one in screens if _is_of_these_days(one, referral, policy)]
    told = [one.screened_at for one in screens if one.screened_at]
    if not told or _was_called_before(file, referral):
        return
    rule = policy.on_occasion[TaskKind.HIGH_DANGER_CALL]
    cause = max(min(told), referral.clocks_from or min(told))
    yield need_for(referral, rule, about(referral), cause, policy, of_incident=True)


def _is_hers(victim: Victim, referral: Referral) -> bool:
    """A screen is of one incident; one that names none is of whichever there is. Not named, she is known by her place."""
    if victim.incident_id not in (None, referral.incident_id):
        return False
    if victim.victim_id is not None and referral.victim_id is not None:
        return victim.victim_id == referral.victim_id
    here = victim.incident_id is not None or victim.victim_id == referral.victim_id
    return here and victim.victim_no == referral.victim_no


def _is_of_these_days(victim: Victim, referral: Referral, policy: terms.Policy) -> bool:
    """Told soon after she was asked; of a history load, where a file may bear the day it was made, soon after the incident."""
    told, asked, happened = victim.screened_at, victim.asked_at, referral.occurred_at
    if told is None or asked is None or happened is None:
        return False
    since = min(asked, happened) if referral.bulk else asked
    return told - since <= policy.stale_after


def _of_advocates(file: CaseFile, referral: Referral, policy: terms.Policy) -> Iterator[Need]:
    """So she is where an advocate's screen says it: by those whose screen it is, for nobody else is to know of it."""
    hers = file.own_cases(referral.case_id)
    before = {file.case_before(one) for one in file.live_referrals if one.case_id == referral.case_id}
    called = {task.about for task in file.tasks.values() if task.case_id in before and _is_called(task)}
    for screen in file.screens.values():
        # Of two women who were taken for one each has a copy: what was done upon the one is done upon the other.
        upon = f"screen|{screen.owner}|{screen.recorded_at.isoformat()}"
        if screen.case_id in hers and screen.result == ScreenResult.HIGH and upon not in called:
            rule = policy.on_occasion[TaskKind.HIGH_DANGER_CALL].model_copy(update={"owner": screen.owner})
            yield need_for(referral, rule, upon, screen.recorded_at, policy)


def _was_called_before(file: CaseFile, referral: Referral) -> bool:
    """While it was listed, or before she was named or said to be his partner: she, and no other whom she was thought to be."""
    before = file.case_before(referral)
    for task in file.tasks.values():
        if not task.about.startswith(f"{referral.referral_id}|") or not _is_called(task):
            continue
        if task.case_id == referral.case_id:
            if task.about == _LISTED.format(referral.referral_id):
                return True
        elif task.case_id == before or (task.victim_id is not None and task.victim_id == referral.victim_id):
            return True
    return False


def _is_called(task: Task) -> bool:
    """Whether she was, or would not be."""
    if task.kind is not TaskKind.HIGH_DANGER_CALL:
        return False
    return task.state is TaskState.COMPLETED or task.cancel_reason is TaskCancelReason.HER_WORD
