"""What is to be done for whom, by whom, and when a gate is clear. Pure; what a county may set is in its policy."""

from services.victim_outreach.rules.gates import Opening, gate_state, opening
from services.victim_outreach.rules.needs import Need, needs
from services.victim_outreach.rules.people import HOLDERS, OVERRIDERS, SEES, TAKES, may_lift, may_take, supervises

__all__ = [
    "HOLDERS",
    "OVERRIDERS",
    "SEES",
    "TAKES",
    "Need",
    "Opening",
    "gate_state",
    "may_lift",
    "may_take",
    "needs",
    "opening",
    "supervises",
]
