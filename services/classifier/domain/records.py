"""What is kept of an offender beside reports: the words of courts, jails and people, each on one matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.commands import Role
from schemas.envelope import Data, Event
from schemas.incident import CaseDisposed, CustodyChanged, NotificationRecorded, OrderChanged
from schemas.notification import NotificationServed, NotificationWithdrawn
from schemas.reviews import (
    AnswerChallenge,
    ChallengeListing,
    ClaimReview,
    ConcludeReview,
    RaiseTier,
    ReviewCommand,
    ValidateD,
)
from services.classifier.domain import court

Act = ClaimReview | ConcludeReview | RaiseTier | ValidateD | ChallengeListing | AnswerChallenge
"""Of people. They are part of the history: they go with it where it goes."""
Notice = NotificationRecorded | NotificationServed | NotificationWithdrawn
Kept = CaseDisposed | Notice | CustodyChanged | OrderChanged | Act
RecordKey = tuple[str, str]
"""Its kind, and the matter within the kind."""
MOVE_NOBODY: tuple[type[Data], ...] = (CustodyChanged, OrderChanged)
"""By these no rule of any policy goes; of a county's records they are nearly half."""


@dataclass(frozen=True, slots=True)
class Force:
    """From when on the terms of a notice bound him, and until when; None: they still do."""

    since: datetime
    until: datetime | None = None

    def binds(self, moment: datetime) -> bool:
        """After it was given, and not after he was told that it is withdrawn."""
        return self.since < moment and (self.until is None or moment <= self.until)


def record_key(event: Event[Kept]) -> RecordKey:
    """What the record has the word on."""
    match data := event.data:
        case ReviewCommand(late=True):
            return ("late", event.id)
        case ClaimReview():
            return ("claim", f"{data.incident_id}|{data.code}")
        case ConcludeReview():
            return ("review", f"{data.incident_id}|{data.code}|{data.by}")
        case RaiseTier():
            return ("raise", event.id)
        case ValidateD():
            return ("validation", "D")
        case ChallengeListing():
            return ("challenge", event.id)
        case AnswerChallenge():
            return ("answer", f"{data.challenge_id}|{data.by}")
        case CaseDisposed():
            return ("disposition", court.matter(data.arrest_id, data.charge))
        case NotificationRecorded() | NotificationServed() | NotificationWithdrawn():
            return ("notice", data.notification_id)
        case CustodyChanged():
            return ("custody", f"{data.booking_id}|{data.change}")
        case OrderChanged():
            return ("order", data.order_id)


def agreed(words: Iterable[Event[Any]], roles: frozenset[Role] = frozenset()) -> str | None:
    """The outcome that two people have found, if there is one. Each person's latest word is kept, so each counts once.

    `roles`: those among which they must be, each by one of them.
    """
    found: defaultdict[str, list[Role]] = defaultdict(list)
    for one in words:
        found[str(one.data.outcome)].append(one.data.role)
    return min((outcome for outcome, by in found.items() if len(by) > 1 and roles <= {*by}), default=None)


def incident_of(event: Event[Kept]) -> str | None:
    """The incident that a person's act in a review is about; None for other records."""
    return event.data.incident_id if isinstance(event.data, ReviewCommand) else None


def arrest_of(event: Event[Kept]) -> str | None:
    """The arrest a disposition belongs to; None for other records."""
    return event.data.arrest_id if isinstance(event.data, CaseDisposed) else None
