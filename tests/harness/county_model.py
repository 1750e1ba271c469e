"""A county small enough to know by heart: what was told of each incident, and what must follow from it.

Written from `DESIGN.md` and `DOMAIN.md`, not from the services: who is to be on which list, which victims are to be referred,
and which gates have a ground to be clear.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from schemas.envelope import pair_id

INTIMATE = frozenset({"SE", "CS", "BG", "XS", "XR", "HR"})


@dataclass(frozen=True)
class Told:
    """One revision of an incident: relationship by victim number, and whether an offence is charged."""

    victims: dict[int, str]
    charged: bool

    @property
    def intimate(self) -> frozenset[int]:
        return frozenset(no for no, relationship in self.victims.items() if relationship in INTIMATE)


@dataclass
class Incident:
    """`told` is None once it was taken back."""

    incident_id: str
    reported_as: str
    told: Told | None
    revision: int = 1
    final: bool = False
    expunged: bool = False
    records: list[str] = field(default_factory=list)
    """Ids of what was told of it."""


@dataclass
class County:
    """Everything that was told, in whatever order it arrived."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    merged_into: dict[str, str] = field(default_factory=dict)
    split_off: dict[str, str] = field(default_factory=dict)
    """By incident, the record it was last moved to."""

    def person(self, offender_id: str) -> str:
        """The record that stands for him now."""
        while offender_id in self.merged_into:
            offender_id = self.merged_into[offender_id]
        return offender_id

    def owner(self, incident: Incident) -> str:
        """Whose incident it is now, under whatever id it was and will be reported."""
        return self.person(self.split_off.get(incident.incident_id, incident.reported_as))

    def standing(self, person: str) -> list[Incident]:
        """His incidents with an intimate victim."""
        return [
            one
            for one in self.incidents.values()
            if self.owner(one) == person and one.told is not None and one.told.intimate
        ]

    def tier(self, person: str) -> str | None:
        """The practice policy where nobody was armed, nothing prohibited was done and every charge is another arrest."""
        standing = self.standing(person)
        charges = sum(one.told is not None and one.told.charged for one in standing)
        if not standing:
            return None
        return "DCBA"[min(charges, 3)]

    def referred(self, person: str) -> set[tuple[str, int]]:
        """(pair, victim number) of each victim who is somebody's to reach."""
        return {
            (pair_id(one.incident_id, person), no)
            for one in self.standing(person)
            if one.told is not None
            for no in one.told.intimate
        }


@dataclass
class Acts:
    """What people were told had been applied, by victim (who keeps her id where a record is merged or split) and by pair."""

    tried: dict[str, list[datetime]] = field(default_factory=dict)
    spoken: dict[str, list[datetime]] = field(default_factory=dict)
    overriders: dict[str, set[str]] = field(default_factory=dict)

    def grounds(self, pair: str, victims: Iterable[str]) -> bool:
        """Whether the pair's gate may be clear at all: each of its victims was tried, or two people opened it."""
        if len(self.overriders.get(pair, ())) > 1:
            return True
        return all(self.tried.get(victim) or self.spoken.get(victim) for victim in victims)
