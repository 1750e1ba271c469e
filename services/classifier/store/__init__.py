"""Tables and queries of the classifier's own schema."""

from services.classifier.store.lists import (
    Act,
    InForce,
    Lapsing,
    ListedIncident,
    OpenReview,
    acts,
    carried_out,
    in_force,
    lapsing,
    listed_incidents,
    open_reviews,
    policy_in_force,
    tiers_of,
    words_on,
)
from services.classifier.store.states import CHUNK, ClassifierStore, levers_of
from services.classifier.store.tables import metadata

__all__ = [
    "CHUNK",
    "Act",
    "ClassifierStore",
    "InForce",
    "Lapsing",
    "ListedIncident",
    "OpenReview",
    "acts",
    "carried_out",
    "in_force",
    "lapsing",
    "levers_of",
    "listed_incidents",
    "metadata",
    "open_reviews",
    "policy_in_force",
    "tiers_of",
    "words_on",
]
