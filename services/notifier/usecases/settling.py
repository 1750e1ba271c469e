"""May it go? Asked of every notice after every record, so that decision, gate, heartbeat and a person's word may come
in any order. A released notice that must wait again is taken back: it has not been given yet. Then the clocks: what has
run out calls whoever is on duty.
"""

from __future__ import annotations

from dataclasses import replace

from schemas.call_in import SeatState
from schemas.commands import TellSeat
from schemas.notice_work import NoticeClock, NoticeEscalated
from schemas.notification import (
    CancelReason,
    Channel,
    FailureReason,
    HoldReason,
    NotificationHeld,
    NotificationPlanned,
    NotificationReleased,
    NotificationState,
)
from schemas.outreach import GateChanged, GateHeartbeat
from services.common.service import Input, Outcome
from services.notifier.domain import FREE, UNSERVED, LaneView, Notice, Offender, Wording, reasons_to_hold
from services.notifier.rules import NoticePolicy, call, next_clock, serve_by
from services.notifier.usecases.telling import Draft, outgoing
from services.notifier.usecases.working import enforcements_clocked, helps_clocked

RELEASES = "releases"
"""Name under which the lane counts notices released for the first time."""
TRIPS = "trips"
"""Name under which the lane counts calls that the breaker has stopped releases: one an hour is enough."""


def lane_view(given: Input, policy: NoticePolicy) -> LaneView:
    """The lane's time is the latest it has seen of anything: a late record cannot make a silent keeper fresh."""
    return LaneView(
        now=max(given.now, given.at, *given.heard.values()),
        heartbeat=given.heard.get(GateHeartbeat.TYPE),
        releases_left=policy.releases_per_hour - given.counts.get(RELEASES, 0),
        spoken=isinstance(given.event.data, GateChanged | GateHeartbeat),
    )


def settled(
    draft: Draft, given: Input, policy: NoticePolicy, by: str = "system", *, expunged: str | None = None
) -> Outcome[Offender]:
    """Hold or release every notice that is still to be given. `expunged`: the pair that leaves with this record."""
    lane = lane_view(given, policy)
    tripped = False
    for notice in draft.offender.of(UNSERVED):
        draft = _settle(draft, notice, lane, policy, by)
        tripped |= draft.offender.notices[notice.notification_id].tripped and not notice.tripped
    counted = (RELEASES,) * draft.released
    if tripped and not given.counts.get(TRIPS):
        draft = draft.alert(policy.notices.duty.holds[0], 1, TRIPS)
        counted += (TRIPS,)
    for notice in draft.offender.of(NotificationState):
        draft = seated(draft, notice)
    for notice in draft.offender.of(NotificationState):
        draft = _planned(draft, notice, lane, by)
    for notice in draft.offender.of(NotificationState):
        draft = _clocked(draft, notice, lane, policy)
    draft = helps_clocked(enforcements_clocked(draft, lane.now, policy), lane.now, policy)
    return Outcome(draft.offender, outgoing(given, draft, expunged), counted=counted)


def _settle(draft: Draft, before: Notice, lane: LaneView, policy: NoticePolicy, by: str) -> Draft:
    notice = _rerouted(draft.offender, before, policy)
    if before.channel is Channel.CUSTODY_VISIT and notice.channel is not Channel.CUSTODY_VISIT:
        notice = notice.let_out(lane.now)
    if notice.state is NotificationState.FAILED:
        if not _comes_round(before, notice, lane):
            return _still_failed(draft, notice, lane)
        notice = replace(notice, asked_at=lane.now)
    reasons = reasons_to_hold(draft.offender, notice, lane)
    if not lane.spoken and set(before.reasons) - set(reasons):  # what ended a hold asks for it, as a person's lift does
        notice = replace(notice, asked_at=lane.now)
        reasons = reasons_to_hold(draft.offender, notice, lane)
    first = notice.released_at is None
    over = first and not notice.tripped and lane.releases_left <= draft.released
    if not reasons and over:
        notice, reasons = replace(notice, tripped=True), (HoldReason.BREAKER,)
    if reasons:
        return _held(draft, before, notice, reasons, lane, policy, by)
    return _released(draft, before, notice, lane, policy, by)


def _comes_round(before: Notice, notice: Notice, lane: LaneView) -> bool:
    """Whether a failed notice is tried again by itself: its time has come, or he can be found at the jail."""
    if notice.failure is FailureReason.REFUSED:
        return False
    due = before.due is not None and before.due.clock is NoticeClock.RETRY and lane.now >= before.due.at
    return due or (notice.channel is Channel.CUSTODY_VISIT and before.channel is not Channel.CUSTODY_VISIT)


