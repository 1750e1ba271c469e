"""An invented county's incidents, as many as a test asks for: all tiers, several victims, revisions and retractions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from schemas.envelope import Classification, Data, Event
from schemas.incident import Arrest, IncidentReported, IncidentRetracted, Offender, Offense, ProhibitedBehavior, Victim
from tests.harness.probe import at

AGENCY = "NC0410200"


class County:
    """Draws events from one seed; the same seed gives the same events in the same order."""

    def __init__(self, seed: int = 1, offenders: int = 40) -> None:
        self._chance = random.Random(seed)
        self._offenders = offenders
        self._incidents: dict[str, int] = {}
        self._clock = 0

    def events(self, count: int) -> Iterator[Event[Data]]:
        """The next `count` events."""
        for _ in range(count):
            self._clock += 3_600
            offender = f"P{self._chance.randrange(self._offenders)}"
            number = self._incidents.get(offender, 0)
            draw = self._chance.random()
            if number and draw < 0.1:
                yield self._event(
                    offender, f"r{self._clock}", self._retracted(offender, self._chance.randrange(number))
                )
            elif number and draw < 0.25:
                which = self._chance.randrange(number)
                yield self._event(offender, f"a{self._clock}", self._reported(offender, which, revision=self._clock))
            else:
                self._incidents[offender] = number + 1
                yield self._event(offender, f"n{self._clock}", self._reported(offender, number, revision=1))

    def _event(self, offender: str, name: str, data: Data) -> Event[Data]:
        return Event(
            id=f"{offender}-{name}",
            source=f"/agencies/{AGENCY}",
            subject=offender,
            time=at(self._clock),
            recordedtime=at(self._clock),
            data=data,
            dataclassification=Classification.RESTRICTED,
            correlationid=data.incident_id if isinstance(data, IncidentReported) else None,
        )

    def _retracted(self, offender: str, number: int) -> IncidentRetracted:
        return IncidentRetracted(
            incident_id=f"{AGENCY}:{offender}-{number}", offender_id=offender, agency=AGENCY, revision=1
        )

    def _reported(self, offender: str, number: int, *, revision: int) -> IncidentReported:
        chance = self._chance
        charged = chance.random() < 0.6
        occurred = at(self._clock) - timedelta(hours=chance.choice([1, 5, 30, 24 * 20]))
        victims = [
            Victim(
                victim_no=no, victim_id=f"V-{offender}-{no}", relationship=chance.choice(["SE", "BG", "XR", "SB", "RU"])
            )
            for no in range(1, chance.choice([2, 2, 2, 3]))
        ]
        return IncidentReported(
            incident_id=f"{AGENCY}:{offender}-{number}",
            revision=revision,
            agency=AGENCY,
            occurred_at=occurred,
            reported_at=at(self._clock),
            offender=Offender(offender_id=offender, age=chance.choice([17, 30, 30, 30, 45])),
            victims=victims,
            offenses=[
                Offense(
                    code=chance.choice(["13A", "13B", "13C"]),
                    charged=charged,
                    force=chance.choice([[], ["40"], ["12"]]),
                )
            ],
            prohibited_behavior=[ProhibitedBehavior.NO_CONTACT] if chance.random() < 0.2 else [],
            probable_cause=True if charged else None,
            offender_informed=charged or None,
            arrest=Arrest(arrest_id=f"{AGENCY}:A-{offender}-{number}", arrested_at=occurred, type="O")
            if charged
            else None,
        )
