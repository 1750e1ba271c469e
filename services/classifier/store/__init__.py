"""Tables and queries of the classifier's own schema."""

from services.classifier.store.lists import (
    ListedIncident,
    OpenReview,
    carried_out,
    listed_incidents,
    open_reviews,
    tiers_of,
)
from services.classifier.store.states import ClassifierStore
from services.classifier.store.tables import metadata

__all__ = [
    "ClassifierStore",
    "ListedIncident",
    "OpenReview",
    "carried_out",
    "listed_incidents",
    "metadata",
    "open_reviews",
    "tiers_of",
]
