"""Two records become one person's, or one becomes two persons'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schemas.incident import OffenderMerged, OffenderSplit
from schemas.person import DescribedVictim
from services.intake.people import origins
from services.intake.people.custody import Stay, parted, together
from services.intake.people.person import Person, Place, Telling
from services.intake.people.roll import Roll
from services.intake.people.victims import filled, is_another, settle, without


def merge(roll: Roll, data: OffenderMerged) -> None:
    """All that is held of one is the other's too; what both say of themselves is as the one says who stays."""
    if roll.now(data.offender_id) == roll.now(data.merged_offender_id):
        return
    survivor, merged = roll.person(data.offender_id), roll.person(data.merged_offender_id)
    told = {name: value for name, value in merged.described if value and not getattr(survivor.described, name)}
    survivor.origins = origins.together(survivor.origins, survivor.described, merged.origins, merged.described)
    survivor.described = survivor.described.model_copy(update=told)
    survivor.held_by(together(_told_of(survivor), _told_of(merged)))
    _take_in(roll, survivor, merged.victims, merged.tellings)
    survivor.moved = merged.moved | survivor.moved
    roll.close(merged, survivor)


def split(roll: Roll, data: OffenderSplit) -> None:
    """The incidents go, with their women, their bookings, and what they alone have told of him."""
    old, new, moved = roll.person(data.offender_id), roll.person(data.new_offender_id), set(data.incident_ids)
    if old is new:
        return
    expunged = {incident_id for incident_id in moved if roll.is_out(data.offender_id, incident_id)}
    new.tellings |= {roll.seal(incident_id): {} for incident_id in expunged}
    moved -= expunged
    victims = {place: victim for place, victim in old.victims.items() if place[0] in moved}
    tellings = {name: told for name, told in old.tellings.items() if name in moved}
    old.victims = without(old.victims, moved)
    old.tellings = {name: told for name, told in old.tellings.items() if name not in moved}
    _take_in(roll, new, victims, tellings)
    told_by = old.origins
    his = {name: value for name, value in old.untold(moved).items() if not getattr(new.described, name)}
    new.described = new.described.model_copy(update=his)
    new.origins |= {name: told_by[name] for name in his}
    _untell(roll, new)
    rest, goes = parted(old.stays, (), moved, new.described.offender_id)
    new.held_by(together({**new.stays, **goes}, {}))
    old.held_by(rest)
    sealed = dict.fromkeys(map(roll.seal, moved), data.new_offender_id)
    old.moved |= sealed
    new.moved = {name: to for name, to in new.moved.items() if name not in sealed}


def _take_in(
    roll: Roll, person: Person, victims: Mapping[Place, DescribedVictim], tellings: Mapping[str, Mapping[str, Telling]]
) -> None:
    """What was another's is his too. Her contact may be in either's entry of her."""
    both = {
        place: filled(known, other)
        for place, known in person.victims.items()
        if (other := victims.get(place)) and not is_another(known, other.victim_id, place)
    }
    person.victims = {**victims, **person.victims, **both}
    for incident_id, told in tellings.items():
        known = person.tellings.setdefault(incident_id, {})
        for offender_id, telling in told.items():
            known[offender_id] = known.get(offender_id, Telling()).joined(telling)
        if known:
            settle(person, incident_id, victims.values())
    for incident_id in _untell(roll, person) & person.tellings.keys():
        person.victims = without(person.victims, {incident_id})
        person.tellings.pop(incident_id)


def _untell(roll: Roll, person: Person) -> set[str]:
    """Nothing stays of him that incidents alone have told which are expunged or taken back; returns the expunged ones of
    which anything was kept.
    """
    named = {*person.tellings, *(each for those in person.origins.values() for each in those)}
    expunged = {incident_id for incident_id in named if roll.is_expunged(person, incident_id)}
    taken_back = {incident_id for incident_id in person.tellings if not person.standing(incident_id)}
    person.untold(expunged | taken_back)
    return expunged


def _told_of(person: Person) -> dict[str, Stay]:
    """Of a man who was never another's."""
    name = person.described.offender_id
    return {key: replace(stay, told_of=stay.told_of or name) for key, stay in person.stays.items()}
