"""What a county's policy asks of notices, in the terms the notifier decides in."""

from services.notifier.rules.clocks import Call, after, call, clock_of, deadline, next_clock, overdue, retries, serve_by
from services.notifier.rules.policy import NoticePolicy, notice_policy

__all__ = [
    "Call",
    "NoticePolicy",
    "after",
    "call",
    "clock_of",
    "deadline",
    "next_clock",
    "notice_policy",
    "overdue",
    "retries",
    "serve_by",
]
