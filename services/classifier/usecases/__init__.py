"""One function per kind of record: an offender, the record, how it came, the terms; to an outcome. All of them pure."""

from services.classifier.usecases.deciding import decision, pair_of
from services.classifier.usecases.expunging import expunged, forgotten
from services.classifier.usecases.histories import FOLDS, OPENERS, Refused
from services.classifier.usecases.identity import adopted, merged, split, taken
from services.classifier.usecases.settling import SOURCE, Terms

__all__ = [
    "FOLDS",
    "OPENERS",
    "SOURCE",
    "Refused",
    "Terms",
    "adopted",
    "decision",
    "expunged",
    "forgotten",
    "merged",
    "pair_of",
    "split",
    "taken",
]
