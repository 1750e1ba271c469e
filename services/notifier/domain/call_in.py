"""One call-in, kept in a lane of its own by its id. Pure; times are record times in UTC unless said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from schemas.call_in import CallInState, SeatState
from services.common.versions import version_of
from services.notifier.domain.offender import Offender
from services.notifier.domain.work import Deadline

_HELD_PLACES = frozenset({SeatState.ASKED, SeatState.TAKEN, SeatState.ATTENDED, SeatState.MISSED})
_OPEN_PLACES = frozenset({SeatState.ASKED, SeatState.TAKEN})


@dataclass(frozen=True, slots=True)
class Place:
    """One place on the roster."""

    notification_id: str
    offender_id: str
    state: SeatState = SeatState.ASKED
    asking: int = 1
    """How many times he was asked: an answer to an earlier time is none to this."""


@dataclass(frozen=True, slots=True)
class CallIn:
    """One meeting. `starts_at` and `venue` are as planned last."""

    call_in_id: str
    starts_at: datetime
    venue: str
    capacity: int
    speakers: tuple[str, ...] = ()
    state: CallInState = CallInState.PLANNED
    roster: Mapping[str, Place] = field(default_factory=dict)
    due: Deadline | None = None

    @property
    def version(self) -> str:
        """What an act on it is measured against."""
        return version_of(replace(self, due=None))

    @property
    def over(self) -> bool:
        return self.state is not CallInState.PLANNED

    @property
    def places_left(self) -> int:
        return self.capacity - sum(place.state in _HELD_PLACES for place in self.roster.values())

    @property
    def open_places(self) -> tuple[Place, ...]:
        """Those of whom it is not known yet whether they came, in a fixed order."""
        found = (place for place in self.roster.values() if place.state in _OPEN_PLACES)
        return tuple(sorted(found, key=lambda place: place.notification_id))

    def count(self, state: SeatState) -> int:
        return sum(place.state is state for place in self.roster.values())

    def with_place(self, place: Place) -> CallIn:
        return replace(self, roster={**self.roster, place.notification_id: place})


Kept = Offender | CallIn
"""What a key of the notifier's lanes stands for."""
