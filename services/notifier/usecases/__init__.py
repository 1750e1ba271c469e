"""One function per record type: what is kept of the offender, the record, how it came, the policy; to an outcome."""

from services.notifier.usecases.commands import (
    CANCELLERS,
    LIFTERS,
    SERVERS,
    cancel,
    claim,
    fail,
    lift,
    plan_delivery,
    retry,
)
from services.notifier.usecases.decisions import decided
from services.notifier.usecases.enforcing import PROSECUTORS, close_enforcement, take_enforcement
from services.notifier.usecases.helping import ask_help, close_help, refer_help
from services.notifier.usecases.inviting import attend, invite, uninvite
from services.notifier.usecases.meetings import (
    PLANNERS,
    cancel_call_in,
    meeting_clock,
    plan_call_in,
    seat,
    tell_seat,
    unseat,
)
from services.notifier.usecases.merging import ask_given, tell_given
from services.notifier.usecases.printing import print_letter
from services.notifier.usecases.records import clock, described, gate_changed
from services.notifier.usecases.serving import DECIDERS, decide_correction, give_correction, serve
from services.notifier.usecases.undoing import UNDOERS, undo_service

__all__ = [
    "CANCELLERS",
    "DECIDERS",
    "LIFTERS",
    "PLANNERS",
    "PROSECUTORS",
    "SERVERS",
    "UNDOERS",
    "ask_given",
    "ask_help",
    "attend",
    "cancel",
    "cancel_call_in",
    "claim",
    "clock",
    "close_enforcement",
    "close_help",
    "decide_correction",
    "decided",
    "described",
    "fail",
    "gate_changed",
    "give_correction",
    "invite",
    "lift",
    "meeting_clock",
    "plan_call_in",
    "plan_delivery",
    "print_letter",
    "refer_help",
    "retry",
    "seat",
    "serve",
    "take_enforcement",
    "tell_given",
    "tell_seat",
    "undo_service",
    "uninvite",
    "unseat",
]
