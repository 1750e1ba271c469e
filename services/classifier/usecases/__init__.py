"""One function per kind of record: an offender, the record, how it came, the terms; to an outcome. All of them pure."""

from services.classifier.usecases.acting import ACTS, CHALLENGE_DUE, REVIEWERS, act, adopted, clock
from services.classifier.usecases.deciding import about_of, decision
from services.classifier.usecases.expunging import expunged, forgotten
from services.classifier.usecases.histories import FOLDS, OPENERS
from services.classifier.usecases.identity import merged, split, taken
from services.classifier.usecases.ruling import activated, next_chunk, noted, redecided
from services.classifier.usecases.settling import SOURCE

__all__ = [
    "ACTS",
    "CHALLENGE_DUE",
    "FOLDS",
    "OPENERS",
    "REVIEWERS",
    "SOURCE",
    "about_of",
    "act",
    "activated",
    "adopted",
    "clock",
    "decision",
    "expunged",
    "forgotten",
    "merged",
    "next_chunk",
    "noted",
    "redecided",
    "split",
    "taken",
]
