"""Pure types and decisions: history in, standing out. No clock, no chance, no I/O."""

from services.classifier.domain.court import Seal
from services.classifier.domain.finding import Finding, Referred, find, victim_numbers
from services.classifier.domain.history import FINAL, History, Strand, Telling
from services.classifier.domain.ladder import Facts, Fire, Standing, Step, climb, walk
from services.classifier.domain.offender import (
    Assessment,
    Decided,
    Erasure,
    Move,
    Offender,
    ReferralKey,
    Review,
    ReviewKey,
    assess,
    findings,
)
from services.classifier.domain.raising import lapses, raised, taken_at
from services.classifier.domain.records import Kept, RecordKey

__all__ = [
    "FINAL",
    "Assessment",
    "Decided",
    "Erasure",
    "Facts",
    "Finding",
    "Fire",
    "History",
    "Kept",
    "Move",
    "Offender",
    "RecordKey",
    "ReferralKey",
    "Referred",
    "Review",
    "ReviewKey",
    "Seal",
    "Standing",
    "Step",
    "Strand",
    "Telling",
    "assess",
    "climb",
    "find",
    "findings",
    "lapses",
    "raised",
    "taken_at",
    "victim_numbers",
    "walk",
]
