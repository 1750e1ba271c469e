"""One function per record type: what is kept of the offender, the record, how it came, the policy; to an outcome."""

from services.notifier.usecases.commands import Refused, cancel, fail, lift, serve
from services.notifier.usecases.decisions import decided
from services.notifier.usecases.records import clock, described, gate_changed

__all__ = ["Refused", "cancel", "clock", "decided", "described", "fail", "gate_changed", "lift", "serve"]
