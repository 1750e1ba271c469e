"""The prosecutor is told at once: no contact with him, so no gate and no hold keeps it. What is done about it is his."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from schemas.classification import OffenderDecided, Outreach
from schemas.commands import CloseEnforcement, EnforcementCommand, Role, TakeEnforcement
from schemas.enforcement import (
    EnforcementClosed,
    EnforcementOutcome,
    EnforcementReferred,
    EnforcementState,
    EnforcementTaken,
    EnforcementWithdrawn,
)
from schemas.envelope import deterministic_id
from schemas.notification import CancelReason
from services.common.service import Input, Outcome, Refused
from services.notifier.domain import Enforcement, Offender, Pair
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.commands import acted_on
from services.notifier.usecases.settling import settled
from services.notifier.usecases.telling import Draft

PROSECUTORS = frozenset({Role.PROSECUTOR, Role.COORDINATOR})


def opens(decision: OffenderDecided) -> bool:
    """A pair that is open stays so until a decision withdraws it: `outreach: none` alone ends no wait."""
    return (
        decision.outreach is Outreach.OPENED
        and decision.pair_id is not None
        and decision.pair_id not in decision.withdrawn_pair_ids
    )


def enforced(draft: Draft, decision: OffenderDecided, given: Input, policy: NoticePolicy) -> Draft:
    """Refers the decision's incident where it is charged and the list calls for it; withdraws what has lost its ground."""
    for one in draft.offender.enforcements.values():
        if not one.over and (reason := _end_of(one, draft.offender, decision, policy)) is not None:
            ended = replace(one, state=EnforcementState.WITHDRAWN, since=given.at, due=None)
            draft = _tell(draft, ended, EnforcementWithdrawn(**_named(draft.offender, one), reason=reason))
    pair = draft.offender.pairs.get(decision.pair_id or "")
    calls_for = decision.tier in policy.notices.enforcement.tiers and decision.charged and opens(decision)
    if pair is None or not (calls_for and pair.on_ladder):
        return draft
    return _referred(draft, pair, decision, given, policy)


def _referred(draft: Draft, pair: Pair, decision: OffenderDecided, given: Input, policy: NoticePolicy) -> Draft:
    offender, terms = draft.offender, policy.notices.enforcement
    key, known = _under(offender, pair)
    if known is not None and (known.over or known.statutes == pair.statutes):
        return draft
    one = known or Enforcement(key, pair.pair_id, since=given.at, referred_at=given.at, policy=policy.digest)
    one = replace(one, statutes=pair.statutes, levers=tuple(terms.levers))
    custody = offender.custody
    return _tell(
        draft,
        one,
        EnforcementReferred(
            **_named(offender, one),
            levers=list(one.levers),
            statutes=list(pair.statutes),
            arrested_at=decision.arrested_at,
            agency=pair.agency,
            in_custody=custody is not None,
            hearing_at=custody.hearing_at if custody is not None else None,
            conflict_of_interest=offender.conflict,
        ),
    )


def _under(offender: Offender, pair: Pair) -> tuple[str, Enforcement | None]:
    """The incident's referral since its pair was opened. One that was withdrawn stays so, and is followed by another."""
    for again in count():
        parts = (pair.place, again) if again else (pair.place,)
        key = deterministic_id("enforcement", offender.offender_id, pair.pair_id, *parts)
        known = offender.enforcements.get(key)
        if known is None or known.state is not EnforcementState.WITHDRAWN:
            break
    return key, known


def _end_of(
    one: Enforcement, offender: Offender, decision: OffenderDecided, policy: NoticePolicy
) -> CancelReason | None:
    if decision.merged_offender_id == offender.offender_id:
        return CancelReason.MERGED
    if one.pair_id in decision.withdrawn_pair_ids:
        return CancelReason.EXPUNGED if decision.incident_id is None else CancelReason.RETRACTED
    if decision.tier not in policy.notices.enforcement.tiers:
        return CancelReason.TIER_LOWERED
    uncharged = one.pair_id == decision.pair_id and opens(decision) and not decision.charged
    return CancelReason.RETRACTED if uncharged else None


def take_enforcement(
    offender: Offender, command: TakeEnforcement, given: Input, policy: NoticePolicy
) -> Outcome[Offender]:
    """I work on it."""
    one = _open(offender, command)
    if one.taken_by == command.by:
        return Outcome(offender, result="none")
    if one.taken_by is not None and command.role is not Role.COORDINATOR:
        raise Refused("already_claimed")
    taken = replace(one, state=EnforcementState.TAKEN, taken_by=command.by, since=given.now)
    event = EnforcementTaken(**_named(offender, one, command.by))
    return settled(_tell(Draft(offender), taken, event), given, policy)


def close_enforcement(
    offender: Offender, command: CloseEnforcement, given: Input, policy: NoticePolicy
) -> Outcome[Offender]:
    """What came of it."""
    one = _open(offender, command)
    if bool(command.levers) is not (command.outcome is EnforcementOutcome.LEVERS_USED):
        raise Refused("levers_missing" if not command.levers else "levers_not_used")
    closed = replace(
        one,
        state=EnforcementState.CLOSED,
        outcome=command.outcome,
        levers=tuple(command.levers),
        since=given.now,
        due=None,
    )
    event = EnforcementClosed(**_named(offender, one, command.by), outcome=command.outcome, levers=list(command.levers))
    return settled(_tell(Draft(offender), closed, event), given, policy)


def _open(offender: Offender, command: EnforcementCommand) -> Enforcement:
    one = acted_on(offender.enforcements.get(command.enforcement_id), command, PROSECUTORS, "unknown_enforcement")
    if one.over:
        raise Refused("already_closed")
    return one


def _named(offender: Offender, one: Enforcement, by: str = "system") -> dict[str, str]:
    return {
        "enforcement_id": one.enforcement_id,
        "pair_id": one.pair_id,
        "offender_id": offender.offender_id,
        "by": by,
    }


def _tell(
    draft: Draft,
    one: Enforcement,
    event: EnforcementReferred | EnforcementTaken | EnforcementClosed | EnforcementWithdrawn,
) -> Draft:
    return replace(draft, offender=draft.offender.with_enforcement(one)).say(event)
