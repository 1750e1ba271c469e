"""One function per record type: what is kept of the offender, the record, how it came, the policy; to an outcome."""

from services.victim_outreach.usecases.advocacy import (
    close_case,
    give_consent,
    record_safe_contact,
    record_screen,
    reopen_case,
    revoke_consent,
)
from services.victim_outreach.usecases.annulling import annul
from services.victim_outreach.usecases.clock import heartbeat, ticked
from services.victim_outreach.usecases.hearing import heard
from services.victim_outreach.usecases.links import link_victims, unlink_victims
from services.victim_outreach.usecases.messages import message_reported, send_message
from services.victim_outreach.usecases.moving import taken_over
from services.victim_outreach.usecases.notices import notice_changed, notice_planned, visit_undone
from services.victim_outreach.usecases.people import (
    attempt,
    cancel,
    claim,
    complete,
    give_back,
    hold,
    lift_hold,
    override,
)
from services.victim_outreach.usecases.records import (
    offender_described,
    referral_given,
    referral_withdrawn,
    victims_described,
)

__all__ = [
    "annul",
    "attempt",
    "cancel",
    "claim",
    "close_case",
    "complete",
    "give_back",
    "give_consent",
    "heard",
    "heartbeat",
    "hold",
    "lift_hold",
    "link_victims",
    "message_reported",
    "notice_changed",
    "notice_planned",
    "offender_described",
    "override",
    "record_safe_contact",
    "record_screen",
    "referral_given",
    "referral_withdrawn",
    "reopen_case",
    "revoke_consent",
    "send_message",
    "taken_over",
    "ticked",
    "unlink_victims",
    "victims_described",
    "visit_undone",
]
