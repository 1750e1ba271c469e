"""When a pair's gate is clear. Fail-closed: what is not shown to be clear is shut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

from schemas import policy as terms
from schemas.classification import Tier
from schemas.outreach import AttemptOutcome, GateState, TaskKind, TaskOwner, TaskState
from services.victim_outreach.domain import Attempt, CaseFile, Gate, Referral, Task
from services.victim_outreach.rules.people import READS

CONTACT = frozenset({AttemptOutcome.REACHED, AttemptOutcome.DECLINED})
"""She was spoken to. One who declines has been asked; to try her twice more would be to press her."""
TRIES = CONTACT | {AttemptOutcome.NO_ANSWER}
"""What counts as a try to reach *her*. An unsafe moment, a wrong number and somebody else's answer do not."""
_CONTACT_TASKS = frozenset(
    {TaskKind.CALL, TaskKind.IN_PERSON_CONTACT, TaskKind.SAFETY_PLANNING, TaskKind.HIGH_DANGER_CALL}
)
"""Tasks that are not done before somebody has spoken to her: completed, each counts as such (`is_shown`)."""
_FAMILY_TASKS = frozenset({TaskKind.FAMILY_LIAISON})
_TIME_LIMITED = frozenset({Tier.C})
"""A and B alarm and wait; D is never released by time (`docs/decisions/0025`)."""
_NEVER_BY_TIME = frozenset({Tier.A, Tier.B})
AGREED_WITHIN = timedelta(hours=24)
"""Of two people who override, the second speaks so soon after the first: else it is another day's matter."""


@dataclass(frozen=True, slots=True)
class Opening:
    """From when a gate has its ground, from when a shut one may be cleared upon it, and a clear one is kept so."""

    grounded_at: datetime
    clear_from: datetime
    stays_from: datetime
    """Outside custody: when the pause after its ground is over, whatever calls came later."""


def gate_state(file: CaseFile, gate: Gate, policy: terms.Gate, now: datetime, *, on_the_round: bool) -> GateState:
    """`on_the_round`: whether this is the lane's 5-minute tick, with which alone a gate clears outside custody.

    Once clear it stays so while its ground stands: a later call to her does not shut it, which would tell of the call. Only
    custody spares the pause: who is let out within it waits for the rest.
    """
    found = opening(file, gate.pair_id, policy)
    if found is None or found.grounded_at > now:
        return GateState.SHUT
    if gate.state is GateState.CLEAR and (file.in_custody or found.stays_from <= now):
        return GateState.CLEAR
    may_clear = found.clear_from <= now and (file.in_custody or on_the_round)
    return GateState.CLEAR if may_clear else GateState.SHUT


def opening(file: CaseFile, pair_id: str, policy: terms.Gate) -> Opening | None:
    """When the gate can clear as facts stand; None: not before something more is done. A safety hold outranks all."""
    waiting = file.waited_for.get(pair_id)
    if not waiting or file.on_hold:
        return None
    grounds = [*_by_override(file, pair_id, waiting), *_by_outreach(file, waiting, policy)]
    if not grounds:
        return None
    return Opening(
        min(each.grounded_at for each in grounds),
        min(each.clear_from for each in grounds),
        min(each.stays_from for each in grounds),
    )


def is_shown(file: CaseFile, task: Task) -> bool:
    """Whether it may be completed: where that counts as a word with her, or a try for the family, an attempt says so.

    One at this task, or at another of hers since she was referred whose attempts are read by whoever holds this one: else it
    would tell them of a word that is not theirs to know.
    """
    if task.kind not in _CONTACT_TASKS | _FAMILY_TASKS:
        return True
    referral = file.referrals[task.referral_id]
    since = _since(file, referral) if referral.opened_at is not None else ()
    elsewhere = (one for one in since if _may_know(file, task, one))
    tried = [*elsewhere, *(one for one in file.attempts.values() if one.task_id == task.task_id)]
    if task.kind in _FAMILY_TASKS:
        return any(one.kind in _FAMILY_TASKS for one in tried)
    return any(one.outcome in CONTACT for one in tried)


def _may_know(file: CaseFile, task: Task, made: Attempt) -> bool:
    """Whether who holds a task reads an attempt. Of one from another record of his it is not kept at whose task it was made."""
    at = file.tasks.get(made.task_id)
    if at is not None:
        return at.owner in READS[task.owner]
    own = made.kind == task.kind and task.kind is not TaskKind.HIGH_DANGER_CALL
    return own or READS[task.owner] >= set(TaskOwner)


def waits_beyond_the_hearing(file: CaseFile) -> bool:
    """Whether he waits for anybody as A or B: then no pair of his opens by time, for one notice waits for all of them."""
    return any(one.tier in _NEVER_BY_TIME for waiting in file.waited_for.values() for one in waiting)


