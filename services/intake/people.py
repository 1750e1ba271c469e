"""The records of people that follow from what agencies send: what is held of each offender, and all his victims.

Both topics carry whole records, replaced each time, so intake keeps what it has said of each (`store`), over all files, feeds
and restarts. Here are the rules alone: persons as they were in, persons as they are and the records to write out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
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
)
from schemas.person import Custody, DescribedVictim, OffenderDescribed, VictimsDescribed
from services.common.seal import Seal
from services.intake.identity import victim_id

_OFFENDER_FACTS = ("name", "birth_date", "places", "language", "counsel")
_VICTIM_FACTS = ("name", "birth_date", "contact", "language", "substitute_address")
_DETAILS = (*_VICTIM_FACTS, "lethality_screen")
_MOST_VICTIMS = 200
"""Entries kept for one offender, the newest: an id that stands for nobody in particular would outgrow every record."""
_HIMSELF = "VO"
"""The victim was this offender: what is held of him is no record of a victim."""

FINAL = sys.maxsize
"""Taken back through every revision there will ever be."""

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


@dataclass(frozen=True, slots=True)
class Telling:
    """One incident as reported under one offender id: the highest revision, and through which it was taken back."""

    revision: int = 0
    victims: Mapping[int, str | None] = field(default_factory=dict)
    """By number her id, where she has one."""
    himself: frozenset[int] = frozenset()
    """Numbers under which he is a victim."""
    through: int = 0
    submitted: bool = False
    """To NIBRS, which says less than an agency's own system."""

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
    """By incident the person it went to in a split; what comes late for it is his."""

    @property
    def elsewhere(self) -> list[str]:
        """Who else has what came under this id."""
        return [name for name in (self.merged_into, *self.moved.values()) if name]

    def named_in(self, incident_id: str | None) -> Mapping[int, str | None]:
        """Whom the reports name that stand, by number: as the classifier refers them.

        The last revision counts, of two his own. Where he was two of its offenders each names her: nobody is lost.
        """
        told = self.tellings.get(incident_id or "", {})
        his = self.described.offender_id
        own = told[his].through if his in told else 0
        live = {name: one for name, one in told.items() if one.revision > max(one.through, own)}
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

    def __init__(self, people: dict[str, Person], seal: Seal, *, submitted: bool = False) -> None:
        """`submitted`: what comes is a submission to NIBRS."""
        self._people = people
        self._seal = seal
        self._submitted = submitted
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

    def telling(self, offender_id: str, incident_id: str) -> Telling | None:
        """The incident as it was reported under this id, if it was."""
        told = self._person(offender_id, incident_id).tellings.get(incident_id, {}).get(offender_id)
        return told if told and told.revision else None

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
        if self._is_expunged(person, data.incident_id):
            return
        told = person.tellings.setdefault(data.incident_id, {})
        known_telling = told.get(data.offender.offender_id, Telling())
        if data.revision <= max(known_telling.revision, known_telling.through):
            return
        numbered = [(one.victim_no or place, one) for place, one in enumerate(data.victims, start=1)]
        told[data.offender.offender_id] = Telling(
            data.revision,
            {number: one.victim_id for number, one in numbered if one.relationship != _HIMSELF},
            frozenset(number for number, one in numbered if one.relationship == _HIMSELF),
            known_telling.through,
            self._submitted,
        )
        known, offender = person.described, data.offender
        person.described = known.model_copy(
            update={
                "birth_date": known.birth_date or offender.birth_date,
                "conflict_of_interest": known.conflict_of_interest or offender.conflict_of_interest,
            }
        )
        self._settle(person, data.incident_id)

    def _settle(self, person: Person, incident_id: str, others: Iterable[DescribedVictim] = ()) -> None:
        """One entry of each woman whom the reports name, and no other of this incident. `others`: what else is known."""
        known = (*person.victims.values(), *others)
        now = {
            (incident_id, number): _described_as(known, incident_id, number, named)
            for number, named in person.named_in(incident_id).items()
        }
        before = {place: one for place, one in person.victims.items() if place[0] == incident_id}
        if now != before:
            person.victims = _newest(_without(person.victims, {incident_id}) | now)

    def _is_expunged(self, person: Person, incident_id: str) -> bool:
        return self._seal(incident_id) in person.tellings

    def _retracted(self, data: IncidentRetracted) -> None:
        self._take_back(data.offender_id, data.incident_id, FINAL if data.revision is None else data.revision)

    def _expunged(self, data: IncidentExpunged) -> None:
        """Nothing of it stays but a hash, with whoever it is named with and whoever has it now."""
        named, owner = self._person(data.offender_id), self._person(data.offender_id, data.incident_id)
        for person in (named, owner):
            person.victims = _without(person.victims, {data.incident_id})
            person.tellings.pop(data.incident_id, None)
            person.moved.pop(data.incident_id, None)
            person.tellings[self._seal(data.incident_id)] = {}

    def _take_back(self, offender_id: str, incident_id: str, revision: int) -> None:
        """Under his own id all that was told of it; under one that was merged into his that telling alone."""
        person = self._person(offender_id, incident_id)
        if self._is_expunged(person, incident_id):
            return
        told = person.tellings.setdefault(incident_id, {})
        known = told.get(offender_id, Telling())
        if revision > known.through:
            told[offender_id] = replace(known, through=revision)
            self._settle(person, incident_id)

    def _merged(self, data: OffenderMerged) -> None:
        if self._resolve(data.offender_id) == self._resolve(data.merged_offender_id):
            return
        survivor, merged = self._person(data.offender_id), self._person(data.merged_offender_id)
        told = {name: value for name, value in merged.described if value and not getattr(survivor.described, name)}
        survivor.described = survivor.described.model_copy(update=told)
        self._take_in(survivor, merged.victims, merged.tellings)
        survivor.moved = merged.moved | survivor.moved
        gone = merged.described.offender_id
        self._people[gone] = Person(OffenderDescribed(offender_id=gone), merged_into=survivor.described.offender_id)

    def _split(self, data: OffenderSplit) -> None:
        old, new, moved = self._person(data.offender_id), self._person(data.new_offender_id), set(data.incident_ids)
        if old is new:
            return
        victims = {place: victim for place, victim in old.victims.items() if place[0] in moved}
        tellings = {name: told for name, told in old.tellings.items() if name in moved}
        old.victims = _without(old.victims, moved)
        old.tellings = {name: told for name, told in old.tellings.items() if name not in moved}
        self._take_in(new, victims, tellings)
        old.moved |= dict.fromkeys(moved, data.new_offender_id)
        new.moved = {name: to for name, to in new.moved.items() if name not in moved}

    def _take_in(
        self, person: Person, victims: Mapping[Place, DescribedVictim], tellings: Mapping[str, Mapping[str, Telling]]
    ) -> None:
        """What was another's is his too. Her contact may be in either's entry of her."""
        both = {
            place: _filled(known, other)
            for place, known in person.victims.items()
            if (other := victims.get(place)) and not _is_another(known, other.victim_id, place)
        }
        person.victims = {**victims, **person.victims, **both}
        for incident_id, told in tellings.items():
            known = person.tellings.setdefault(incident_id, {})
            for offender_id, telling in told.items():
                known[offender_id] = known.get(offender_id, Telling()).joined(telling)
            if known:
                self._settle(person, incident_id, victims.values())
        if all(person.tellings.values()):
            return
        for incident_id in [each for each in person.tellings if self._is_expunged(person, each)]:
            person.victims = _without(person.victims, {incident_id})
            person.tellings.pop(incident_id)

    def _custody(self, data: CustodyChanged) -> None:
        person = self._person(data.offender_id)
        custody = _custody_after(person.described.custody, data)
        person.described = person.described.model_copy(update={"custody": custody})

    def _described(self, data: OffenderDescribed) -> None:
        person = self._person(data.offender_id)
        person.described = data.model_copy(update={"offender_id": person.described.offender_id})

    def _victims_described(self, data: VictimsDescribed) -> None:
        """Replaces what the agencies it speaks of have said; what others hold of his victims stays.

        Whom a report names that stands is not taken away by it: she is referred, and must be found. Of an incident that went
        to another in a split it tells him.
        """
        person = self._person(data.offender_id)
        told = {(victim.incident_id, victim.victim_no): victim for victim in data.victims}
        agencies = {_agency(place) for place in told}
        person.victims = {
            place: victim
            for place, victim in person.victims.items()
            if agencies and (_agency(place) not in agencies or place[1] in person.named_in(place[0]))
        }
        for place, victim in told.items():
            owner = self._person(data.offender_id, place[0])
            owner.victims = _newest({**owner.victims, place: _as_reported(owner, place, victim)})


