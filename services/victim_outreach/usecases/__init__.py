"""One function per record type: what is kept of the offender, the record, how it came, the policy; to an outcome."""

from services.victim_outreach.usecases.clock import heartbeat, ticked
from services.victim_outreach.usecases.people import (
    Refused,
    attempt,
    cancel,
    claim,
    complete,
    hold,
    lift_hold,
    override,
)
from services.victim_outreach.usecases.records import (
    notice_changed,
    offender_described,
    referral_given,
    referral_withdrawn,
    victims_described,
)

__all__ = [
    "Refused",
    "attempt",
    "cancel",
    "claim",
    "complete",
    "heartbeat",
    "hold",
    "lift_hold",
    "notice_changed",
    "offender_described",
    "override",
    "referral_given",
    "referral_withdrawn",
    "ticked",
    "victims_described",
]
