"""From a report to events: one per known offender.

What is decided here, where NIBRS is silent:

* **Charged**: an arrest clears the incident, so the arrested offender is charged with every offence of the incident
  that can be his, and with the code he was arrested for where that is another. (The arrest segment names one code
  only, the gravest: taken alone it would lose the assault that came with a burglary.)
* **His offences**: all of the incident, but those whose every victim is related to other offenders alone.
* **Victims**: persons who are given a relationship to this offender. A victim of a crime against a person, or of
  robbery, to whom no relationship at all is given stands as RU, so that somebody asks; of vandalism and the like NIBRS
  asks none.
* **Probable cause**: an arrest has it; so has an exceptional clearance, which by its definition needs it, where one
  known offender is there to whom it can apply. Else not known. Only an arrest tells that police spoke with him.
* **Times**: date and hour of the incident in the agency's time zone, an unknown hour as the day's first; an arrest has
  a date alone, and is not put before its incident. Group B reports hold nothing but the arrest's date.
* **Group B**: an arrest report becomes an incident without victims, its offence charged; it never qualifies, but is
  history.
* **Delete without insert**: takes back the offenders this file has named before, else numbers 1 to 10 (a victim can be
  related to no more), for a delete names nobody. Delete and insert: takes back those of an earlier report of the same
  file who are no longer named. An offender dropped from a report that came with an earlier file cannot be known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Final

from schemas import incident as contract
from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.nibrs import PERSON_CRIMES
from services.intake.identity import Identifiers, offender_id, victim_id
from services.intake.nibrs.arrests import Matched, match
from services.intake.nibrs.incident import Arrestee, Incident, Offender, Victim

ZoneOf = Callable[[str], tzinfo]
"""The time zone of an agency, by ORI."""
RELATED: Final = 10
_WITH_RELATIONSHIP: Final = PERSON_CRIMES | {"120"}
"""Offences for whose victims a relationship is asked (specification, edit 459)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a report is known by; ids of persons are opaque, since they go where the incident's number may not."""

    ori: str
    number: str
    revision: int

    @property
    def incident_id(self) -> str:
        return f"{self.ori}:{self.number}"

    def offender_id(self, number: int) -> str:
        """NIBRS links no person across incidents: this is the n-th offender of this incident, nobody else."""
        return offender_id(Identifiers(self.ori, self.number, number))

    def victim_id(self, number: int) -> str:
        return victim_id(self.ori, self.number, number)


def revision_of(month: int, ordinal: int) -> int:
    """Year and month of submission x 100 + n-th report of the incident in the file."""
    return month * 100 + ordinal


def incident_events(incident: Incident, identity: Identity, zone: tzinfo) -> tuple[Event[Data], ...]:
    """One event per known offender, in the order of their segments."""
    matched = match(incident.offenders, incident.arrestees)
    return tuple(_of_offender(incident, offender, matched, identity, zone) for offender in incident.offenders)


def _of_offender(
    incident: Incident, offender: Offender, matched: Matched, identity: Identity, zone: tzinfo
) -> Event[Data]:
    occurred = datetime.combine(incident.day, time(incident.hour), zone)
    arrestee = matched.arrests.get(offender.number)
    cleared = incident.cleared_exceptionally and len(incident.offenders) == 1
    data = contract.IncidentReported(
        incident_id=identity.incident_id,
        revision=identity.revision,
        agency=identity.ori,
        occurred_at=occurred,
        reported_at=occurred,
        offender=contract.Offender(offender_id=identity.offender_id(offender.number), age=offender.look.years),
        victims=_victims(incident.victims, offender, identity),
        offenses=_offenses(incident, offender, arrestee),
        probable_cause=True if arrestee or cleared else None,
        offender_informed=True if arrestee else None,
        arrest=_arrest(arrestee, identity, occurred) if arrestee else None,
        arrestee_unmatched=offender.number in matched.unmatched,
    )
    return _event(data, data.offender.offender_id, occurred, identity)


