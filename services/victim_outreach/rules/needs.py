"""What should be done for his victims, from the facts as they stand: so facts may come in any order.

Of each case the referral opened last sets the tasks, by the gravest list of any: a new incident joins her open case and
restarts its clocks, and one that is told late takes nothing from her.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas import policy as terms
from schemas.advocacy import ScreenResult
from schemas.notification import NotificationState
from schemas.outreach import AttemptOutcome, CaseCloseReason, ContactChannel, TaskKind, TaskOwner
from schemas.referral import ReferralPurpose
from services.victim_outreach.domain import Attempt, CaseFile, Delivery, Referral, Task, TaskKey, Victim, graver
from services.victim_outreach.rules.clocks import due
from services.victim_outreach.rules.contact import safe_contact
from services.victim_outreach.rules.gates import TRIES, opening
from services.victim_outreach.rules.terms import Terms

WRITTEN_INFORMATION = terms.Task(kind=TaskKind.WRITTEN_INFORMATION, owner=TaskOwner.AGENCY, due_within_hours=72)
"""The floor of N.C.G.S. 15A-831: what every victim gets, and within what time, whatever a policy says."""
GATE_REVIEW = terms.Task(kind=TaskKind.GATE_REVIEW, owner=TaskOwner.SYSTEM_ADVOCATE, due_within_hours=24)
"""He waits, and nothing that is still to be done could end it: a person decides."""
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


def needs(file: CaseFile, policies: Terms) -> list[Need]:
    """Everything to be done now or done already, in a fixed order.

    What an incident calls for, the policy says that was in force when its clocks began; what comes later, the one now.
    """
    policy = policies.now
    live = file.live_referrals
    latest = {referral.case_id: referral for referral in live}
    gravest = _gravest(live)
    reachable = [referral for referral in live if _reachable(referral) and referral.case_id not in file.killed]
    wanted = [
        *(
            need
            for referral in latest.values()
            for need in _of_incident(file, referral, gravest[referral.case_id], policies)
        ),
        *(need for referral in reachable for need in _of_danger(file, referral, policy)),
        *(need for one in {one.case_id: one for one in reachable}.values() for need in _of_screens(file, one, policy)),
        *_of_release(file, reachable, policy),
        *_of_deliveries(file, reachable, policy),
        *_of_others(reachable, policies),
    ]
    quiet = {case_id for case_id in latest if is_quiet(file, case_id)}
    wanted = [need for need in wanted if need.kind not in QUIET or need.referral.case_id not in quiet]
    return [need for need in wanted if not _is_stopped(file, need, policy)]


def _is_stopped(file: CaseFile, need: Need, policy: terms.Policy) -> bool:
    """Whether a stop rule ended it where it was a task before his record was merged. A new incident asks her anew."""
    if need.kind not in QUIET or not need.of_incident:
        return False
    before = tried_before(file, need.referral, need.kind)
    here = (one for one in file.attempts.values() if (task := file.tasks.get(one.task_id)) and task.key == need.key)
    outcomes = [one.outcome for one in (*before, *here)]
    return bool(before) and (AttemptOutcome.DECLINED in [one.outcome for one in before] or is_in_vain(outcomes, policy))


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


def _reachable(referral: Referral) -> bool:
    """Whether there is a known partner of his to speak to."""
    return referral.gated and referral.victim_id is not None


def _gravest(live: Iterable[Referral]) -> Mapping[str, Referral]:
    """Of each case, the referral of the gravest list; of two that are alike, the later."""
    found: dict[str, Referral] = {}
    for one in live:
        known = found.get(one.case_id, one)
        found[one.case_id] = one if graver(known.gravest, one.gravest) is one.gravest else known
    return found


def _of_incident(file: CaseFile, referral: Referral, gravest: Referral, policies: Terms) -> Iterator[Need]:
    """`referral`: the last of hers that was opened. An older one that came onto a graver list since has the younger clocks."""
    if file.is_closed(referral.case_id):
        return
    assert referral.clocks_from is not None, "what is live was opened"
    assert gravest.clocks_from is not None, "so was this"
    called = gravest if gravest.clocks_from > referral.clocks_from else referral
    policy = policies.then(called.policy)
    for rule in _response(referral, gravest, policy, referral.case_id in file.killed):
        about = f"{referral.referral_id}|{referral.opening}"
        cause = referral.clocks_from if rule.kind is TaskKind.WRITTEN_INFORMATION else called.clocks_from
        yield _need(referral, rule, about, cause, policy, of_incident=True)


def _response(referral: Referral, gravest: Referral, policy: terms.Policy, killed: bool) -> list[terms.Task]:
    if referral.purpose is ReferralPurpose.ASK_RELATIONSHIP:
        return [policy.on_occasion[TaskKind.ASK_RELATIONSHIP]]
    if killed:
        return [policy.on_occasion[TaskKind.FAMILY_LIAISON]]
    if referral.victim_id is None:
        return [policy.on_occasion[TaskKind.IDENTIFY_VICTIM]]
    tasks = policy.victim_tasks(gravest.gravest)
    informed = any(task.kind is TaskKind.WRITTEN_INFORMATION for task in tasks)
    return tasks if informed else [WRITTEN_INFORMATION, *tasks]


def _of_danger(file: CaseFile, referral: Referral, policy: terms.Policy) -> Iterator[Need]:
    """Police's screen says *high*: she is called at once, on account of its incident."""
    screened = [one.screened_at for one in file.victims.values() if _is_high(one, referral) and one.screened_at]
    if screened and referral.clocks_from is not None:
        about = f"{referral.referral_id}|{referral.opening}"
        rule = policy.on_occasion[TaskKind.HIGH_DANGER_CALL]
        yield _need(referral, rule, about, max(min(screened), referral.clocks_from), policy)


