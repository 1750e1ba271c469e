"""A notice is made, by a decision or because one of its list does not stand any more."""

from __future__ import annotations

from dataclasses import replace

from schemas.classification import Tier
from schemas.envelope import deterministic_id
from schemas.notification import CancelReason, NotificationPrepared
from services.common.service import Input
from services.notifier.domain import Notice, Offender, Pair
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.telling import Draft


def prepared_anew(draft: Draft, tier: Tier, given: Input, policy: NoticePolicy) -> Draft:
    """What he was given of this tier does not stand: where it is still his, he is to be given it."""
    offender = draft.offender
    if offender.tier is not tier or not policy.calls_for(tier) or offender.given_or_waiting(tier):
        return draft
    left_out = spared(offender, tier)
    found = (pair for pair in reversed(offender.open_pairs) if pair.on_ladder and pair.pair_id not in left_out)
    pair = next(found, None)
    return draft if pair is None else new_notice(draft, tier, pair, given, policy)[0]


def new_notice(draft: Draft, tier: Tier, pair: Pair, given: Input, policy: NoticePolicy) -> tuple[Draft, Notice]:
    """The notice of this tier, standing on this pair."""
    offender = draft.offender
    notice = Notice(
        notification_id=deterministic_id(
            "notification", offender.offender_id, tier, given.event.source, given.event.id
        ),
        pair_id=pair.pair_id,
        tier=tier,
        channel=policy.channel(tier, in_custody=offender.in_custody, unannounced=pair.unannounced),
        language=offender.language,
        prepared_at=given.at,
        policy=policy.digest,
    )
    notice = replace(notice, wording=policy.wording(offender.worded(notice)))
    said = offender.event(NotificationPrepared, notice, statutes=list(pair.statutes), in_custody=offender.in_custody)
    return draft.tell(notice, said), notice


def spared(offender: Offender, tier: Tier) -> set[str]:
    """Pairs for which a person has said that the notice of this tier shall not be given."""
    notices = offender.notices.values()
    return {one.pair_id for one in notices if one.tier is tier and one.ended is CancelReason.BY_PERSON}
