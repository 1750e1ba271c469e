"""What became of one person after a notice. Pure; every definition is in `docs/measures.md`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schemas.incident import (
    CaseDisposed,
    CustodyChange,
    CustodyChanged,
    Disposition,
    OrderChange,
    OrderChanged,
    ProhibitedBehavior,
)
from services.cli.research import Given, Person

HELD_ON = timedelta(hours=48)
"""Still in jail after so long: by then a judge has set the terms of release (N.C.G.S. 15A-534.1), so it is not the arrest."""

COURT_ORDERS = frozenset(
    {ProhibitedBehavior.PRETRIAL_CONDITION, ProhibitedBehavior.NO_CONTACT, ProhibitedBehavior.PROBATION}
)
"""Not `protective_order`: she asks for that one, and a sanction is what the state does."""


class SanctionKind(StrEnum):
    """What a new arrest brought him."""

    CONVICTION = "conviction"
    COURT_ORDER = "court_order"
    CUSTODY = "custody"


@dataclass(frozen=True, slots=True)
class Sanction:
    """The first that followed."""

    at: datetime
    kind: SanctionKind


@dataclass(frozen=True, slots=True)
class Arrest:
    """For an offence against a partner. One `arrest_id` is one, however many incidents it clears."""

    arrest_id: str
    agency: str
    occurred_at: datetime
    """The first offence it was for."""
    arrested_at: datetime


@dataclass(frozen=True, slots=True)
class Spell:
    """From a notice until he was arrested again, or until nothing more is known."""

    start: datetime
    arrest: Arrest | None
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def followed(self, time: timedelta, until: datetime) -> bool:
        """Whether so much time had passed at the end of observation, whatever happened in it."""
        return self.start + time <= until

    def came_back(self, time: timedelta) -> bool:
        return self.arrest is not None and self.length <= time


def arrests(person: Person, until: datetime) -> list[Arrest]:
    """In order of arrest, up to the end of observation."""
    found: dict[str, Arrest] = {}
    for one in person.incidents:  # by `occurred_at`
        arrest = one.report.arrest
        if arrest is not None and arrest.arrested_at <= until:
            made = Arrest(arrest.arrest_id, one.report.agency, one.report.occurred_at, arrest.arrested_at)
            found.setdefault(arrest.arrest_id, made)
    return sorted(found.values(), key=lambda each: (each.arrested_at, each.arrest_id))


def spell(given: Given, arrested: list[Arrest], until: datetime) -> Spell:
    """Both the offence and the arrest come after the notice: who is arrested later for what he did before was not warned."""
    after = given.served_at
    again = next((one for one in arrested if one.occurred_at > after and one.arrested_at > after), None)
    return Spell(after, again, again.arrested_at if again else until)


def sanction(person: Person, arrest: Arrest, until: datetime) -> Sanction | None:
    """The first after the arrest: convicted of it, bound by a court's order, or kept in jail."""
    found = [one for one in _sanctions(person, arrest) if arrest.arrested_at <= one.at <= until]
    return min(found, key=lambda one: (one.at, one.kind), default=None)


def _sanctions(person: Person, arrest: Arrest) -> Iterator[Sanction]:
    released = {
        event.data.booking_id: event.data.at
        for event in person.records
        if isinstance(event.data, CustodyChanged) and event.data.change is CustodyChange.RELEASED
    }
    for event in person.records:
        match data := event.data:
            case CaseDisposed(arrest_id=arrest.arrest_id, disposition=Disposition.CONVICTED):
                yield Sanction(event.time, SanctionKind.CONVICTION)
            case OrderChanged(change=OrderChange.ISSUED) if data.kind in COURT_ORDERS:
                yield Sanction(data.from_, SanctionKind.COURT_ORDER)
            case CustodyChanged(change=CustodyChange.BOOKED) if data.at >= arrest.arrested_at:
                out = released.get(data.booking_id)
                if out is None or out - data.at > HELD_ON:
                    yield Sanction(data.at + HELD_ON, SanctionKind.CUSTODY)
    for one in person.incidents:
        if one.arrest_id == arrest.arrest_id and any(
            offense.disposition is Disposition.CONVICTED for offense in one.report.offenses
        ):
            yield Sanction(one.report.reported_at, SanctionKind.CONVICTION)
