"""What a decision does: opens and withdraws pairs, ends notices it has overtaken, calls for the notice of its tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from schemas.classification import Change, OffenderDecided, ReviewCode, Tier
from schemas.notification import (
    CancelReason,
    NotificationCorrected,
    NotificationState,
)
from services.common.service import Input, Outcome, Redaction
from services.notifier.domain import UNSERVED, Notice, Offender, Pair, Round
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.ending import cancelled
from services.notifier.usecases.enforcing import enforced, opens
from services.notifier.usecases.merging import merging, planned, tell_plan
from services.notifier.usecases.preparing import new_notice, spared
from services.notifier.usecases.settling import lane_view, seated, settled
from services.notifier.usecases.telling import Draft


def decided(offender: Offender, decision: OffenderDecided, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """One notice per tier per person. A decision that names a pair but no incident was caused by an expunction."""
    expunged = decision.pair_id if decision.incident_id is None else None
    rounds = [one for merge in offender.merges.values() for one in merge.rounds]
    now = lane_view(given, policy).now
    draft = merging(Draft(_asked(_with_decision(offender, decision), offender, now)), decision)
    draft = _ended(draft, decision, expunged, now)
    draft = enforced(_prepared(draft, decision, rounds, given, policy), decision, given, policy)
    if expunged is None:
        return settled(draft, given, policy)
    for notice in draft.offender.of({NotificationState.CANCELLED}):
        draft = seated(draft, notice)  # nobody is left to free his place once it is gone
    draft = replace(draft, offender=draft.offender.without_pair(expunged))
    # What the expunction itself makes us say must still go out; what was said before is overwritten.
    # A decision that could not be read here, and lies among the dead letters, names the pair too.
    letters = Redaction((), expunged)
    return replace(settled(draft, given, policy, expunged=expunged), erase=(expunged,), redact=(letters,))


def _with_decision(offender: Offender, decision: OffenderDecided) -> Offender:
    offender = replace(offender, tier=decision.tier, challenged=decision.challenged)
    for pair_id in decision.withdrawn_pair_ids:
        pair = offender.pairs.get(pair_id, Pair(pair_id))
        offender = offender.with_pair(replace(pair, opened=False, asked=0, statutes=()))
    for pair_id, asking in decision.askings.items():
        pair = offender.pairs.get(pair_id, Pair(pair_id))
        offender = offender.with_pair(replace(pair, asked=max(pair.asked, asking)))
    if not opens(decision):
        return offender
    pair = offender.pairs.get(decision.pair_id or "", Pair(decision.pair_id or ""))
    last = max((one.place for one in offender.pairs.values()), default=0)
    return offender.with_pair(
        replace(
            pair,
            opened=True,
            place=pair.place if pair.opened else last + 1,
            on_ladder=decision.incident_id in decision.evidence,
            unannounced=not decision.charged and decision.offender_informed is not True,
            mutual=decision.mutual,
            bulk=decision.bulk or (pair.opened and pair.bulk),  # until a person lifts it
            conflict=decision.conflict_of_interest,
            also_victim=pair.also_victim or ReviewCode.ALSO_VICTIM in decision.review,
            agency=decision.agency or pair.agency,
            statutes=tuple(decision.statutes),
        )
    )


def _asked(offender: Offender, before: Offender, now: datetime) -> Offender:
    """A shut pair that is waited for no more lets notices go, so it asks for them."""
    shut = (key for key, pair in before.pairs.items() if pair.waited_for and not pair.clear)
    if all(offender.pairs[key].waited_for for key in shut):
        return offender
    for notice in offender.of({NotificationState.HELD, NotificationState.FAILED}):
        offender = offender.with_notice(replace(notice, asked_at=now))
    return offender


def _ended(draft: Draft, decision: OffenderDecided, expunged: str | None, now: datetime) -> Draft:
    """Cancel what is not given yet; where it was given, a person must set it right (never un-send silently)."""
    for notice in draft.offender.of({*UNSERVED, NotificationState.SERVED}):
        reason = _end_of(notice, draft.offender, decision, expunged)
        if reason is None:
            continue
        if notice.state in UNSERVED:
            draft = cancelled(draft, notice, reason, now)
        elif not decision.purged and reason not in (CancelReason.SUPERSEDED, CancelReason.MERGED):
            corrected = replace(notice, state=NotificationState.CORRECTED, ended=reason, since=now)
            draft = draft.tell(corrected, draft.offender.event(NotificationCorrected, corrected, reason=reason))
    return draft


def _end_of(notice: Notice, offender: Offender, decision: OffenderDecided, expunged: str | None) -> CancelReason | None:
    if decision.merged_offender_id == offender.offender_id:
        return CancelReason.MERGED
    if notice.pair_id == expunged:
        return CancelReason.EXPUNGED
    if notice.pair_id in decision.withdrawn_pair_ids:
        return CancelReason.RETRACTED
    if decision.tier is None or decision.tier.gravity < notice.tier.gravity:
        return CancelReason.TIER_LOWERED
    if notice.state in UNSERVED and notice.tier in decision.tiers_served and not offender.was_given(notice.tier):
        return CancelReason.ALREADY_SERVED
    return CancelReason.SUPERSEDED if decision.tier is not notice.tier else None


def _prepared(
    draft: Draft, decision: OffenderDecided, rounds: Sequence[Round], given: Input, policy: NoticePolicy
) -> Draft:
    """The notice of the tier, if policy calls for one and none is given or waiting."""
    offender, tier = draft.offender, decision.tier
    if tier is None or not policy.calls_for(tier) or offender.given_or_waiting(tier):
        return draft
    pair = _standing_on(offender, decision, tier)
    if pair is None or (tier in decision.tiers_served and not offender.was_given(tier)):
        return draft
    if decision.bulk and decision.pair_id is None:  # one of many decided again: a person releases it
        pair = replace(pair, bulk=True)
        draft = replace(draft, offender=offender.with_pair(pair))
    draft, notice = new_notice(draft, tier, pair, given, policy)
    on_round = planned(notice, rounds, lane_view(given, policy).now)
    return draft if on_round is notice else tell_plan(draft, on_round)


def _of_himself(decision: OffenderDecided) -> bool:
    """No incident, but a person's raise or another policy has put him on a graver list."""
    return decision.pair_id is None and decision.change in (Change.ENTERED, Change.ESCALATED)


def _standing_on(offender: Offender, decision: OffenderDecided, tier: Tier) -> Pair | None:
    """The pair a notice would stand on: the decision's own; where the decision took something away, the latest left.

    An amended incident does both where it is off the ladder from now on. A decision that does neither (a listed incident)
    prepares nothing. Nor does a pair for which a person has said that the notice of this tier shall not be given.
    """
    left_out = spared(offender, tier)
    own: Sequence[Pair] = ()
    if opens(decision):
        own = [pair for pair in offender.open_pairs if pair.pair_id == decision.pair_id and pair.on_ladder]
    takes_away = bool(decision.withdrawn_pair_ids) or decision.change is Change.LOWERED or _of_himself(decision)
    left = offender.open_pairs if takes_away else ()
    return next((pair for pair in reversed(own or left) if pair.on_ladder and pair.pair_id not in left_out), None)
