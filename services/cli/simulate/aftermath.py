"""What follows an incident: jail, conditions and orders, dispositions, expunctions, the notices of the time before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from schemas.incident import (
    Arrest,
    CaseDisposed,
    CustodyChange,
    CustodyChanged,
    Disposition,
    IncidentExpunged,
    NotificationRecorded,
    OrderChange,
    OrderChanged,
    ProhibitedBehavior,
    RecordedTier,
)
from services.cli.simulate import rates
from services.cli.simulate.voice import Case, Voice
from services.intake.identity import offender_id

JAIL: Final = "Invented County Jail"


class Aftermath:
    """Of one person's incidents, in the order of time."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._chance, self._county = voice.chance, voice.county
        self._orders: list[tuple[datetime, datetime, ProhibitedBehavior]] = []
        self._noticed: set[RecordedTier] = set()
        self._charges = 0

    def breaches(self, at: datetime) -> list[ProhibitedBehavior]:
        """Of what binds him then."""
        running = dict.fromkeys(kind for begin, end, kind in self._orders if begin <= at < end)
        return [kind for kind in running if self._voice.happens(rates.BREACH)]

    def of(self, case: Case) -> None:
        if case.data.arrest is not None:
            self._charges += 1
            if case.data.arrest.type != "S":
                self._jail(case, case.data.arrest)
            self._court(case, case.data.arrest)
        self._notice(case)

    def _jail(self, case: Case, arrest: Arrest) -> None:
        """The sheriff's jail knows him by its own number, where it has one."""
        own = next((record for record in self._voice.records if record.agency == self._county.sheriff), None)
        who = (
            offender_id(replace(own, report=f"booking {case.number}"))
            if own and own.agency_person
            else case.offender_id
        )
        booking = f"{self._county.sheriff}:J{case.number}"
        booked = arrest.arrested_at + timedelta(hours=self._chance.uniform(0.5, 5))
        hearing = arrest.arrested_at + timedelta(hours=self._chance.uniform(6, rates.HEARING_HOURS))
        hearing = max(hearing, booked + timedelta(hours=1))
        released = hearing + timedelta(hours=self._chance.uniform(0.5, 6))
        if self._voice.happens(rates.HELD_ON):
            released = hearing + timedelta(days=self._chance.uniform(2, 90))
        seen = booked + self._lag()
        changes = (
            (CustodyChange.BOOKED, booked, seen),
            (CustodyChange.HEARING_SET, hearing, seen + timedelta(minutes=20)),
            (CustodyChange.RELEASED, released, released + self._lag()),
        )
        for change, at, told in changes:
            data = CustodyChanged(
                offender_id=who, booking_id=booking, change=change, at=at.replace(microsecond=0), facility=JAIL
            )
            self._voice.say(told, data, self._county.sheriff, f"{booking}.{change}")
        if own:
            self._voice.knows(who, own)

    def _lag(self) -> timedelta:
        return timedelta(minutes=self._chance.uniform(*rates.FEED_LAG_MINUTES))

    def _court(self, case: Case, arrest: Arrest) -> None:
        """Conditions of release, a protective order, and what became of the charge."""
        begins = (arrest.arrested_at + timedelta(hours=rates.HEARING_HOURS)).replace(microsecond=0)
        self._order(case, begins, rates.CONDITION_DAYS, ProhibitedBehavior.PRETRIAL_CONDITION)
        if self._voice.happens(rates.PROTECTIVE_ORDER):
            self._order(case, begins + timedelta(days=3), 365, ProhibitedBehavior.PROTECTIVE_ORDER)
        if not self._voice.happens(rates.DISPOSED):
            return
        at = arrest.arrested_at + timedelta(days=self._chance.uniform(20, 400))
        became = self._chance.choices(list(rates.DISPOSITIONS), list(rates.DISPOSITIONS.values()))[0]
        data = CaseDisposed(
            offender_id=case.offender_id,
            arrest_id=arrest.arrest_id,
            charge=case.data.offenses[0].code,
            disposition=Disposition(became),
        )
        self._voice.say(at, data, case.agency, f"{arrest.arrest_id}.disposed")
        if became != "convicted" and self._voice.happens(rates.EXPUNGED):
            gone = IncidentExpunged(incident_id=case.incident_id, offender_id=case.offender_id, agency=case.agency)
            self._voice.say(
                at + timedelta(days=self._chance.uniform(60, 700)), gone, case.agency, f"{case.incident_id}.expunged"
            )

    def _order(self, case: Case, begins: datetime, days: float, kind: ProhibitedBehavior) -> None:
        ends = begins + timedelta(days=days)
        self._orders.append((begins, ends, kind))
        data = OrderChanged(
            offender_id=case.offender_id,
            order_id=f"{case.incident_id}.{kind}",
            kind=kind,
            **{"from": begins},
            until=ends,
            change=OrderChange.ISSUED,
        )
        self._voice.say(begins, data, case.agency, f"{case.incident_id}.{kind}")

    def _notice(self, case: Case) -> None:
        """One per tier, of those given before this system was there."""
        at = case.reported_at + timedelta(days=self._chance.uniform(2, 30))
        tier = (
            RecordedTier.D if case.data.arrest is None else (RecordedTier.C, RecordedTier.B)[min(self._charges, 2) - 1]
        )
        if at >= self._county.live_from or tier in self._noticed or not self._voice.happens(rates.NOTICED):
            return
        self._noticed.add(tier)
        data = NotificationRecorded(
            offender_id=case.offender_id, notification_id=f"{case.incident_id}.notice", tier=tier, served_at=at
        )
        self._voice.say(at, data, case.agency, f"{case.incident_id}.notice")
