"""Which clock runs for a notice, and when it runs out. No state that is not at its end is without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from schemas.duty import DutyRole
from schemas.notice_work import NoticeClock
from schemas.notification import Channel, FailureReason, NotificationState
from schemas.policy_notices import Span
from services.common.calendar import Calendar
from services.common.duty import rung
from services.notifier.domain import Deadline, Due, Notice, Offender
from services.notifier.rules.policy import NoticePolicy

D = TypeVar("D", bound=Deadline)

_A_WEEK = Span(hours=168)
_OF_HOLDS = frozenset({NoticeClock.HELD, NoticeClock.CLOSE, NoticeClock.DECIDE, NoticeClock.CORRECT})


def after(start: datetime, span: Span, calendar: Calendar) -> datetime:
    """When `span` has run out, in UTC. Plain hours are hours as they pass: 72 h are 72 h, whatever the local clock does."""
    left = timedelta(hours=span.hours)
    return calendar.after(start, left) if span.business else start.astimezone(UTC) + left


def serve_by(offender: Offender, notice: Notice, policy: NoticePolicy) -> datetime:
    """When a notice that may be given is to have been given.

    In jail: before the hearing, or so long after the booking, whichever comes first, whatever the list: after it he may be
    out. A judge sets the terms within 48 h of the arrest (N.C.G.S. 15A-534.1).
    """
    policy = policy.then(notice.policy)
    custody = offender.custody
    since = notice.since or notice.prepared_at
    if notice.seat is not None:
        return notice.seat.starts_at
    if custody is not None and custody.booked_at is not None:
        by = custody.booked_at + timedelta(hours=policy.notices.custody_visit_within_hours)
        return min(by, custody.hearing_at) if custody.hearing_at is not None else by
    return after(since, policy.notices.serve_within.get(notice.tier, _A_WEEK), _calendar(offender, notice, policy))


def _retries(notice: Notice, policy: NoticePolicy) -> bool:
    """Whether a failed notice is tried again by itself: a refusal never is."""
    policy = policy.then(notice.policy)
    return (
        policy.notices.retry_after is not None
        and notice.failure is not FailureReason.REFUSED
        and len(notice.attempts) < policy.notices.attempts
    )


def _clock_of(offender: Offender, notice: Notice, policy: NoticePolicy) -> tuple[NoticeClock, datetime] | None:
    """What runs, and when it runs out; None at the end."""
    policy = policy.then(notice.policy)
    settings = policy.notices
    since = notice.since or notice.prepared_at
    calendar = _calendar(offender, notice, policy)
    match notice.state:
        case NotificationState.PREPARED | NotificationState.HELD:
            return NoticeClock.HELD, after(since, settings.held_reminder, calendar)
        case NotificationState.RELEASED:
            return _to_give(offender, notice, policy, calendar)
        case NotificationState.FAILED:
            if settings.retry_after is not None and _retries(notice, policy):
                return NoticeClock.RETRY, after(since, settings.retry_after, calendar)
            return NoticeClock.CLOSE, after(since, settings.close_within, calendar)
        case NotificationState.CORRECTED if notice.corrected_at is None:
            clock = NoticeClock.DECIDE if notice.correction is None else NoticeClock.CORRECT
            return clock, after(since, settings.correction_within, calendar)
        case _:
            return None


def _to_give(
    offender: Offender, notice: Notice, policy: NoticePolicy, calendar: Calendar
) -> tuple[NoticeClock, datetime]:
    by = notice.serve_by or serve_by(offender, notice, policy)
    if notice.seat is not None:
        return NoticeClock.SERVE, after(notice.seat.starts_at, policy.notices.attendance_within, calendar)
    if notice.claimed_by is not None and not notice.needs_round:
        return NoticeClock.SERVE, by
    since = notice.since or notice.prepared_at
    if notice.channel is Channel.CUSTODY_VISIT:
        return NoticeClock.CLAIM, since
    if notice.needs_round and notice.round_until is not None:  # its round has gone by: another is to be set
        since = max(since, notice.round_until)
        by = max(by, since)
    return NoticeClock.CLAIM, min(by, after(since, policy.notices.claim_within, calendar))


def next_clock(offender: Offender, notice: Notice, policy: NoticePolicy) -> Due | None:
    """The clock that runs now: the one that ran already, where nothing has changed what it waits for."""
    running = _clock_of(offender, notice, policy)
    if running is None:
        return None
    clock, first = running
    return _still(notice.due, Due(first, first, clock=clock))


def deadline(running: Deadline | None, first: datetime) -> Deadline:
    """Until `first`: the one that runs, where that is still it."""
    return _still(running, Deadline(first, first))


def _still(running: D | None, begun: D) -> D:
    if running is None or replace(running, at=running.first, escalation=0) != begun:
        return begun
    return running


def call(notice: Notice, due: Due, now: datetime, policy: NoticePolicy) -> tuple[Due, DutyRole] | None:
    """See `overdue`. At the jail every few minutes; after a while of that nobody is helped by it, and it still does not end."""
    again, duty = policy.again, policy.notices.duty
    at_the_jail = notice.channel is Channel.CUSTODY_VISIT and due.clock in (NoticeClock.CLAIM, NoticeClock.SERVE)
    if at_the_jail and now - due.first < again:
        again = timedelta(minutes=policy.notices.custody_repeat_minutes)
    return overdue(due, duty.holds if due.clock in _OF_HOLDS else duty.notices, now, again)


def overdue(due: D, ladder: Sequence[DutyRole], now: datetime, again: timedelta) -> tuple[D, DutyRole] | None:
    """It as it runs on, and who is called now: once, however long nobody looked. None: it has not run out."""
    if now < due.at:
        return None
    escalation = due.escalation + 1
    return replace(due, at=now + again, escalation=escalation), rung(ladder, escalation)


def _calendar(offender: Offender, notice: Notice, policy: NoticePolicy) -> Calendar:
    pair = offender.pairs.get(notice.pair_id)
    return policy.calendar(pair.agency if pair is not None else None)
