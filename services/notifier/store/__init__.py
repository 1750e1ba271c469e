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

__all__ = [
    "Hold",
    "Listed",
    "NotifierStore",
    "Shown",
    "ToCorrect",
    "corrections",
    "holds",
    "listed",
    "metadata",
    "offender_of",
    "shown_notification",
]
