"""Tables and queries of the notifier's own schema."""

from services.notifier.store.call_ins import CallInLine, RosterLine, is_call_in, listed_call_ins, roster
from services.notifier.store.letters import KeptLetter, kept_letter, said_of
from services.notifier.store.lists import (
    Hold,
    Kind,
    Listed,
    Shown,
    ToCorrect,
    Unplanned,
    corrections,
    holds,
    listed,
    owner_of,
    shown_notification,
    unplanned,
)
from services.notifier.store.sight import Sight
from services.notifier.store.states import NotifierStore
from services.notifier.store.tables import metadata
from services.notifier.store.work_lists import EnforcementLine, HelpLine, enforcement_queue, help_queue

__all__ = [
    "CallInLine",
    "EnforcementLine",
    "HelpLine",
    "Hold",
    "KeptLetter",
    "Kind",
    "Listed",
    "NotifierStore",
    "RosterLine",
    "Shown",
    "Sight",
    "ToCorrect",
    "Unplanned",
    "corrections",
    "enforcement_queue",
    "help_queue",
    "holds",
    "is_call_in",
    "kept_letter",
    "listed",
    "listed_call_ins",
    "metadata",
    "owner_of",
    "roster",
    "said_of",
    "shown_notification",
    "unplanned",
]
