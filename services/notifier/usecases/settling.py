"""May it go? Asked of every notice after every record, so that decision, gate, heartbeat and a person's word may come
in any order. A released notice that must wait again is taken back: it has not been given yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schemas.notification import (
    HoldReason,
    Notification,
    NotificationHeld,
    NotificationReleased,
    NotificationState,
)
from schemas.outreach import GateHeartbeat
from schemas.topics import Topic
from services.common.service import Input, Outcome, Outgoing, caused_by
from services.notifier.domain import FREE, UNSERVED, LaneView, Notice, Offender, reasons_to_hold
from services.notifier.rules import NoticePolicy

SOURCE = "/ipvi/notifier"
RELEASES = "releases"
"""Name under which the lane counts notices released for the first time."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The offender as changed so far, and what is to be said of it, in order."""

    offender: Offender
    said: tuple[Notification, ...] = ()
    released: int = 0

    def tell(self, notice: Notice, event: Notification) -> Draft:
        return replace(self, offender=self.offender.with_notice(notice), said=(*self.said, event))


def lane_view(given: Input, policy: NoticePolicy) -> LaneView:
    """The lane's time is the latest it has seen of anything: a late record cannot make a silent keeper fresh."""
    return LaneView(
        now=max(given.now, given.at, *given.heard.values()),
        heartbeat=given.heard.get(GateHeartbeat.TYPE),
        releases_left=policy.releases_per_hour - given.counts.get(RELEASES, 0),
    )


def settled(
    draft: Draft, given: Input, policy: NoticePolicy, by: str = "system", *, keep: bool = True
) -> Outcome[Offender]:
    """Hold or release every notice that is still to be given. `keep`: what is said may be found and erased later."""
    lane = lane_view(given, policy)
    for notice in draft.offender.of(UNSERVED):
        draft = _settle(draft, notice, lane, policy, by)
    return Outcome(draft.offender, outgoing(given, draft.said, keep=keep), counted=(RELEASES,) * draft.released)


def outgoing(given: Input, said: Iterable[Notification], *, keep: bool = True) -> tuple[Outgoing, ...]:
    """Events on the notifications topic, under the offender's key: a tick that causes them has the lane's."""
    return tuple(
        Outgoing(
            Topic.NOTIFICATIONS,
            caused_by(given, SOURCE, data, Topic.NOTIFICATIONS, data.notification_id, subject=data.offender_id),
            about=data.pair_id if keep else None,
        )
        for data in said
    )


def _settle(draft: Draft, before: Notice, lane: LaneView, policy: NoticePolicy, by: str) -> Draft:
    notice = _rerouted(draft.offender, before, policy)
    reasons = reasons_to_hold(draft.offender, notice, lane)
    first = notice.released_at is None
    over = first and not notice.tripped and lane.releases_left <= draft.released
    if not reasons and over:
        notice, reasons = replace(notice, tripped=True), (HoldReason.BREAKER,)
    if reasons:
        return _held(draft, before, notice, reasons, lane, by)
    if notice == before and notice.state in FREE:
        return draft
    freed = replace(
        notice,
        state=NotificationState.RELEASED,
        reasons=(),
        released_at=notice.released_at if notice.state in FREE else lane.now,
        taken_back_at=None,
    )
    return replace(
        draft.tell(freed, draft.offender.event(NotificationReleased, freed, by)), released=draft.released + first
    )


def _held(
    draft: Draft, before: Notice, notice: Notice, reasons: tuple[HoldReason, ...], lane: LaneView, by: str
) -> Draft:
    taken_back_at = lane.now if before.state in FREE else notice.taken_back_at
    held = replace(notice, state=NotificationState.HELD, reasons=reasons, taken_back_at=taken_back_at)
    if held == before:
        return draft
    return draft.tell(held, draft.offender.event(NotificationHeld, held, by, reasons=list(reasons)))


def _rerouted(offender: Offender, notice: Notice, policy: NoticePolicy) -> Notice:
    """The same notice, by the way that fits where he is now and in the language that is known now."""
    own = offender.pairs.get(notice.pair_id)
    channel = policy.channel(notice.tier, in_custody=offender.in_custody, unannounced=own is None or own.unannounced)
    return replace(notice, channel=channel, language=offender.language)
