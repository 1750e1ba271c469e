"""All that is kept of one offender and his victims, over all feeds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.incident import IncidentReported
from schemas.person import DescribedVictim, OffenderDescribed, VictimsDescribed
from services.intake.people import origins
from services.intake.people.custody import Stay, shown

Place = tuple[str | None, int]
"""Incident (none: as the police gave it) and victim number."""
_HIMSELF = "VO"
"""The victim was this offender: what is held of him is no record of a victim."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One incident as reported under one offender id: the highest revision, and through which it was taken back."""

    revision: int = 0
    victims: Mapping[int, str | None] = field(default_factory=dict)
    """By number her id, where she has one."""
    himself: frozenset[int] = frozenset()
    """Numbers under which he is a victim."""
    through: int = 0
    told_by: str = ""
    """Keyed hash of the event's id: of two of one revision the first stands."""

    @staticmethod
    def of(data: IncidentReported, told_by: str) -> Telling:
        numbered = [(one.victim_no or place, one) for place, one in enumerate(data.victims, start=1)]
        return Telling(
            data.revision,
            {number: one.victim_id for number, one in numbered if one.relationship != _HIMSELF},
            frozenset(number for number, one in numbered if one.relationship == _HIMSELF),
            told_by=told_by,
        )

    def joined(self, other: Telling) -> Telling:
        newest = max(self, other, key=lambda one: one.revision)
        return replace(newest, through=max(self.through, other.through))


@dataclass(slots=True)
class Person:
    """All that is kept of one offender. `merged_into`: who he is now; then nothing is left under this id."""

    described: OffenderDescribed
    victims: dict[Place, DescribedVictim] = field(default_factory=dict)
    tellings: dict[str, dict[str, Telling]] = field(default_factory=dict)
    """By incident and the offender id that its reports name. Of one that was expunged the sealed id alone, and nothing told."""
    merged_into: str | None = None
    moved: dict[str, str] = field(default_factory=dict)
    """By sealed incident id the person it went to in a split; what comes late for it is his, and expunged it stays out."""
    stays: dict[str, Stay] = field(default_factory=dict)
    """His bookings, of which `described` shows one."""
    origins: dict[str, list[str]] = field(default_factory=dict)
    """By field of `described` the incidents that alone have told it."""

    def told(self, given: Mapping[str, Any], incident_id: str | None) -> None:
        """Of him by this incident, or by something else."""
        if not given:
            return
        self.origins = origins.told(self.origins, self.described, given, incident_id)
        if any(getattr(self.described, name) != value for name, value in given.items()):
            self.described = self.described.model_copy(update=dict(given))

    def untold(self, incidents: Collection[str]) -> dict[str, Any]:
        """What these incidents alone have told of him is his no longer; returns it."""
        self.origins, gone = origins.without(self.origins, incidents)
        bare = OffenderDescribed(offender_id=self.described.offender_id)
        taken = {name: getattr(self.described, name) for name in gone}
        self.described = self.described.model_copy(update={name: getattr(bare, name) for name in gone})
        return taken

    def held_by(self, stays: dict[str, Stay]) -> None:
        """These are his bookings now."""
        self.stays = stays
        self.described = self.described.model_copy(update={"custody": shown(stays)})

    @property
    def elsewhere(self) -> list[str]:
        """Who else has what came under this id."""
        return [name for name in (self.merged_into, *self.moved.values()) if name]

    def standing(self, incident_id: str | None) -> dict[str, Telling]:
        """What is told of it and not taken back, by the offender id that the reports name."""
        told = self.tellings.get(incident_id or "", {})
        return {name: one for name, one in told.items() if one.revision > self.taken_back(incident_id, name)}

    def taken_back(self, incident_id: str | None, offender_id: str) -> int:
        """Through which revision: under his own id for whatever id it was told."""
        told = self.tellings.get(incident_id or "", {})
        return max(
            (told[name].through for name in (offender_id, self.described.offender_id) if name in told), default=0
        )

    def named_in(self, incident_id: str | None) -> Mapping[int, str | None]:
        """Whom the reports name that stand, by number: as the classifier refers them.

        The last revision counts, of two his own. Where he was two of its offenders each names her: nobody is lost.
        """
        his = self.described.offender_id
        live = self.standing(incident_id)
        last = max((one.revision for one in live.values()), default=0)
        names = sorted(name for name, one in live.items() if one.revision == last)
        found: dict[int, str | None] = {}
        himself: set[int] = set()
        counts = his if his in names else max(names, default="")
        for name in sorted(names, key=lambda each: each != counts):
            found |= {number: her for number, her in live[name].victims.items() if number not in found.keys() | himself}
            himself |= live[name].himself - found.keys()
        return dict(sorted(found.items()))

    def victims_described(self) -> VictimsDescribed:
        return VictimsDescribed(offender_id=self.described.offender_id, victims=list(self.victims.values()))