def _still_failed(draft: Draft, notice: Notice, lane: LaneView) -> Draft:
    """Nobody is on the way to him, so there is nothing to take back; but it may not be given while its gate is shut."""
    shut = bool(reasons_to_hold(draft.offender, notice, lane))
    if not shut and notice.taken_back_at is not None and not lane.spoken:
        notice = replace(notice, asked_at=lane.now)
        shut = bool(reasons_to_hold(draft.offender, notice, lane))
    if shut is not (notice.taken_back_at is not None):
        notice = replace(notice, taken_back_at=lane.now if shut else None)
    return draft if draft.offender.notices.get(notice.notification_id) == notice else draft.tell(notice)


def _released(draft: Draft, before: Notice, notice: Notice, lane: LaneView, policy: NoticePolicy, by: str) -> Draft:
    first, was_out = notice.released_at is None, before.state is NotificationState.RELEASED
    moved = not was_out or notice.channel is not before.channel
    freed = replace(
        notice,
        state=NotificationState.RELEASED,
        reasons=(),
        released_at=notice.released_at or lane.now,
        taken_back_at=None,
        since=lane.now if moved else notice.since,
        claimed_by=None if moved else notice.claimed_by,
        policy=policy.digest if moved else notice.policy,
    )
    freed = replace(freed, serve_by=serve_by(draft.offender, freed, policy))
    if freed == before:
        return draft
    event = draft.offender.event(NotificationReleased, freed, by, serve_by=freed.serve_by, agency=freed.route)
    return replace(draft.tell(freed, event), released=draft.released + first)


def _held(
    draft: Draft,
    before: Notice,
    notice: Notice,
    reasons: tuple[HoldReason, ...],
    lane: LaneView,
    policy: NoticePolicy,
    by: str,
) -> Draft:
    held = replace(
        notice,
        state=NotificationState.HELD,
        reasons=reasons,
        since=notice.since if before.state is NotificationState.HELD else lane.now,
        policy=notice.policy if before.state is NotificationState.HELD else policy.digest,
        taken_back_at=lane.now if before.state in FREE and notice.taken_back_at is None else notice.taken_back_at,
        claimed_by=None,
        serve_by=None,
    )
    if held == before:
        return draft
    return draft.tell(held, draft.offender.event(NotificationHeld, held, by, reasons=list(reasons)))


def _rerouted(offender: Offender, notice: Notice, policy: NoticePolicy) -> Notice:
    """The same notice, by the way that fits where he is now and in the language that is known now.

    Of one that is out already another policy changes no channel: somebody is on the way. Where it has no notice of this list
    any more, there is no wording either that may be used.
    """
    own = offender.pairs.get(notice.pair_id)
    terms = policy.then(notice.policy) if notice.state is NotificationState.RELEASED else policy
    channel = terms.channel(notice.tier, in_custody=offender.in_custody, unannounced=own is None or own.unannounced)
    routed = replace(notice, channel=channel, language=offender.language)
    wording = policy.wording(offender.worded(routed))
    if not terms.calls_for(notice.tier):
        wording = replace(wording or Wording(routed.template), signed=False)
    return replace(routed, wording=wording)


def seated(draft: Draft, notice: Notice) -> Draft:
    """Who may not be told at a call-in now has no place at one. Why is not said."""
    seat = notice.seat
    if seat is None or notice.may_be_called_in:
        return draft
    freed = TellSeat(
        call_in_id=seat.call_in_id,
        notification_id=notice.notification_id,
        asking=seat.asking,
        seat=SeatState.FREED,
    )
    return draft.tell(replace(notice, seat=None), freed)


TO_COME = (NotificationState.PREPARED, NotificationState.HELD, NotificationState.RELEASED)


def _planned(draft: Draft, notice: Notice, lane: LaneView, by: str) -> Draft:
    """When he is to be told is said as soon as it is known or another. A round goes by, and a visit ends its round.

    Where the record has been merged, the one that survives is still to ask for it.
    """
    ended = notice.state not in TO_COME
    gone_by = notice.planned_until is not None and notice.planned_until <= lane.now
    if gone_by or (ended and notice.ended is not CancelReason.MERGED):
        notice = replace(notice, planned_from=None, planned_until=None)
    begins, until = notice.plan
    changed = replace(notice, plan_told=None if ended else begins)
    if changed == draft.offender.notices[notice.notification_id]:
        return draft
    if ended or begins == notice.plan_told:
        return draft.tell(changed)
    event = draft.offender.event(NotificationPlanned, changed, by, planned_from=begins, planned_until=until)
    return draft.tell(changed, event)


def _clocked(draft: Draft, notice: Notice, lane: LaneView, policy: NoticePolicy) -> Draft:
    """The clock that runs for it now; where one has run out, whoever is on duty is called."""
    due = next_clock(draft.offender, notice, policy)
    if due is not None and due.clock is not NoticeClock.RETRY:
        called = call(notice, due, lane.now, policy)
        if called is not None:
            due, role = called
            event = draft.offender.work(
                NoticeEscalated, notice, clock=due.clock, role=role, escalation=due.escalation, due_at=due.first
            )
            draft = draft.say(event).alert(role, due.escalation, notice.notification_id)
    return draft if due == notice.due else draft.tell(replace(notice, due=due))
