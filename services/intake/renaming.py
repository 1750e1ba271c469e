"""Units under the ids that hold now, and who stands in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from schemas.envelope import Data, Event
from schemas.incident import IncidentReported
from schemas.person import OffenderDescribed
from services.intake.domain import Unit
from services.intake.identity import Identifiers, Sighting

_ORI: Final = re.compile(r"/agencies/([A-Z0-9]{9})(?:/|$)")
_NAMES: Final = ("offender_id", "merged_offender_id", "new_offender_id")


def renamed(unit: Unit, now: Mapping[str, str]) -> Unit:
    """Everything in it that is under an id of `now` is under the other."""
    return replace(
        unit,
        events=tuple(_event(event, now) for event in unit.events),
        facts=tuple(replace(fact, offender_id=now.get(fact.offender_id, fact.offender_id)) for fact in unit.facts),
        sightings=tuple(
            replace(each, offender_id=now.get(each.offender_id, each.offender_id)) for each in unit.sightings
        ),
    )


def _event(event: Event[Data], now: Mapping[str, str]) -> Event[Data]:
    data = event.data
    if isinstance(data, IncidentReported):
        who = data.offender.offender_id
        data = data.model_copy(update={"offender": data.offender.model_copy(update={"offender_id": now.get(who, who)})})
    else:
        told = {name: now.get(value, value) for name in _NAMES if (value := getattr(data, name, None))}
        data = data.model_copy(update=told)
    return replace(event, subject=now.get(event.subject, event.subject), data=data)


def described_in(unit: Unit) -> list[Sighting]:
    """Whole records of offenders, which say who they are of themselves."""
    found = []
    for event in unit.events:
        if not isinstance(event.data, OffenderDescribed):
            continue
        agency = _ORI.match(event.source)
        known = Identifiers(agency[1] if agency else "-", "", name=event.data.name, birth_date=event.data.birth_date)
        found.append(Sighting(event.data.offender_id, known))
    return found
