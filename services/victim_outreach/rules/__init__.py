"""What is to be done for whom, by whom, and when a gate is clear. Pure; what a county may set is in its policy."""

from services.victim_outreach.rules.causes import Cause, cause_of, notice_of
from services.victim_outreach.rules.contact import (
    NOT_SHE,
    SENT,
    Known,
    SafeContact,
    Use,
    address_of,
    looser,
    safe_contact,
)
from services.victim_outreach.rules.deliveries import told_of
from services.victim_outreach.rules.duty import next_alert, on_duty
from services.victim_outreach.rules.gates import gate_state, is_shown, opening
from services.victim_outreach.rules.holds import called, next_call
from services.victim_outreach.rules.need import Need, about
from services.victim_outreach.rules.needs import needs, reviews
from services.victim_outreach.rules.people import (
    ADVOCATES,
    HOLDERS,
    KEEPS,
    LINKERS,
    OVERRIDERS,
    SEES,
    TAKES,
    may_lift,
    may_take,
    supervises,
)
from services.victim_outreach.rules.screens import QUESTIONS, result
from services.victim_outreach.rules.stops import QUIET, is_in_vain, is_quiet, stop_stands, tried_before
from services.victim_outreach.rules.terms import Terms
from services.victim_outreach.rules.women import changed_women

__all__ = [
    "ADVOCATES",
    "HOLDERS",
    "KEEPS",
    "LINKERS",
    "NOT_SHE",
    "OVERRIDERS",
    "QUESTIONS",
    "QUIET",
    "SEES",
    "SENT",
    "TAKES",
    "Cause",
    "Known",
    "Need",
    "SafeContact",
    "Terms",
    "Use",
    "about",
    "address_of",
    "called",
    "cause_of",
    "changed_women",
    "gate_state",
    "is_in_vain",
    "is_quiet",
    "is_shown",
    "looser",
    "may_lift",
    "may_take",
    "needs",
    "next_alert",
    "next_call",
    "notice_of",
    "on_duty",
    "opening",
    "result",
    "reviews",
    "safe_contact",
    "stop_stands",
    "supervises",
    "told_of",
    "tried_before",
]
