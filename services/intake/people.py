"""The records of people that follow from a feed: what is held of each offender, and all his victims.

Both topics carry whole records, replaced each time, so they are gathered over the feed from its start. The gathering
is a function of the feed alone: the same feed gives the same records again. It keeps some 500 bytes for each offender
of the feed (a year of a large state: half a gigabyte). What an earlier file held of an offender is not known here:
whoever splits one feed into files sends `ipvi.victims.described.v1` himself, whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from schemas.envelope import Data, Event
from schemas.incident import (
    CustodyChange,
    CustodyChanged,
    IncidentExpunged,
    IncidentReported,
    IncidentRetracted,
    OffenderMerged,
    OffenderSplit,
    Victim,
)
from schemas.person import Custody, DescribedVictim, OffenderDescribed, VictimsDescribed

_DETAILS = ("name", "contact", "language", "substitute_address", "lethality_screen")
_MOST_VICTIMS = 200
"""Entries kept for one offender, the newest: an id that stands for nobody in particular would outgrow every record."""
_HIMSELF = "VO"
"""The victim was this offender: what is held of him is no record of a victim."""

_Place = tuple[str | None, int]
"""Incident (none: as the police gave it) and victim number."""


@dataclass(slots=True)
class _Person:
    described: OffenderDescribed
    victims: dict[_Place, DescribedVictim] = field(default_factory=dict)
    revisions: dict[str, float] = field(default_factory=dict)
    """By incident the highest revision reported or taken back; infinite where that is final."""

    def victims_described(self) -> VictimsDescribed:
        return VictimsDescribed(offender_id=self.described.offender_id, victims=list(self.victims.values()))


class People:
    """Feed it each event in order; it answers with the records that changed by it."""

    def __init__(self) -> None:
        self._people: dict[str, _Person] = {}
        self._survivors: dict[str, str] = {}
        self._rules: dict[type[Data], Callable[[Any], None]] = {
            IncidentReported: self._reported,
            IncidentRetracted: self._retracted,
            IncidentExpunged: self._expunged,
            OffenderMerged: self._merged,
            OffenderSplit: self._split,
            CustodyChanged: self._custody,
            OffenderDescribed: self._described,
            VictimsDescribed: self._victims_described,
        }

    def apply(self, event: Event[Data]) -> list[Data]:
        """Records to write because of `event`; an event that is such a record itself is not repeated."""
        rule = self._rules.get(type(event.data))
        if rule is None:
            return []
        touched = self._touched(event)
        before = [record for name in touched for record in self._records(name)]
        rule(event.data)
        after = [record for name in touched for record in self._records(name)]
        return [new for new, old in zip(after, before, strict=True) if new not in (old, event.data)]

    def _touched(self, event: Event[Data]) -> list[str]:
        """Whose records may change, each once: of a merge or split two persons, of one who was merged the survivor."""
        others = (getattr(event.data, name, None) for name in ("merged_offender_id", "new_offender_id"))
        names = [event.subject, *(other for other in others if other)]
        return list(dict.fromkeys([*map(self._resolve, names), *names[1:]]))

    def _resolve(self, offender_id: str) -> str:
        """Who he is now. Ends, since nobody is ever merged into one who stands for him."""
        while offender_id in self._survivors:
            offender_id = self._survivors[offender_id]
        return offender_id

    def _person(self, offender_id: str) -> _Person:
        name = self._resolve(offender_id)
        return self._people.setdefault(name, _Person(OffenderDescribed(offender_id=name)))

    def _records(self, name: str) -> tuple[Data, Data]:
        person = self._people.get(name) or _Person(OffenderDescribed(offender_id=name))
        return person.described, person.victims_described()

    def _reported(self, data: IncidentReported) -> None:
        person = self._person(data.offender.offender_id)
        if data.revision <= person.revisions.get(data.incident_id, 0):
            return
        person.revisions[data.incident_id] = data.revision
        known, offender = person.described, data.offender
        person.described = known.model_copy(
            update={
                "birth_date": known.birth_date or offender.birth_date,
                "conflict_of_interest": known.conflict_of_interest or offender.conflict_of_interest,
            }
        )
        now = {
            (data.incident_id, no): _described_as(person, data.incident_id, no, victim)
            for place, victim in enumerate(data.victims, start=1)
            if victim.relationship != _HIMSELF
            for no in (victim.victim_no or place,)
        }
        entries = _without(person.victims, {data.incident_id}) | now
        person.victims = dict(list(entries.items())[-_MOST_VICTIMS:])

    def _retracted(self, data: IncidentRetracted) -> None:
        self._take_back(data.offender_id, data.incident_id, math.inf if data.revision is None else data.revision)

    def _expunged(self, data: IncidentExpunged) -> None:
        self._take_back(data.offender_id, data.incident_id, math.inf)

    def _take_back(self, offender_id: str, incident_id: str, revision: float) -> None:
        person = self._person(offender_id)
        if revision >= person.revisions.get(incident_id, 0):
            person.revisions[incident_id] = revision
            person.victims = _without(person.victims, {incident_id})

    def _merged(self, data: OffenderMerged) -> None:
        if self._resolve(data.offender_id) == self._resolve(data.merged_offender_id):
            return
        survivor, merged = self._person(data.offender_id), self._person(data.merged_offender_id)
        told = {name: value for name, value in merged.described if value and not getattr(survivor.described, name)}
        survivor.described = survivor.described.model_copy(update=told)
        survivor.victims = merged.victims | survivor.victims
        for incident_id, revision in merged.revisions.items():
            survivor.revisions[incident_id] = max(revision, survivor.revisions.get(incident_id, 0))
        del self._people[merged.described.offender_id]
        self._survivors[merged.described.offender_id] = survivor.described.offender_id

    def _split(self, data: OffenderSplit) -> None:
        old, new, moved = self._person(data.offender_id), self._person(data.new_offender_id), set(data.incident_ids)
        if old is new:
            return
        new.victims |= {place: victim for place, victim in old.victims.items() if place[0] in moved}
        new.revisions |= {name: revision for name, revision in old.revisions.items() if name in moved}
        old.victims = _without(old.victims, moved)

    def _custody(self, data: CustodyChanged) -> None:
        person = self._person(data.offender_id)
        custody = _custody_after(person.described.custody, data)
        person.described = person.described.model_copy(update={"custody": custody})

    def _described(self, data: OffenderDescribed) -> None:
        person = self._person(data.offender_id)
        person.described = data.model_copy(update={"offender_id": person.described.offender_id})

    def _victims_described(self, data: VictimsDescribed) -> None:
        person = self._person(data.offender_id)
        person.victims = {(victim.incident_id, victim.victim_no): victim for victim in data.victims}


def _described_as(person: _Person, incident_id: str, number: int, victim: Victim) -> DescribedVictim:
    """With the details police gave of her under this number or, being the same woman, under another."""
    same = person.victims.get((incident_id, number)) or next(
        (one for one in person.victims.values() if one.victim_id and one.victim_id == victim.victim_id), None
    )
    details = {name: getattr(same, name) for name in _DETAILS} if same else {}
    return DescribedVictim(victim_no=number, incident_id=incident_id, victim_id=victim.victim_id, **details)


def _without(victims: dict[_Place, DescribedVictim], incidents: set[str]) -> dict[_Place, DescribedVictim]:
    return {place: victim for place, victim in victims.items() if place[0] not in incidents}


def _custody_after(known: Custody | None, data: CustodyChanged) -> Custody | None:
    """A later booking replaces an earlier one; what concerns another booking than the latest changes nothing."""
    if known is None:
        known = Custody(booking_id=data.booking_id)
    elif known.booking_id != data.booking_id:
        is_new = data.change is CustodyChange.BOOKED and (known.booked_at is None or data.at >= known.booked_at)
        if not is_new:
            return known
        known = Custody(booking_id=data.booking_id)
    moment = {
        CustodyChange.BOOKED: "booked_at",
        CustodyChange.HEARING_SET: "hearing_at",
        CustodyChange.RELEASED: "released_at",
    }[data.change]
    return known.model_copy(update={moment: data.at, "facility": data.facility or known.facility})
