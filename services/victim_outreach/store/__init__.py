"""Tables and queries of victim outreach's own schema."""

from services.victim_outreach.store.candidates import Candidate, candidates, reaches_of, words_of
from services.victim_outreach.store.cases import Case, CaseLine, Sight, case_list, case_of, consent_at, shown_case
from services.victim_outreach.store.finding import Sought, found_cases
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
    "Sought",
    "TaskLine",
    "Wanted",
    "candidates",
    "case_list",
    "case_of",
    "consent_at",
    "found_cases",
    "holds_in_force",
    "metadata",
    "offender_of_pair",
    "offenders_of",
    "on_the_other_side",
    "queue",
    "reaches_of",
    "shown_case",
    "shown_task",
    "task_of",
    "woman_of",
    "words_of",
]
