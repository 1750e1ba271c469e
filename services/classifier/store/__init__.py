"""Tables and queries of the classifier's own schema."""

from services.classifier.store.states import ClassifierStore
from services.classifier.store.tables import metadata

__all__ = ["ClassifierStore", "metadata"]
