"""It does not stand: a service that was recorded by mistake, or a notice that he was told is withdrawn."""

from __future__ import annotations

from dataclasses import replace

from schemas.commands import Role, UndoService
from schemas.notification import CancelReason, NotificationState, NotificationWithdrawn
from services.common.service import Input, Outcome, Refused
from services.notifier.domain import GIVEN, UNSERVED, Notice, Offender
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.commands import any_notice
from services.notifier.usecases.ending import cancelled
from services.notifier.usecases.merging import stands_no_more
from services.notifier.usecases.preparing import prepared_anew
from services.notifier.usecases.settling import lane_view, settled
from services.notifier.usecases.telling import Draft

UNDOERS = frozenset({Role.COORDINATOR})


def undo_service(offender: Offender, command: UndoService, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """He has not been given it: it waits again, for the gate's next word and all else, or ends as it would have ended."""
    notice = any_notice(offender, command, UNDOERS)
    if notice.state not in GIVEN:
        raise Refused("not_served")
    if notice.withdrawn:
        raise Refused("already_corrected")
    now = lane_view(given, policy).now
    back = replace(
        notice,
        state=NotificationState.PREPARED,
        mistake=command.mistake,
        asked_at=now,
        since=now,
        taken_back_at=notice.taken_back_at or now,  # a right word of an earlier service may follow
        ended=None,
        served_at=None,
        proof=None,
        served_by=None,
        place=None,
        letter_sha256=None,
        unplanned=False,
        claimed_by=None,
        correction=None,
        corrected_at=None,
    )
    event = offender.event(NotificationWithdrawn, back, command.by, served_at=notice.served_at, mistake=command.mistake)
    draft = stands_no_more(Draft(offender).tell(back, event), notice)
    reason = _end_of(offender, notice)
    if reason is not None:
        draft = cancelled(draft, back, reason, now)
        if reason is CancelReason.EXPUNGED:  # kept because he had been given it
            draft = replace(draft, offender=draft.offender.without_notice(notice.notification_id))
        draft = prepared_anew(draft, notice.tier, given, policy)
        if reason is CancelReason.EXPUNGED:
            draft = _remembered(draft, back)
    return settled(draft, given, policy, command.by)


def _remembered(draft: Draft, gone: Notice) -> Draft:
    """By what takes its place: of the one that is gone a decision on its way may still say that it was given."""
    for notice in draft.offender.of(UNSERVED):
        if notice.tier is gone.tier:
            draft = draft.tell(replace(notice, mistake=gone.mistake))
    return draft


def _end_of(offender: Offender, notice: Notice) -> CancelReason | None:
    """Why it would be cancelled by now, had nobody said that it was given; None: it would not."""
    if notice.ended is CancelReason.BY_PERSON:
        return notice.ended
    own, tier = offender.pairs.get(notice.pair_id), offender.tier
    if tier is notice.tier and own is not None and own.opened:
        return CancelReason.MERGED if offender.given_elsewhere(tier) else None
    if notice.ended is not None:
        return notice.ended
    if tier is None and offender.told:
        return CancelReason.MERGED
    if tier is None or tier.gravity < notice.tier.gravity:
        return CancelReason.TIER_LOWERED
    return CancelReason.RETRACTED if tier is notice.tier else CancelReason.SUPERSEDED


def withdrawn(draft: Draft, notice: Notice, by: str, given: Input, policy: NoticePolicy) -> Draft:
    """He has been told so: from now on nothing he does is measured by it, and he may be given it again."""
    event = draft.offender.event(
        NotificationWithdrawn, notice, by, served_at=notice.served_at, withdrawn_at=notice.corrected_at
    )
    return prepared_anew(stands_no_more(draft.say(event), notice), notice.tier, given, policy)
