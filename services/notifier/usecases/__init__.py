"""One function per record type: what is kept of the offender, the record, how it came, the terms; to an outcome."""

from services.notifier.usecases.commands import Refused, cancel, fail, lift, serve
from services.notifier.usecases.decisions import decided
from services.notifier.usecases.records import clock, described, gate_changed
from services.notifier.usecases.settling import Terms

__all__ = ["Refused", "Terms", "cancel", "clock", "decided", "described", "fail", "gate_changed", "lift", "serve"]