def _by_override(file: CaseFile, pair_id: str, waiting: Sequence[Referral]) -> Iterator[Opening]:
    """The word of two people, of one reason and of one day. What was said before a victim was referred does not cover her."""
    since = max(map(_opened, waiting))
    words = [word for word in file.overrides.values() if word.pair_id == pair_id and word.given_at > since]
    for one, other in combinations(sorted(words, key=lambda word: word.given_at), 2):
        if one.reason == other.reason and other.given_at - one.given_at <= AGREED_WITHIN:
            yield Opening(other.given_at, other.given_at, other.given_at)


def _by_outreach(file: CaseFile, waiting: Sequence[Referral], policy: terms.Gate) -> Iterator[Opening]:
    """The least outreach, to each of them; outside custody a pause follows on the last word with any of them."""
    done = [_done_at(file, referral, policy) for referral in waiting]
    moments = [moment for moment in done if moment is not None]
    if len(moments) < len(done):
        return
    last = max(moments)
    spoken = [moment for referral in waiting for moment in _spoken(file, referral.case_id)]
    clear_from = last if file.in_custody else max([last, *spoken]) + policy.cool_off
    yield Opening(last, clear_from, last + policy.cool_off)


def _spoken(file: CaseFile, case_id: str) -> Iterator[datetime]:
    """Every moment at which somebody spoke to her or hers, or tried to."""
    yield from (attempt.attempted_at for attempt in file.attempts_by_case.get(case_id, ()))
    yield from _completed(file, case_id, _CONTACT_TASKS | _FAMILY_TASKS)


def _done_at(file: CaseFile, referral: Referral, policy: terms.Gate) -> datetime | None:
    """When the least outreach to this victim was done, or the time limit for it falls."""
    moments = [
        *(_family_told(file, referral) if referral.case_id in file.killed else _reached(file, referral, policy)),
        *_time_limit(file, referral, policy),
    ]
    return min(moments, default=None)


def _family_told(file: CaseFile, referral: Referral) -> Iterator[datetime]:
    """She was killed: an attempt to reach the family is what he waits for."""
    yield from (one.attempted_at for one in _since(file, referral) if one.kind in _FAMILY_TASKS)
    yield from _completed_since(file, referral, _FAMILY_TASKS)


def _reached(file: CaseFile, referral: Referral, policy: terms.Gate) -> Iterator[datetime]:
    if referral.victim_id is None:
        return  # nobody knows whom to reach
    attempts = sorted(_since(file, referral), key=lambda attempt: attempt.attempted_at)
    yield from (attempt.attempted_at for attempt in attempts if attempt.outcome in CONTACT)
    yield from _completed_since(file, referral, _CONTACT_TASKS)
    tries = [attempt for attempt in attempts if attempt.outcome in TRIES]
    for count in range(1, len(tries) + 1):
        if _enough(tries[:count], policy, in_custody=file.in_custody):
            yield tries[count - 1].attempted_at
            return


def _enough(tries: Sequence[Attempt], policy: terms.Gate, *, in_custody: bool) -> bool:
    if in_custody and len(tries) >= policy.in_custody_attempts:
        return True
    return (
        len(tries) >= policy.attempts
        and len({attempt.channel for attempt in tries}) >= policy.attempt_channels
        and tries[-1].attempted_at - tries[0].attempted_at >= policy.attempts_over
    )


def _time_limit(file: CaseFile, referral: Referral, policy: terms.Gate) -> Iterator[datetime]:
    """In custody with a hearing set: policy's margin before it, if a person on duty has taken a task of hers."""
    custody = file.custody
    if custody is None or not custody.held or custody.hearing_at is None or referral.tier not in _TIME_LIMITED:
        return
    if waits_beyond_the_hearing(file):
        return
    for task in file.handled_by_case.get(referral.case_id, ()):
        if task.claimed_at is not None and task.claimed_at > _opened(referral):
            yield max(task.claimed_at, custody.hearing_at - policy.hearing_margin)


def _since(file: CaseFile, referral: Referral) -> Iterator[Attempt]:
    """Attempts that can be about this incident: made after it happened, told after she was referred for it."""
    for attempt in file.attempts_by_case.get(referral.case_id, ()):
        happened = referral.occurred_at is None or attempt.attempted_at >= referral.occurred_at
        if happened and attempt.recorded_at > _opened(referral):
            yield attempt


def _completed_since(file: CaseFile, referral: Referral, kinds: frozenset[TaskKind]) -> Iterator[datetime]:
    yield from (moment for moment in _completed(file, referral.case_id, kinds) if moment > _opened(referral))


def _completed(file: CaseFile, case_id: str, kinds: frozenset[TaskKind]) -> Iterator[datetime]:
    for task in file.handled_by_case.get(case_id, ()):
        if task.state is TaskState.COMPLETED and task.kind in kinds and task.ended_at is not None:
            yield task.ended_at


def _opened(referral: Referral) -> datetime:
    assert referral.opened_at is not None, "asked of live referrals only"
    return referral.opened_at
