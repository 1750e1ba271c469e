"""What a county's policy asks of notices, in the terms the notifier decides in."""

from services.notifier.rules.clocks import after, call, deadline, next_clock, overdue, serve_by
from services.notifier.rules.policy import NoticePolicy, notice_policy

__all__ = [
    "NoticePolicy",
    "after",
    "call",
    "deadline",
    "next_clock",
    "notice_policy",
    "overdue",
    "serve_by",
]
