"""The one place where what a feed knows a person by becomes an `offender_id`.

Every reader comes through here, and no reader makes an id of its own. What is done is the least that is safe: a number that
one register gives to one person is that person, and nothing else links. Records that are one person under two numbers stay two
until a person or the linkage (`linkage/`, `usecases/linking/`) says so, with `ipvi.offender.merged.v1`; a wrong link is worse
than a missing one, since it puts another man's charges on a list and another woman's address in a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from schemas.envelope import deterministic_id


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What a record knows an offender by. Name, birth date and sex never make or link an id here.

    `report` and `place` say which record it is (an incident's or booking's number, and the n-th offender in it): where no
    register's number is given, he is that record's offender and nobody else.
    """

    agency: str
    report: str
    place: int = 1
    state_id: str | None = None
    fbi_number: str | None = None
    agency_person: str | None = None
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    sex: str | None = field(default=None, repr=False)

    @property
    def is_numbered(self) -> bool:
        """A register's number says who he is, however his name is written."""
        return bool(self.state_id or self.fbi_number or self.agency_person)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One record of one man: what it knows him by, under which id he goes, and the incident and arrest it tells of."""

    offender_id: str
    known: Identifiers = field(repr=False)
    incident_id: str | None = None
    arrest_id: str | None = None


def offender_id(known: Identifiers) -> str:
    """Opaque, and the same whenever the same identifiers come: the state's number, else the FBI's, else the agency's own."""
    return offender_ids(known)[0]


def offender_ids(known: Identifiers) -> list[str]:
    """`offender_id`, then what it was, or would be, with fewer of these numbers."""
    found = []
    if known.state_id:
        found.append(deterministic_id("offender", "state", known.agency[:2], known.state_id))
    if known.fbi_number:
        found.append(deterministic_id("offender", "fbi", known.fbi_number))
    if known.agency_person:
        found.append(deterministic_id("offender", "agency", known.agency, known.agency_person))
    return [*found, deterministic_id("nibrs", "offender", known.agency, known.report, known.place)]


def victim_id(agency: str, report: str, place: int, agency_person: str | None = None) -> str:
    """Opaque, as an offender's: the agency's own number of her, else the n-th victim of this report and nobody else."""
    if agency_person:
        return deterministic_id("victim", "agency", agency, agency_person)
    return deterministic_id("nibrs", "victim", agency, report, place)