def _of_screens(file: CaseFile, referral: Referral, policy: terms.Policy) -> Iterator[Need]:
    """So she is where an advocate's screen says it: by those whose screen it is, for nobody else is to know of it."""
    hers = file.own_cases(referral.case_id)
    for screen in file.screens.values():
        if screen.case_id in hers and screen.result == ScreenResult.HIGH:
            rule = policy.on_occasion[TaskKind.HIGH_DANGER_CALL].model_copy(update={"owner": screen.owner})
            # Of two women who were taken for one each has a copy: what was done upon the one is done upon the other.
            about = f"screen|{screen.owner}|{screen.recorded_at.isoformat()}"
            yield _need(referral, rule, about, screen.recorded_at, policy)


def _is_high(victim: Victim, referral: Referral) -> bool:
    """A screen is of one incident; one that names none is of whichever there is."""
    of_it = victim.incident_id in (None, referral.incident_id)
    return of_it and victim.victim_id == referral.victim_id and victim.lethality_screen == ScreenResult.HIGH


def _of_release(file: CaseFile, reachable: list[Referral], policy: terms.Policy) -> Iterator[Need]:
    """One for each case, whoever of her incidents came first; a release before the incident is none of hers."""
    release = file.release
    if release is None:
        return
    rule = policy.on_occasion[TaskKind.CUSTODY_RELEASE]
    concerned = [one for one in reachable if one.occurred_at is not None and one.occurred_at <= release.released_at]
    for referral in {one.case_id: one for one in concerned}.values():
        yield _need(referral, rule, release.booking_id, release.recorded_at, policy)


def _of_deliveries(file: CaseFile, reachable: list[Referral], policy: terms.Policy) -> Iterator[Need]:
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
            if notice.visits and (case_id in its or _was_before(hers, notice)):
                yield _need(referral, rule, f"{notice.notification_id}|{notice.visits}", notice.visited_at, policy)


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
            about = _of_plan(notice)
            need = _need(referral, rule, about, notice.planned_at, policy)
            yield replace(need, due_at=max(notice.planned_at, notice.planned_from - _A_DAY))
    elif notice.state is NotificationState.RELEASED:
        yield _need(referral, rule, f"{notice.notification_id}|{notice.releases}", notice.released_at, policy)


def _of_plan(notice: Delivery) -> str:
    return f"{notice.notification_id}|planned|{notice.plans}"


