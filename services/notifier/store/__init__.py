"""Tables and queries of the notifier's own schema."""

from services.notifier.store.lists import Hold, Listed, Shown, holds, listed, offender_of, shown_notification
from services.notifier.store.states import NotifierStore
from services.notifier.store.tables import metadata

__all__ = [
    "Hold",
    "Listed",
    "NotifierStore",
    "Shown",
    "holds",
    "listed",
    "metadata",
    "offender_of",
    "shown_notification",
]
