"""The records of people that follow from what agencies send: what is held of each offender, and all his victims.

Both topics carry whole records, replaced each time, so intake keeps what it has said of each (`store`), over all files, feeds
and restarts. Here are the rules alone: persons as they were in, persons as they are and the records to write out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
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
from services.common.seal import Seal

_OFFENDER_FACTS = ("name", "birth_date", "places", "language", "counsel")
_VICTIM_FACTS = ("name", "birth_date", "contact", "language", "substitute_address")
_DETAILS = (*_VICTIM_FACTS, "lethality_screen")
_MOST_VICTIMS = 200
"""Entries kept for one offender, the newest: an id that stands for nobody in particular would outgrow every record."""
_HIMSELF = "VO"
"""The victim was this offender: what is held of him is no record of a victim."""

Place = tuple[str | None, int]
"""Incident (none: as the police gave it) and victim number."""


@dataclass(frozen=True, slots=True)
class OffenderFacts:
    """What a record holds of an offender beside its event. Of a field that it leaves out what was known stays."""

    offender_id: str
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    places: tuple[str, ...] = field(default=(), repr=False)
    language: str | None = None
    counsel: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class VictimFacts:
    """What a record holds of one of his victims as police took it. Of a field that it leaves out what was known stays."""

    offender_id: str
    incident_id: str
    victim_no: int
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    contact: tuple[str, ...] = field(default=(), repr=False)
    language: str | None = None
    substitute_address: str | None = field(default=None, repr=False)


Facts = OffenderFacts | VictimFacts


@dataclass(slots=True)
class Person:
    """All that is kept of one offender. `merged_into`: who he is now; then nothing is left under this id."""

    described: OffenderDescribed
    victims: dict[Place, DescribedVictim] = field(default_factory=dict)
    revisions: dict[str, float] = field(default_factory=dict)
    """By incident the highest revision reported or taken back; infinite where that is final."""
    merged_into: str | None = None
    moved: dict[str, str] = field(default_factory=dict)
    """By incident the person it went to in a split; what comes late for it is his."""

    @property
    def elsewhere(self) -> list[str]:
        """Who else has what came under this id."""
        return [name for name in (self.merged_into, *self.moved.values()) if name]

    def victims_described(self) -> VictimsDescribed:
        return VictimsDescribed(offender_id=self.described.offender_id, victims=list(self.victims.values()))


def named(event: Event[Data]) -> list[str]:
    """Whom an event names: of a merge or split two persons, whichever of them is its key."""
    said = event.data.__dict__  # faster by far than pydantic's `getattr` for a name that is not there
    others = (said.get(name) for name in ("offender_id", "merged_offender_id", "new_offender_id"))
    return list(dict.fromkeys([event.subject, *(other for other in others if other)]))


class People:
    """Feed it each event in order; it answers with the records that changed by it.

    `people` are the persons known before, at least all that the events name and whoever those are now; it is worked on in
    place. `changed` names those that are to be kept anew. `seal`: by its hash an expunged incident is known again.
    """

    def __init__(self, people: dict[str, Person], seal: Seal) -> None:
        self._people = people
        self._seal = seal
        self.changed: set[str] = set()
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

    def already_one(self, data: Data) -> bool:
        """A merge of two who are one: said again, in whichever direction, it would make him stand for himself."""
        if not isinstance(data, OffenderMerged):
            return False
        return self._resolve(data.offender_id) == self._resolve(data.merged_offender_id)

    def is_expunged(self, offender_id: str, incident_id: str | None) -> bool:
        """Whether nothing may be kept of this incident of his."""
        if incident_id is None:
            return False
        return self._is_expunged(self._person(offender_id, incident_id), incident_id)

    def apply(self, event: Event[Data], facts: Iterable[Facts] = ()) -> list[Data]:
        """Records to write because of `event` and what came with it.

        An event that is such a record itself is what one source holds; the record that follows from it is whole.
        """
        rule = self._rules.get(type(event.data))

        def work() -> None:
            if rule is not None:
                rule(event.data)
            for fact in facts:
                self._learn(fact)

        facts = tuple(facts)
        return self._changed_by(work, [*named(event), *(fact.offender_id for fact in facts)])

    def learn(self, facts: Iterable[Facts]) -> list[Data]:
        """Records to write because of facts that came with no new event."""
        told = list(facts)

        def work() -> None:
            for fact in told:
                self._learn(fact)

        return self._changed_by(work, [fact.offender_id for fact in told])

    def _changed_by(self, work: Callable[[], object], names: list[str]) -> list[Data]:
        """Each person once: those named, whoever they are now, and who else has a part of theirs."""
        now = list(map(self._resolve, names))
        others = [
            self._resolve(name) for one in now if one in self._people for name in self._people[one].moved.values()
        ]
        touched = list(dict.fromkeys([*now, *names[1:], *others]))
        before = [record for name in touched for record in self._records(name)]
        work()
        after = [record for name in touched for record in self._records(name)]
        self.changed |= {name for name in touched if name in self._people}
        return [new for new, old in zip(after, before, strict=True) if new != old]

    def _resolve(self, offender_id: str) -> str:
        """Who he is now. Ends, since nobody is ever merged into one who stands for him."""
        while (person := self._people.get(offender_id)) and person.merged_into:
            offender_id = person.merged_into
        return offender_id

    def _person(self, offender_id: str, incident_id: str | None = None) -> Person:
        """Whose the incident is now, if one is given."""
        name = self._resolve(offender_id)
        person = self._people.setdefault(name, Person(OffenderDescribed(offender_id=name)))
        passed = {name}
        while incident_id and (moved := person.moved.get(incident_id)) and (name := self._resolve(moved)) not in passed:
            passed.add(name)
            person = self._people.setdefault(name, Person(OffenderDescribed(offender_id=name)))
        return person

    def _records(self, name: str) -> tuple[Data, Data]:
        person = self._people.get(name) or Person(OffenderDescribed(offender_id=name))
        return person.described, person.victims_described()

    def _learn(self, fact: Facts) -> None:
        incident = fact.incident_id if isinstance(fact, VictimFacts) else None
        person = self._person(fact.offender_id, incident)
        if isinstance(fact, OffenderFacts):
            given = {name: value for name in _OFFENDER_FACTS if (value := getattr(fact, name))}
            if "places" in given:
                given["places"] = list(given["places"])
            person.described = person.described.model_copy(update=given)
            return
        place = (fact.incident_id, fact.victim_no)
        if place in person.victims:  # else a later revision or a retraction has taken her out
            given = {name: value for name in _VICTIM_FACTS if (value := getattr(fact, name))}
            if "contact" in given:
                given["contact"] = list(given["contact"])
            person.victims[place] = person.victims[place].model_copy(update=given)

    def _reported(self, data: IncidentReported) -> None:
        person = self._person(data.offender.offender_id, data.incident_id)
        if data.revision <= self._known(person, data.incident_id):
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

    def _known(self, person: Person, incident_id: str) -> float:
        """The highest revision that was reported or taken back."""
        if self._is_expunged(person, incident_id):
            return math.inf
        return person.revisions.get(incident_id, 0)

    def _is_expunged(self, person: Person, incident_id: str) -> bool:
        return self._seal(incident_id) in person.revisions

    def _retracted(self, data: IncidentRetracted) -> None:
        self._take_back(data.offender_id, data.incident_id, math.inf if data.revision is None else data.revision)

    def _expunged(self, data: IncidentExpunged) -> None:
        """Nothing of it stays but a hash, with whoever it is named with and whoever has it now."""
        named, owner = self._person(data.offender_id), self._person(data.offender_id, data.incident_id)
        for person in (named, owner):
            person.victims = _without(person.victims, {data.incident_id})
            person.revisions.pop(data.incident_id, None)
            person.moved.pop(data.incident_id, None)
            person.revisions[self._seal(data.incident_id)] = math.inf

    def _take_back(self, offender_id: str, incident_id: str, revision: float) -> None:
        person = self._person(offender_id, incident_id)
        known = self._known(person, incident_id)
        if revision >= known and not self._is_expunged(person, incident_id):
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
        survivor.moved = merged.moved | survivor.moved
        gone = merged.described.offender_id
        self._people[gone] = Person(OffenderDescribed(offender_id=gone), merged_into=survivor.described.offender_id)

    def _split(self, data: OffenderSplit) -> None:
        old, new, moved = self._person(data.offender_id), self._person(data.new_offender_id), set(data.incident_ids)
        if old is new:
            return
        new.victims |= {place: victim for place, victim in old.victims.items() if place[0] in moved}
        new.revisions |= {name: revision for name, revision in old.revisions.items() if name in moved}
        old.victims = _without(old.victims, moved)
        old.revisions = {name: revision for name, revision in old.revisions.items() if name not in moved}
        old.moved |= dict.fromkeys(moved, data.new_offender_id)
        new.moved = {name: to for name, to in new.moved.items() if name not in moved}

    def _custody(self, data: CustodyChanged) -> None:
        person = self._person(data.offender_id)
        custody = _custody_after(person.described.custody, data)
        person.described = person.described.model_copy(update={"custody": custody})

    def _described(self, data: OffenderDescribed) -> None:
        person = self._person(data.offender_id)
        person.described = data.model_copy(update={"offender_id": person.described.offender_id})

    def _victims_described(self, data: VictimsDescribed) -> None:
        """Replaces what the agencies it speaks of have said; what others hold of his victims stays."""
        person = self._person(data.offender_id)
        told = {(victim.incident_id, victim.victim_no): victim for victim in data.victims}
        agencies = {_agency(place) for place in told}
        kept = {
            place: victim for place, victim in person.victims.items() if agencies and _agency(place) not in agencies
        }
        person.victims = dict(list((kept | told).items())[-_MOST_VICTIMS:])


def _agency(place: Place) -> str:
    return (place[0] or "").partition(":")[0]


def _described_as(person: Person, incident_id: str, number: int, victim: Victim) -> DescribedVictim:
    """With the details police gave of her under this number or, being the same woman, under another.

    Named as another than before she is another: whoever calls her must not reach the woman it was thought to be.
    """
    same = person.victims.get((incident_id, number))
    if same is None or (victim.victim_id and same.victim_id and same.victim_id != victim.victim_id):
        same = next(
            (one for one in person.victims.values() if one.victim_id and one.victim_id == victim.victim_id), None
        )
    details = {name: getattr(same, name) for name in _DETAILS} if same else {}
    return DescribedVictim(victim_no=number, incident_id=incident_id, victim_id=victim.victim_id, **details)


def _without(victims: dict[Place, DescribedVictim], incidents: set[str]) -> dict[Place, DescribedVictim]:
    return {place: victim for place, victim in victims.items() if place[0] not in incidents}


def _custody_after(known: Custody | None, data: CustodyChanged) -> Custody | None:
    """A later booking replaces an earlier one; what concerns another booking than the latest changes nothing.

    Booked after he was released under the same number, he is held again.
    """
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
    again = data.change is CustodyChange.BOOKED and known.released_at is not None and data.at > known.released_at
    update = {moment: data.at, "facility": data.facility or known.facility}
    return known.model_copy(update=update | ({"released_at": None} if again else {}))