def told_of(file: CaseFile, referral: Referral) -> datetime | None:
    """Beginning of the round that is planned, where she has been told of it, or is not to be."""
    kept = {task.about for task in file.tasks.values() if task.case_id == referral.case_id and _is_over(task)}
    rounds = [one for one in file.deliveries.values() if _of_plan(one) in kept]
    latest = max((one.planned_from for one in rounds if one.planned_from is not None), default=None)
    return latest or referral.told_of


def _is_over(task: Task) -> bool:
    return task.kind is TaskKind.BEFORE_DELIVERY and task.stands and not task.unfinished


_TO_COME = (NotificationState.PREPARED, NotificationState.HELD, NotificationState.RELEASED)
_A_DAY = timedelta(days=1)


def _has_a_way(file: CaseFile, case_id: str) -> bool:
    """Whether some way to her is not known to be unsafe; what has run out by now is looked at when it is used."""
    profiles = file.profiles_of(case_id)
    if not profiles:
        return True
    asked_at = max(profile.recorded_at for profile in profiles)
    found = safe_contact(profiles, file.tries_of(case_id), asked_at)
    return any(found.is_open(channel) for channel in ContactChannel if channel not in _ELSEWHERE)


_ELSEWHERE = frozenset({ContactChannel.HOSPITAL, ContactChannel.COURT})
"""Where she may be met, but not sought on account of a visit to him."""


def _of_others(reachable: list[Referral], policies: Terms) -> Iterator[Need]:
    """Policy may have an earlier partner told that he has come to notice again: of the new incident she is told nothing."""
    latest = {one.case_id: one for one in reachable}
    for new in reachable:
        policy = policies.then(new.policy)
        rule = policy.on_occasion.get(TaskKind.EARLIER_PARTNER)
        if rule is None:
            continue
        for hers in latest.values():
            alone = hers.case_id != new.case_id and hers.pair_id != new.pair_id
            if alone and hers.place < new.place:
                yield _need(hers, rule, f"{new.referral_id}|{new.opening}", new.clocks_from, policy)


def _need(
    referral: Referral,
    rule: terms.Task,
    about: str,
    cause: datetime | None,
    policy: terms.Policy,
    *,
    of_incident: bool = False,
) -> Need:
    assert cause is not None, "what is live was opened, what was released or visited has its time"
    due_at = due(cause, rule, policy)
    if rule.kind is TaskKind.WRITTEN_INFORMATION:
        due_at = min(due_at, cause + WRITTEN_INFORMATION.within)
    # Where he is a sworn officer or the like, his own agency's people are not to hold her tasks.
    elsewhere = referral.conflict_of_interest and rule.owner is TaskOwner.AGENCY
    owner = TaskOwner.SYSTEM_ADVOCATE if elsewhere else rule.owner
    return Need(referral, rule.kind, about, owner, due_at, of_incident)


def reviews(file: CaseFile, policy: terms.Policy) -> Iterator[Need]:
    """For each pair he waits for with nothing left that could end it: somebody is to decide. Asked after all other needs."""
    waits = (NotificationState.PREPARED, NotificationState.HELD)
    if file.on_hold or not any(notice.state in waits for notice in file.deliveries.values()):
        return
    busy = {task.case_id for task in file.tasks.values() if task.unfinished and task.kind not in _NO_OUTREACH}
    for pair_id, waiting in sorted(file.waited_for.items()):
        if opening(file, pair_id, policy.gate) is None and not busy & {one.case_id for one in waiting}:
            yield _review(file, pair_id, max(waiting, key=lambda one: one.place), policy)


_NO_OUTREACH = frozenset({TaskKind.GATE_REVIEW, TaskKind.BEFORE_DELIVERY})
"""What is left to be done and is nothing that he waits for."""


def _review(file: CaseFile, pair_id: str, latest: Referral, policy: terms.Policy) -> Need:
    """Decided or not, it comes again for as long as he waits."""
    ended = [task for task in file.tasks.values() if task.pair_id == pair_id and task.ended_at is not None]
    before = sum(task.kind is TaskKind.GATE_REVIEW for task in ended)
    causes = (latest.clocks_from, *(task.ended_at for task in ended))
    return _need(latest, GATE_REVIEW, f"{pair_id}|{before}", max(at for at in causes if at is not None), policy)
