"""Notices to him, and what came of each visit, as far as she must hear of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.notification import NotificationState

VisitEntry = tuple[int, str, str]
"""Which visit it was, what came of it (`VisitOutcome`), and when, in ISO 8601."""
NO_VISIT = "none"
"""Instead of what came of it: it was recorded by mistake. Its number is given to no other."""


class VisitOutcome(StrEnum):
    """What came of a visit to him."""

    SERVED = "served"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    MISSED_VISIT = "missed_visit"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notice to him, as far as she must hear of it. A visit is one that served or failed."""

    notification_id: str
    pair_id: str
    state: NotificationState = NotificationState.PREPARED
    releases: int = 0
    released_at: datetime | None = None
    visits: int = 0
    visited_at: datetime | None = None
    planned_from: datetime | None = None
    """When he is to be told, if that is known; it may be waiting still."""
    planned_at: datetime | None = None
    """When that was recorded."""
    plans: int = 0
    """How often it was set or moved."""
    planned_until: datetime | None = None
    """Null of a call-in, and of a day that was set before this was kept."""
    came_of: tuple[VisitEntry, ...] = ()
    """Each visit, but for those from before this was kept; and each that was none, as `NO_VISIT`."""

    @property
    def last(self) -> int:
        """The number of the last visit that was made; 0: none was."""
        none = {number for number, came_of, _ in self.came_of if came_of == NO_VISIT}
        return max((number for number in range(1, self.visits + 1) if number not in none), default=0)

    def visit(self, number: int) -> VisitEntry | None:
        return next((entry for entry in self.came_of if entry[0] == number and entry[1] != NO_VISIT), None)


@dataclass(frozen=True, slots=True)
class Visit:
    """The last visit made for a notice, as told to another lane: she is to be asked after there. `referral_id`: hers there."""

    referral_id: str
    notification_id: str
    visits: int
    visited_at: datetime
    came_of: tuple[VisitEntry, ...] = ()
    """This visit's, if it is known."""
