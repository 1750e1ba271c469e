"""One person behind two records: one notice per tier all the same. What was given, and when he is to be told, crosses lanes as
a record.

The classifier tells the record that survives; that one's lane asks the other's what he was given there. Until the history
is whole and the answer is in, nothing goes to him. What comes to light later on the merged record is sent after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from schemas.classification import OffenderDecided, ReviewCode
from schemas.commands import AskGiven, GivenBefore, PlannedBefore, TellGiven
from schemas.notification import CancelReason, NotificationPlanned, NotificationState
from services.common.service import Input, Outcome
from services.notifier.domain import GIVEN, UNSERVED, Merge, Notice, Offender, Past, Round
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.ending import cancelled
from services.notifier.usecases.preparing import prepared_anew
from services.notifier.usecases.settling import TO_COME, lane_view, settled
from services.notifier.usecases.telling import Draft


def merging(draft: Draft, decision: OffenderDecided) -> Draft:
    """A hand-over begins with `merge_pending` among the reviews, or with the merged record's name. It ends with a decision
    that says that nothing is on its way: any other, on whatever was done in the meantime, leaves it open.
    """
    offender, other = draft.offender, decision.merged_offender_id or ""
    if other == offender.offender_id:
        return draft
    known = offender.merges.get(other)
    begins = bool(other) if known is None else False
    if ReviewCode.MERGE_PENDING in decision.review and decision.merge_pending:
        begins = bool(other) or not any(one.arriving for one in offender.merges.values())
    for each, one in offender.merges.items():
        if one.arriving and not decision.merge_pending:
            offender = _with_merge(offender, each, replace(one, arriving=False))
    if begins:
        asking = bool(other) if known is None else known.asking
        rounds = known.rounds if known is not None else ()
        offender = _with_merge(offender, other, Merge(decision.merge_pending, asking, rounds))
    draft = replace(draft, offender=offender)
    if known is None and other:
        draft = draft.say(AskGiven(offender_id=other, surviving_offender_id=offender.offender_id))
    return draft


def _with_merge(offender: Offender, other: str, merge: Merge) -> Offender:
    merges = {key: one for key, one in offender.merges.items() if key != other}
    if merge.arriving or merge.asking:
        merges[other] = merge
    return offender if merges == offender.merges else replace(offender, merges=merges)


def ask_given(offender: Offender, ask: AskGiven, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """The merged record's part: all he was given here, now and later, is told to the one that survives; and what is planned."""
    survivor = ask.surviving_offender_id
    if survivor not in offender.told:
        offender = replace(offender, told=(*offender.told, survivor))
    answer = TellGiven(
        offender_id=survivor,
        from_offender_id=offender.offender_id,
        given=list(_given(offender)),
        planned=_planned(_rounds(offender, lane_view(given, policy).now)),
    )
    return settled(Draft(offender).say(answer), given, policy)


def _given(offender: Offender) -> Iterable[GivenBefore]:
    for one in offender.past:
        if not one.stands:
            continue
        yield GivenBefore(notification_id=one.notification_id, tier=one.tier, served_at=one.served_at)
    for notice in offender.of(GIVEN):
        if notice.served_at is not None and notice.counts:
            yield GivenBefore(notification_id=notice.notification_id, tier=notice.tier, served_at=notice.served_at)


def _rounds(offender: Offender, now: datetime) -> Iterable[Round]:
    """Of what is still to be given here, or was until the merge was heard of; and what came from another record before."""
    for notice in offender.of({*UNSERVED, NotificationState.CANCELLED}):
        follows = notice.state in UNSERVED or notice.ended is CancelReason.MERGED
        if (
            follows
            and notice.planned_from is not None
            and notice.planned_until is not None
            and notice.planned_until > now
        ):
            yield Round(notice.tier, notice.planned_from, notice.planned_until)
    yield from (one for merge in offender.merges.values() for one in merge.rounds if one.until > now)


def _planned(rounds: Iterable[Round]) -> list[PlannedBefore]:
    return [PlannedBefore(tier=one.tier, planned_from=one.begins, planned_until=one.until) for one in rounds]


def planned(notice: Notice, rounds: Iterable[Round], now: datetime) -> Notice:
    """On the round that was planned for him under another record, unless it has one of its own or that has gone by."""
    found = next((one for one in rounds if one.tier is notice.tier and one.until > now), None)
    if found is None or notice.planned_from is not None or notice.state not in TO_COME:
        return notice
    begins, until = found.begins, found.until
    return replace(
        notice, planned_from=begins, planned_until=until, round_from=begins, round_until=until, plan_told=begins
    )


def tell_plan(draft: Draft, notice: Notice) -> Draft:
    """Said before it may go, or she would be told of it twice: now, and of the day."""
    event = draft.offender.event(
        NotificationPlanned, notice, planned_from=notice.planned_from, planned_until=notice.planned_until
    )
    return draft.tell(notice, event)


def tell_given(offender: Offender, told: TellGiven, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """The surviving record's part. What waits here for a tier he was given there is not given again."""
    other, now = told.from_offender_id, lane_view(given, policy).now
    past = {one.notification_id: one for one in offender.past}
    ended = [past[key] for key in told.no_more if key in past]
    known = {*offender.notices, *(key for key, one in past.items() if one.stands)}
    new = list({one.notification_id: one for one in told.given if one.notification_id not in known}.values())
    past |= {one.notification_id: replace(one, stands=False) for one in ended}
    past |= {one.notification_id: Past(one.notification_id, one.tier, one.served_at, other) for one in new}
    rounds = tuple(Round(one.tier, one.planned_from, one.planned_until) for one in told.planned)
    if (merge := offender.merges.get(other)) is not None:
        offender = _with_merge(offender, other, replace(merge, asking=False, rounds=(*merge.rounds, *rounds)))
    draft = Draft(replace(offender, past=tuple(past.values())))
    for notice in draft.offender.of(UNSERVED):
        if any(one.tier is notice.tier for one in new):
            draft = cancelled(draft, notice, CancelReason.MERGED, now)
        elif (changed := planned(notice, rounds, now)) is not notice:
            draft = tell_plan(draft, changed)
    for one in ended:
        draft = prepared_anew(draft, one.tier, given, policy)
    return settled(passed_on(draft, new, rounds, told.no_more), given, policy)


def served_here(draft: Draft, notice: Notice) -> Draft:
    """He has just been given it under this record."""
    assert notice.served_at is not None
    told = GivenBefore(notification_id=notice.notification_id, tier=notice.tier, served_at=notice.served_at)
    return passed_on(draft, [told])


def stands_no_more(draft: Draft, notice: Notice) -> Draft:
    """What he was given under this record was withdrawn, or it was not given."""
    return passed_on(draft, [], no_more=[notice.notification_id])


def passed_on(
    draft: Draft, new: Iterable[GivenBefore], rounds: Sequence[Round] = (), no_more: Sequence[str] = ()
) -> Draft:
    """To whoever took this record over before."""
    offender, new = draft.offender, list(new)
    if not (new or rounds or no_more):
        return draft
    return draft.say(
        *(
            TellGiven(
                offender_id=survivor,
                from_offender_id=offender.offender_id,
                given=new,
                planned=_planned(rounds),
                no_more=list(no_more),
            )
            for survivor in offender.told
        )
    )
