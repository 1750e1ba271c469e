"""Events and facts to the records of people that follow from them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from schemas.envelope import Data, Event
from schemas.incident import (
    CustodyChanged,
    IncidentExpunged,
    IncidentReported,
    IncidentRetracted,
    OffenderMerged,
    OffenderSplit,
)
from schemas.person import OffenderDescribed, VictimsDescribed
from services.common.seal import Seal
from services.intake.people import origins
from services.intake.people.custody import Stay, charges_of, shown, stay_after, stay_as
from services.intake.people.custody import newest as newest_stays
from services.intake.people.facts import Facts, VictimFacts
from services.intake.people.joining import merge, split
from services.intake.people.learning import Weight, as_told, given, weight_of
from services.intake.people.person import Person, Telling
from services.intake.people.roll import Roll
from services.intake.people.victims import (
    agency_of,
    as_reported,
    dated,
    is_another,
    newest,
    settle,
    without,
)

FINAL = sys.maxsize
"""Taken back through every revision there will ever be."""


@dataclass(frozen=True, slots=True)
class Own:
    """What is one's own where one was two: his bookings, and by field the incidents that alone tell what his record says."""

    stays: dict[str, Stay]
    told_by: origins.Origins


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
        self._roll = Roll(people, seal)
        self.changed: set[str] = set()
        self._told_by: dict[str, origins.Origins] = {}
        self._rules: dict[type[Data], Callable[[Any], None]] = {
            IncidentRetracted: self._retracted,
            IncidentExpunged: self._expunged,
            OffenderMerged: partial(merge, self._roll),
            OffenderSplit: partial(split, self._roll),
            OffenderDescribed: self._described,
        }

    def already_one(self, data: Data) -> bool:
        """A merge of two who are one: said again, in whichever direction, it would make him stand for himself."""
        if not isinstance(data, OffenderMerged):
            return False
        return self._roll.now(data.offender_id) == self._roll.now(data.merged_offender_id)

    def is_expunged(self, offender_id: str, incident_id: str | None) -> bool:
        """Whether nothing may be kept of this incident of his."""
        if incident_id is None:
            return False
        return self._roll.is_expunged(self._roll.person(offender_id, incident_id), incident_id)

    def apply(self, event: Event[Data], facts: Iterable[Facts] = ()) -> list[Data]:
        """Records to write because of `event` and what came with it.

        An event that is such a record itself is what one source holds; the record that follows from it is whole.
        """
        rule, told, telling = self._rules.get(type(event.data)), tuple(facts), self._telling(event)

        def work() -> None:
            if telling is not None and isinstance(event.data, IncidentReported):
                self._reported(event.data, telling)
            elif isinstance(event.data, CustodyChanged):
                self._custody(event.data, event.time)
            elif isinstance(event.data, VictimsDescribed):
                self._victims_described(event.data, event.time)
            elif rule is not None:
                rule(event.data)
            if told:
                self._learn(told, event.data, telling)

        names = [*named(event), *(fact.offender_id for fact in told)]
        # What was said of his victims because of an incident that is expunged names it as its cause.
        return self._changed_by(work, names, anew=isinstance(event.data, IncidentExpunged))

    def learn(self, facts: Iterable[Facts], event: Event[Data]) -> list[Data]:
        """Records to write because of facts that are new, with an event that was applied before."""
        told = tuple(facts)
        telling = self._telling(event)
        return self._changed_by(lambda: self._learn(told, event.data, telling), [fact.offender_id for fact in told])

    def part(self, offender_id: str, own: Own) -> None:
        """Before the record of his that says what is his own is applied: it shows these bookings."""
        person = self._roll.person(offender_id)
        person.stays = own.stays
        self._told_by[person.described.offender_id] = own.told_by

    def _changed_by(self, work: Callable[[], object], names: list[str], *, anew: bool = False) -> list[Data]:
        """Each person once: those named, whoever they are now, and who else has a part of theirs. `anew`: victims' records
        changed or not.
        """
        now = list(map(self._roll.now, names))
        touched = list(dict.fromkeys([*now, *names[1:], *self._roll.reach(now)]))
        before = [record for name in touched for record in self._roll.records(name)]
        work()
        after = [record for name in touched for record in self._roll.records(name)]
        self.changed |= {name for name in touched if name in self._roll}
        return [new for new, old in zip(after, before, strict=True) if new != old or (anew and _holds(new))]

    def _telling(self, event: Event[Data]) -> Telling | None:
        return (
            Telling.of(event.data, self._roll.seal(event.id)[:16]) if isinstance(event.data, IncidentReported) else None
        )

    def _learn(self, facts: Collection[Facts], data: Data, telling: Telling | None) -> None:
        """By the report that they came with: of the one that counts they replace what is known, of an older one they fill
        what is empty, and of one that was refused or taken back they say nothing.
        """
        weight = Weight.COUNTS
        incident_id: str | None = None
        named: Mapping[int, str | None] = {}
        if telling is not None and isinstance(data, IncidentReported):
            incident_id, named = data.incident_id, telling.victims
            weight = weight_of(telling, data, self._roll.person(data.offender.offender_id, incident_id))
        if weight is Weight.NONE:
            return
        for fact in facts:
            if isinstance(fact, VictimFacts):
                place, person = (
                    (fact.incident_id, fact.victim_no),
                    self._roll.person(fact.offender_id, fact.incident_id),
                )
                known = person.victims.get(place)  # none: a later revision or a retraction has taken her out
                if known is not None and not is_another(known, named.get(fact.victim_no), place):
                    person.victims[place] = as_told(known, fact, weight)
            else:
                of = charges_of(data.booking_id) if isinstance(data, CustodyChanged) else incident_id
                person = self._roll.person(fact.offender_id, of)
                person.told(given(fact, person.described, weight), incident_id)

    def _reported(self, data: IncidentReported, telling: Telling) -> None:
        person = self._roll.person(data.offender.offender_id, data.incident_id)
        if self._roll.is_expunged(person, data.incident_id):
            return
        told = person.tellings.setdefault(data.incident_id, {})
        known_telling = told.get(data.offender.offender_id, Telling())
        if data.revision <= max(known_telling.revision, known_telling.through):
            return
        told[data.offender.offender_id] = replace(telling, through=known_telling.through)
        born, known = data.offender.birth_date, person.described.birth_date
        of_him: dict[str, Any] = {"birth_date": born} if born and known in (None, born) else {}
        if data.offender.conflict_of_interest:
            of_him["conflict_of_interest"] = True
        person.told(of_him, data.incident_id)
        settle(person, data.incident_id)

    def _retracted(self, data: IncidentRetracted) -> None:
        self._take_back(data.offender_id, data.incident_id, FINAL if data.revision is None else data.revision)

    def _expunged(self, data: IncidentExpunged) -> None:
        """Nothing of it stays but a hash, with whoever it is named with and whoever has it now."""
        named, owner = self._roll.person(data.offender_id), self._roll.person(data.offender_id, data.incident_id)
        for person in (named, owner):
            person.victims = without(person.victims, {data.incident_id})
            person.tellings.pop(data.incident_id, None)
            person.tellings[self._roll.seal(data.incident_id)] = {}
            person.untold({data.incident_id})

    def _take_back(self, offender_id: str, incident_id: str, revision: int) -> None:
        """Under his own id all that was told of it; under one that was merged into his that telling alone."""
        person = self._roll.person(offender_id, incident_id)
        if self._roll.is_expunged(person, incident_id):
            return
        told = person.tellings.setdefault(incident_id, {})
        known = told.get(offender_id, Telling())
        if revision > known.through:
            told[offender_id] = replace(known, through=revision)
            settle(person, incident_id)
            if not person.standing(incident_id):
                person.untold({incident_id})

    def _custody(self, data: CustodyChanged, said: datetime) -> None:
        person = self._roll.person(data.offender_id, charges_of(data.booking_id))
        stay = stay_after(person.stays.get(data.booking_id), data, said)
        person.held_by(newest_stays({**person.stays, data.booking_id: stay}))

    def _described(self, data: OffenderDescribed) -> None:
        """Replaces what is held of him. Of the booking that it names it is the word; naming none it ends none."""
        person = self._roll.person(data.offender_id)
        if (told := data.custody) is not None:
            stay = stay_as(person.stays.get(told.booking_id), told, data.offender_id)
            person.stays = newest_stays({**person.stays, told.booking_id: stay})
        kept = {
            name: those
            for name, those in person.origins.items()
            if getattr(data, name) == getattr(person.described, name)
        }
        person.origins = kept | origins.few(self._told_by.pop(person.described.offender_id, {}))
        own = {"offender_id": person.described.offender_id, "custody": shown(person.stays)}
        person.described = data.model_copy(update=own)

    def _victims_described(self, data: VictimsDescribed, said: datetime) -> None:
        """Replaces what the agencies it speaks of have said; what others hold of his victims stays.

        Whom a report names that stands is not taken away by it: she is referred, and must be found. Of an incident that went
        to another in a split it tells him.
        """
        person = self._roll.person(data.offender_id)
        told = {(victim.incident_id, victim.victim_no): victim for victim in data.victims}
        before = person.victims
        agencies = {agency_of(place) for place in told}
        person.victims = {
            place: victim
            for place, victim in person.victims.items()
            if agencies and (agency_of(place) not in agencies or place[1] in person.named_in(place[0]))
        }
        for place, victim in told.items():
            if place[0] and self._roll.is_out(data.offender_id, place[0]):
                continue
            owner = self._roll.person(data.offender_id, place[0])
            known = before.get(place) or owner.victims.get(place)
            hers = as_reported(owner, place, dated(victim, known, said))
            owner.victims = newest({**owner.victims, place: hers})


def _holds(record: Data) -> bool:
    return isinstance(record, VictimsDescribed) and bool(record.victims)