def _victims(victims: Iterable[Victim], offender: Offender, identity: Identity) -> list[contract.Victim]:
    return [
        contract.Victim(
            victim_no=victim.number,
            victim_id=identity.victim_id(victim.number),
            relationship=relationship,
            offenses=list(victim.codes),
        )
        for victim in victims
        if victim.is_person and (relationship := _relationship(victim, offender))
    ]


def _relationship(victim: Victim, offender: Offender) -> str | None:
    if victim.relationships:
        return victim.relationships.get(offender.number)
    return "RU" if _WITH_RELATIONSHIP.intersection(victim.codes) else None


def _offenses(incident: Incident, offender: Offender, arrestee: Arrestee | None) -> list[contract.Offense]:
    charged = arrestee is not None
    his = [
        contract.Offense(code=offense.code, charged=charged, force=list(offense.force))
        for offense in incident.offenses
        if _can_be_his(offense.code, incident.victims, offender)
    ]
    if arrestee and arrestee.code not in {offense.code for offense in his}:
        his.append(contract.Offense(code=arrestee.code, charged=True))
    return his


def _can_be_his(code: str, victims: Iterable[Victim], offender: Offender) -> bool:
    related = [victim.relationships for victim in victims if code in victim.codes]
    return not related or any(not numbers or offender.number in numbers for numbers in related)


def _arrest(arrestee: Arrestee, identity: Identity, not_before: datetime) -> contract.Arrest:
    return contract.Arrest(
        arrest_id=f"{identity.ori}:{arrestee.transaction}",
        arrested_at=max(_midnight(arrestee.day, not_before.tzinfo), not_before),
        type=arrestee.type,
    )


def group_b_events(arrestees: Sequence[Arrestee], identity: Identity, zone: tzinfo) -> tuple[Event[Data], ...]:
    """One event per arrestee; several segments of one are several offences of one arrest."""
    people: dict[int, list[Arrestee]] = {}
    for arrestee in arrestees:
        people.setdefault(arrestee.number, []).append(arrestee)
    return tuple(_of_group_b(segments, identity, zone) for segments in people.values())


def _of_group_b(segments: Sequence[Arrestee], identity: Identity, zone: tzinfo) -> Event[Data]:
    first = min(segments, key=lambda segment: segment.day)
    arrested = _midnight(first.day, zone)
    data = contract.IncidentReported(
        incident_id=identity.incident_id,
        revision=identity.revision,
        agency=identity.ori,
        occurred_at=arrested,
        reported_at=arrested,
        offender=contract.Offender(offender_id=identity.offender_id(first.number), age=first.look.years),
        victims=[],
        offenses=[
            contract.Offense(code=code, charged=True) for code in dict.fromkeys(segment.code for segment in segments)
        ],
        probable_cause=True,
        offender_informed=True,
        arrest=_arrest(first, identity, arrested),
    )
    return _event(data, data.offender.offender_id, arrested, identity)


def retractions(numbers: Iterable[int], identity: Identity, day: date, zone: tzinfo) -> tuple[Event[Data], ...]:
    """Takes back each of these offenders' parts, up to this revision: a later insert stands."""
    return tuple(
        _event(
            contract.IncidentRetracted(
                incident_id=identity.incident_id,
                offender_id=identity.offender_id(number),
                agency=identity.ori,
                revision=identity.revision,
            ),
            identity.offender_id(number),
            _midnight(day, zone),
            identity,
        )
        for number in sorted(numbers)
    )


def _event(data: Data, offender_id: str, at: datetime, identity: Identity) -> Event[Data]:
    """The id has the content in it.

    The same report again is the same event, changed content under one revision is seen.
    """
    content = hashlib.sha256(data.canonical()).hexdigest()
    return Event(
        id=deterministic_id("nibrs", data.TYPE, identity.incident_id, identity.revision, offender_id, content),
        source=f"/agencies/{identity.ori}/nibrs",
        subject=offender_id,
        time=at,
        data=data,
        dataclassification=Classification.RESTRICTED,
        correlationid=identity.incident_id,
    )


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    return datetime.combine(day, time(), zone)
