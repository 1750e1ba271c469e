"""What should be done for his victims, from the facts as they stand: so facts may come in any order.

Of each case the referral opened last sets the tasks, by the gravest list of any: a new incident joins her open case and
restarts its clocks, and one that is told late takes nothing from her.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from schemas import policy as terms
from schemas.notification import NotificationState
from schemas.outreach import TaskKind, TaskOwner
from schemas.referral import ReferralPurpose
from services.victim_outreach.domain import CaseFile, Referral, graver
from services.victim_outreach.rules.danger import of_danger
from services.victim_outreach.rules.deliveries import of_deliveries
from services.victim_outreach.rules.gates import opening
from services.victim_outreach.rules.need import WRITTEN_INFORMATION, Need, about, need_for
from services.victim_outreach.rules.stops import QUIET, is_quiet, is_stopped
from services.victim_outreach.rules.terms import Terms

GATE_REVIEW = terms.Task(kind=TaskKind.GATE_REVIEW, owner=TaskOwner.SYSTEM_ADVOCATE, due_within_hours=24)
"""He waits, and nothing that is still to be done could end it: a person decides."""


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
        *of_danger(file, policy),
        *_of_release(file, reachable, policy),
        *of_deliveries(file, reachable, policy),
        *_of_others(reachable, policies),
    ]
    quiet = {case_id for case_id in latest if is_quiet(file, case_id)}
    wanted = [need for need in wanted if need.kind not in QUIET or need.referral.case_id not in quiet]
    return [need for need in wanted if not is_stopped(file, need, policy)]


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
        cause = referral.clocks_from if rule.kind is TaskKind.WRITTEN_INFORMATION else called.clocks_from
        yield need_for(referral, rule, about(referral), cause, policy, of_incident=True)


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


def _of_release(file: CaseFile, reachable: list[Referral], policy: terms.Policy) -> Iterator[Need]:
    """One for each case, whoever of her incidents came first; a release before the incident is none of hers."""
    release = file.release
    if release is None:
        return
    rule = policy.on_occasion[TaskKind.CUSTODY_RELEASE]
    concerned = [one for one in reachable if one.occurred_at is not None and one.occurred_at <= release.released_at]
    for referral in {one.case_id: one for one in concerned}.values():
        yield need_for(referral, rule, release.booking_id, release.recorded_at, policy)


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
                yield need_for(hers, rule, about(new), new.clocks_from, policy)


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
    """Decided or not, it comes again for as long as he waits. While all was on hold there was nothing to decide."""
    ended = [task for task in file.tasks.values() if task.pair_id == pair_id and task.ended_at is not None]
    before = sum(task.kind is TaskKind.GATE_REVIEW for task in ended)
    holds = (hold.ended_at for hold in file.holds.values())
    causes = (latest.clocks_from, *(task.ended_at for task in ended), *holds)
    return need_for(latest, GATE_REVIEW, f"{pair_id}|{before}", max(at for at in causes if at is not None), policy)
