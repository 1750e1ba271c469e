"""What intake knows of people: compacted topics `ipvi.internal.offenders.v1` and `ipvi.restricted.victims.v1`."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from schemas.classification import TierEnded
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier, VictimNo
from schemas.topics import Topic

Text = Annotated[str, Field(max_length=200)]


class Custody(Data):
    """Where he is held, as the jail last said."""

    booking_id: Identifier
    facility: Text | None = None
    booked_at: Timestamp | None = None
    hearing_at: Timestamp | None = None
    released_at: Timestamp | None = None

    @property
    def held(self) -> bool:
        """Whether he is in custody, as far as the jail has said."""
        return self.booked_at is not None and self.released_at is None


@event_type("ipvi.offender.described.v1")
class OffenderDescribed(Data):
    """The whole record of one offender, replaced each time. Nothing of any victim."""

    offender_id: Identifier
    name: Text | None = None
    birth_date: date | None = None
    places: list[Text] = []
    """Where he may be found."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    custody: Custody | None = None
    counsel: Text | None = None
    conflict_of_interest: bool = False
    lead_officer: Text | None = None


class DescribedVictim(Data):
    """One victim as police hold her."""

    victim_no: VictimNo
    incident_id: str | None = None
    victim_id: Identifier | None = None
    name: Text | None = None
    birth_date: date | None = None
    contact: list[Text] = []
    """As police took it."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    substitute_address: Text | None = None
    """Address confidentiality card (N.C.G.S. 15C): wins over any other address."""
    lethality_screen: Annotated[str, Field(pattern=r"^(high|not_high|declined)$")] | None = None
    screened_at: Timestamp | None = None
    """When she was asked. Where the agency does not say, intake takes the time of the record that first told of this screen."""


@event_type("ipvi.victims.described.v1")
class VictimsDescribed(Data):
    """All victims of one offender, replaced each time; an empty list ends the record."""

    offender_id: Identifier
    victims: list[DescribedVictim]


def ended(topic: Topic, offender_id: str) -> Data:
    """What a tombstone of `topic` stands for: the record with nothing in it. Raises `KeyError` for other topics."""
    empty: dict[Topic, Data] = {
        Topic.TIERS: TierEnded(offender_id=offender_id),
        Topic.OFFENDERS: OffenderDescribed(offender_id=offender_id),
        Topic.VICTIMS: VictimsDescribed(offender_id=offender_id, victims=[]),
    }
    return empty[topic]
