"""A notice that will not be given."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from schemas.notification import CancelReason, NotificationCancelled, NotificationState
from services.notifier.domain import FREE, Notice
from services.notifier.usecases.telling import Draft


def cancelled(draft: Draft, notice: Notice, reason: CancelReason, now: datetime, by: str = "system") -> Draft:
    """The notice will not be given, and counts as never given. When it was free is kept: the word of it may be late."""
    free = notice.state in FREE and notice.taken_back_at is None
    ended = replace(
        notice,
        state=NotificationState.CANCELLED,
        reasons=(),
        ended=reason,
        since=now,
        taken_back_at=now if free else notice.taken_back_at,
        serve_by=None,
        claimed_by=None,
        due=None,
    )
    return draft.tell(ended, draft.offender.event(NotificationCancelled, ended, by, reason=reason))
