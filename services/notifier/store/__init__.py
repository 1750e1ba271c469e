"""Tables and queries of the notifier's own schema."""

from services.notifier.store.lists import (
    Hold,
    Listed,
    Shown,
    ToCorrect,
    corrections,
    holds,
    listed,
    offender_of,
    shown_notification,
)
from services.notifier.store.states import NotifierStore
from services.notifier.store.tables import metadata
from services.notifier.store.work_lists import (
    EnforcementLine,
    HelpLine,
    enforcement_queue,
    help_queue,
    offender_of_enforcement,
    offender_of_help,
)

__all__ = [
    "EnforcementLine",
    "HelpLine",
    "Hold",
    "Listed",
    "NotifierStore",
    "Shown",
    "ToCorrect",
    "corrections",
    "enforcement_queue",
    "help_queue",
    "holds",
    "listed",
    "metadata",
    "offender_of",
    "offender_of_enforcement",
    "offender_of_help",
    "shown_notification",
]
