"""Persons by id, and who each is now: after merges, and for one incident after splits."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.envelope import Data
from schemas.person import OffenderDescribed
from services.common.seal import Seal
from services.intake.people.person import Person


class Roll:
    """Works on the persons it is given in place. `seal`: by its hash an expunged incident is known again."""

    def __init__(self, people: dict[str, Person], seal: Seal) -> None:
        self._people = people
        self.seal = seal
        for person in people.values():
            if any(map(_is_number, person.moved)):  # from before they were sealed
                person.moved = {seal(key) if _is_number(key) else key: to for key, to in person.moved.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._people

    def now(self, offender_id: str) -> str:
        """Who he is now. Ends, since nobody is ever merged into one who stands for him."""
        while (person := self._people.get(offender_id)) and person.merged_into:
            offender_id = person.merged_into
        return offender_id

    def reach(self, names: Iterable[str]) -> list[str]:
        """These, and whoever has a part of theirs since a split, or of that a part since another."""
        found = dict.fromkeys(names)
        waiting = list(found)
        while waiting:
            person = self._people.get(waiting.pop())
            more = dict.fromkeys(map(self.now, person.moved.values() if person else ()))
            waiting += [name for name in more if name not in found]
            found |= more
        return list(found)

    def person(self, offender_id: str, incident_id: str | None = None) -> Person:
        """Whose the incident is now, if one is given."""
        name = self.now(offender_id)
        person, passed = self._one(name), {name}
        sealed = self.seal(incident_id) if incident_id and person.moved else ""
        while sealed and (moved := person.moved.get(sealed)) and (name := self.now(moved)) not in passed:
            passed.add(name)
            person = self._one(name)
        return person

    def _one(self, name: str) -> Person:
        if (person := self._people.get(name)) is None:
            person = self._people[name] = Person(OffenderDescribed(offender_id=name))
        return person

    def records(self, name: str) -> tuple[Data, Data]:
        """His own and that of his victims, as the topics hold them."""
        person = self._people.get(name) or Person(OffenderDescribed(offender_id=name))
        return person.described, person.victims_described()

    def close(self, gone: Person, into: Person) -> None:
        """Nothing is his from now on: he is another."""
        name = gone.described.offender_id
        self._people[name] = Person(OffenderDescribed(offender_id=name), merged_into=into.described.offender_id)

    def is_expunged(self, person: Person, incident_id: str) -> bool:
        """Nothing may be kept of this incident of his."""
        return self.seal(incident_id) in person.tellings

    def is_out(self, offender_id: str, incident_id: str) -> bool:
        """Expunged with whoever it is named with or with whoever has it now."""
        both = (self.person(offender_id), self.person(offender_id, incident_id))
        return any(self.is_expunged(person, incident_id) for person in both)


def _is_number(key: str) -> bool:
    """An incident id rather than its hash."""
    return ":" in key
