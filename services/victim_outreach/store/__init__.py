"""Tables and queries of victim outreach's own schema."""

from services.victim_outreach.store.lists import (
    Case,
    TaskLine,
    case_of,
    offender_of_pair,
    queue,
    shown_case,
    shown_task,
    task_of,
)
from services.victim_outreach.store.states import OutreachStore
from services.victim_outreach.store.tables import metadata

__all__ = [
    "Case",
    "OutreachStore",
    "TaskLine",
    "case_of",
    "metadata",
    "offender_of_pair",
    "queue",
    "shown_case",
    "shown_task",
    "task_of",
]
