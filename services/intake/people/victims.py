"""Entries of victims: which are of one woman, and what of one holds for another."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

from schemas.person import DescribedVictim
from services.intake.identity import victim_id
from services.intake.linkage.rules import Contradiction, Known, contradiction
from services.intake.people.person import Person, Place

_DETAILS = ("name", "birth_date", "contact", "language", "substitute_address", "lethality_screen")
_MOST_VICTIMS = 200
"""Entries kept for one offender, the newest: an id that stands for nobody in particular would outgrow every record."""


def as_reported(person: Person, place: Place, told: DescribedVictim) -> DescribedVictim:
    """Under the id by which a report that stands names her. Of another woman than that it says nothing of her."""
    named = person.named_in(place[0]).get(place[1])
    if named is None or named == told.victim_id:
        return told
    if is_another(told, named, place):
        return person.victims.get(place) or described_as((), *place, named)
    return told.model_copy(update={"victim_id": named})


def dated(told: DescribedVictim, known: DescribedVictim | None, said: datetime) -> DescribedVictim:
    """With the time of her screen: the agency's, else when it first told of this one. Said again it is no new screen."""
    if told.lethality_screen is None or told.screened_at is not None:
        return told
    same = known is not None and known.lethality_screen == told.lethality_screen
    return told.model_copy(update={"screened_at": known.screened_at if known is not None and same else said})


def agency_of(place: Place) -> str:
    return (place[0] or "").partition(":")[0]


def newest(victims: dict[Place, DescribedVictim]) -> dict[Place, DescribedVictim]:
    return dict(list(victims.items())[-_MOST_VICTIMS:]) if len(victims) > _MOST_VICTIMS else victims


def described_as(
    known: Collection[DescribedVictim], incident_id: str | None, number: int, named: str | None
) -> DescribedVictim:
    """With the details police gave of her under this number or, being the same woman, under another.

    Named as another than before she is another: whoever calls her must not reach the woman it was thought to be.
    """
    place = (incident_id, number)
    here = [one for one in known if (one.incident_id, one.victim_no) == place and not is_another(one, named, place)]
    here.sort(key=lambda one: one.victim_id != named)
    elsewhere = [one for one in known if one.victim_id and one.victim_id == named]
    bare = DescribedVictim(victim_no=number, incident_id=incident_id, victim_id=named)
    for same in (here, elsewhere[:1]):
        found = bare
        for one in same:
            found = filled(found, one)
        if found != bare:
            return found
    return bare


def settle(person: Person, incident_id: str, others: Iterable[DescribedVictim] = ()) -> None:
    """One entry of each woman whom the reports name, and no other of this incident. `others`: what else is known."""
    known = (*person.victims.values(), *others)
    now = {
        (incident_id, number): described_as(known, incident_id, number, named)
        for number, named in person.named_in(incident_id).items()
    }
    before = {place: one for place, one in person.victims.items() if place[0] == incident_id}
    if now != before:
        person.victims = newest(without(person.victims, {incident_id}) | now)


def filled(known: DescribedVictim, other: DescribedVictim) -> DescribedVictim:
    """With what only the other has. Found in high danger by either, she is. What is another woman's is not hers."""
    if told_otherwise(known, other.name, other.birth_date):
        return known
    update = {name: value for name in _DETAILS if (value := getattr(other, name)) and not getattr(known, name)}
    if other.lethality_screen == "high":
        update["lethality_screen"] = "high"
    if update.get("lethality_screen", known.lethality_screen) != known.lethality_screen:
        update["screened_at"] = other.screened_at
    return known.model_copy(update=update) if update else known


def is_another(known: DescribedVictim, named: str | None, place: Place) -> bool:
    """An id made of the place alone, where a form has no number of her, names whoever is there."""
    agency, _, report = (place[0] or "").partition(":")
    return bool(
        named
        and known.victim_id
        and named != known.victim_id
        and victim_id(agency, report, place[1]) not in (named, known.victim_id)
    )


def told_otherwise(known: DescribedVictim, name: str | None, birth_date: date | None) -> bool:
    """Both have names, and these are two women's: other given names (no nickname, initial or mistyped letter), or another
    surname and birth date.
    """
    if not known.name or not name or known.name == name:
        return False
    one, other = (
        Known("", "", "", name=called, birth_date=born)
        for called, born in ((known.name, known.birth_date), (name, birth_date))
    )
    return contradiction(one, other) in (Contradiction.GIVEN_NAME, Contradiction.NAME_AND_BIRTH_DATE)


def without(victims: dict[Place, DescribedVictim], incidents: set[str]) -> dict[Place, DescribedVictim]:
    return {place: victim for place, victim in victims.items() if place[0] not in incidents}
