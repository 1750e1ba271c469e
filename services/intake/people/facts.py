"""What a record holds of people beside its event: names, where to reach them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class OffenderFacts:
    """What a record holds of an offender beside its event. Of a field that it leaves out what was known stays."""

    offender_id: str
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    places: tuple[str, ...] = field(default=(), repr=False)
    language: str | None = None
    counsel: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class VictimFacts:
    """What a record holds of one of his victims as police took it. Of a field that it leaves out what was known stays."""

    offender_id: str
    incident_id: str
    victim_no: int
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    contact: tuple[str, ...] = field(default=(), repr=False)
    language: str | None = None
    substitute_address: str | None = field(default=None, repr=False)


Facts = OffenderFacts | VictimFacts
