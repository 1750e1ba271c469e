"""What is said of one person: events, with when they came, and the ids under which he is known."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from schemas.envelope import Classification, Data, Event
from schemas.incident import IncidentReported
from services.cli.simulate.county import County
from services.cli.simulate.partners import Partner
from services.cli.simulate.people import Person
from services.cli.simulate.records import records
from services.intake.identity import Identifiers


@dataclass(frozen=True, slots=True)
class Sent:
    """An event, and when it reached the county."""

    at: datetime
    event: Event[Data]


@dataclass(frozen=True, slots=True)
class Known:
    """One id under which a person is known: what agencies have of him, and, which they do not know, who he is."""

    person: str
    offender_id: str
    identifiers: Identifiers


@dataclass(slots=True)
class Case:
    """One incident as it was."""

    at: datetime
    reported_at: datetime
    agency: str
    number: str
    him: Identifiers
    her: Partner
    data: IncidentReported

    @property
    def incident_id(self) -> str:
        return self.data.incident_id

    @property
    def offender_id(self) -> str:
        return self.data.offender.offender_id


class Voice:
    """Whatever is drawn for a person comes from one `chance`: the same person, the same life."""

    def __init__(self, person: Person, county: County) -> None:
        self.person = person
        self.county = county
        self.chance = random.Random(f"{person.person}|life")
        self.records = [record.known for record in records(person, county.agencies)]
        self.sent: list[Sent] = []
        self.known: dict[str, Known] = {}

    def happens(self, share: float) -> bool:
        return self.chance.random() < share

    def knows(self, offender_id: str, identifiers: Identifiers) -> bool:
        """Whether this id is new."""
        is_new = offender_id not in self.known
        if is_new:
            self.known[offender_id] = Known(self.person.person, offender_id, identifiers)
        return is_new

    def say(self, at: datetime, data: Data, agency: str, name: str, incident: str | None = None) -> Event[Data]:
        who = data.offender.offender_id if isinstance(data, IncidentReported) else str(getattr(data, "offender_id", ""))
        event = Event(
            id=name,
            source=f"/agencies/{agency}",
            subject=who,
            time=at,
            data=data,
            dataclassification=Classification.RESTRICTED,
            correlationid=incident,
        )
        self.sent.append(Sent(at, event))
        return event
