"""Tables and queries of victim outreach's own schema."""

from services.victim_outreach.store.candidates import Candidate, candidates
from services.victim_outreach.store.cases import Case, CaseLine, Sight, case_list, case_of, consent_at, shown_case
from services.victim_outreach.store.holds import HoldInForce, holds_in_force
from services.victim_outreach.store.lists import (
    UNFINISHED,
    TaskLine,
    Wanted,
    offender_of_pair,
    on_the_other_side,
    queue,
    shown_task,
    task_of,
)
from services.victim_outreach.store.states import OutreachStore
from services.victim_outreach.store.tables import metadata
from services.victim_outreach.store.women import offenders_of, woman_of

__all__ = [
    "UNFINISHED",
    "Candidate",
    "Case",
    "CaseLine",
    "HoldInForce",
    "OutreachStore",
    "Sight",
    "TaskLine",
    "Wanted",
    "candidates",
    "case_list",
    "case_of",
    "consent_at",
    "holds_in_force",
    "metadata",
    "offender_of_pair",
    "offenders_of",
    "on_the_other_side",
    "queue",
    "shown_case",
    "shown_task",
    "task_of",
    "woman_of",
]
