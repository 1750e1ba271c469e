"""One function per record type: what is kept of the offender, the record, how it came, the policy; to an outcome."""

from services.notifier.usecases.commands import (
    CANCELLERS,
    LIFTERS,
    SERVERS,
    Refused,
    cancel,
    claim,
    fail,
    lift,
    retry,
)
from services.notifier.usecases.decisions import decided
from services.notifier.usecases.merging import ask_given, tell_given
from services.notifier.usecases.records import clock, described, gate_changed
from services.notifier.usecases.serving import DECIDERS, decide_correction, give_correction, serve

__all__ = [
    "CANCELLERS",
    "DECIDERS",
    "LIFTERS",
    "SERVERS",
    "Refused",
    "ask_given",
    "cancel",
    "claim",
    "clock",
    "decide_correction",
    "decided",
    "described",
    "fail",
    "gate_changed",
    "give_correction",
    "lift",
    "retry",
    "serve",
    "tell_given",
]