def _as_reported(person: Person, place: Place, told: DescribedVictim) -> DescribedVictim:
    """Under the id by which a report that stands names her. Of another woman than that it says nothing of her."""
    named = person.named_in(place[0]).get(place[1])
    if named is None or named == told.victim_id:
        return told
    if _is_another(told, named, place):
        return person.victims.get(place) or _described_as((), *place, named)
    return told.model_copy(update={"victim_id": named})


def _agency(place: Place) -> str:
    return (place[0] or "").partition(":")[0]


def _newest(victims: dict[Place, DescribedVictim]) -> dict[Place, DescribedVictim]:
    return dict(list(victims.items())[-_MOST_VICTIMS:]) if len(victims) > _MOST_VICTIMS else victims


def _described_as(
    known: Collection[DescribedVictim], incident_id: str | None, number: int, named: str | None
) -> DescribedVictim:
    """With the details police gave of her under this number or, being the same woman, under another.

    Named as another than before she is another: whoever calls her must not reach the woman it was thought to be.
    """
    place = (incident_id, number)
    here = [one for one in known if (one.incident_id, one.victim_no) == place and not _is_another(one, named, place)]
    here.sort(key=lambda one: one.victim_id != named)
    elsewhere = [one for one in known if one.victim_id and one.victim_id == named]
    bare = DescribedVictim(victim_no=number, incident_id=incident_id, victim_id=named)
    for same in (here, elsewhere[:1]):
        found = bare
        for one in same:
            found = _filled(found, one)
        if found != bare:
            return found
    return bare


def _filled(known: DescribedVictim, other: DescribedVictim) -> DescribedVictim:
    """With what only the other has. Found in high danger by either, she is."""
    update = {name: value for name in _DETAILS if (value := getattr(other, name)) and not getattr(known, name)}
    if other.lethality_screen == "high":
        update["lethality_screen"] = "high"
    return known.model_copy(update=update) if update else known


def _is_another(known: DescribedVictim, named: str | None, place: Place) -> bool:
    """An id made of the place alone, where a form has no number of her, names whoever is there."""
    agency, _, report = (place[0] or "").partition(":")
    return bool(
        named
        and known.victim_id
        and named != known.victim_id
        and victim_id(agency, report, place[1]) not in (named, known.victim_id)
    )


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
