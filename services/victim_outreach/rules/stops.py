"""What ends the seeking of her: her own word, and so many tries in vain."""

from __future__ import annotations

from collections.abc import Collection

from schemas import policy as terms
from schemas.outreach import AttemptOutcome, TaskCancelReason, TaskKind
from services.victim_outreach.domain import Attempt, CaseFile, Referral, Task
from services.victim_outreach.rules.gates import TRIES
from services.victim_outreach.rules.need import Need

QUIET = frozenset(
    {
        TaskKind.CALL,
        TaskKind.IN_PERSON_CONTACT,
        TaskKind.SAFETY_PLANNING,
        TaskKind.ADVOCACY,
        TaskKind.CASE_MANAGEMENT,
        TaskKind.BEFORE_DELIVERY,
        TaskKind.AFTER_DELIVERY,
        TaskKind.EARLIER_PARTNER,
    }
)
"""What is left undone where she is not to be contacted. His release, and a screen that says she may be killed, are put
before an advocate all the same; written information is owed by law and can be given when she calls.
"""


def is_stopped(file: CaseFile, need: Need, policy: terms.Policy) -> bool:
    """Whether a stop rule ended it where it was a task before his record was merged. A new incident asks her anew."""
    if need.kind not in QUIET or not need.of_incident:
        return False
    before = tried_before(file, need.referral, need.kind)
    here = (one for one in file.attempts.values() if (task := file.tasks.get(one.task_id)) and task.key == need.key)
    outcomes = [one.outcome for one in (*before, *here)]
    return bool(before) and (AttemptOutcome.DECLINED in [one.outcome for one in before] or is_in_vain(outcomes, policy))


def stop_stands(file: CaseFile, task: Task, policy: terms.Policy) -> bool:
    """Whether the tries there are still call for the stop that ended it."""
    before = tried_before(file, file.referrals[task.referral_id], task.kind)
    here = (one for one in file.attempts.values() if one.task_id == task.task_id)
    outcomes = [one.outcome for one in (*before, *here)]
    if task.cancel_reason is TaskCancelReason.HER_WORD:
        return AttemptOutcome.DECLINED in outcomes
    return task.cancel_reason is not TaskCancelReason.ATTEMPTS_EXHAUSTED or is_in_vain(outcomes, policy)


def tried_before(file: CaseFile, referral: Referral, kind: TaskKind) -> list[Attempt]:
    """Tries for her on account of this incident that were made for another record of his, at tasks of this kind."""
    return [
        one
        for one in file.attempts_by_case.get(referral.case_id, ())
        if one.kind == kind
        and one.task_id not in file.tasks
        and referral.opened_at is not None
        and one.recorded_at > referral.opened_at
    ]


def is_in_vain(outcomes: Collection[AttemptOutcome], policy: terms.Policy) -> bool:
    """So many tries, and never reached. An unsafe moment, a wrong number and somebody else's answer were no tries of her."""
    tries = [one for one in outcomes if one in TRIES]
    return AttemptOutcome.REACHED not in tries and len(tries) >= policy.outreach.stop_after_attempts


def is_quiet(file: CaseFile, case_id: str) -> bool:
    """Whether she has said that she is not to be contacted; it stands until she says otherwise."""
    return any(profile.no_contact for profile in file.profiles_of(case_id))
