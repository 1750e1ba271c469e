"""What the facts that came with a report are worth, and what of them is kept."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, Final

from pydantic import ValidationError

from schemas.incident import IncidentReported
from schemas.person import DescribedVictim, OffenderDescribed
from services.intake.people.facts import Facts, VictimFacts
from services.intake.people.person import Person, Telling
from services.intake.people.victims import told_otherwise

_OFFENDER_FACTS: Final = ("name", "birth_date", "places", "language", "counsel")
_VICTIM_FACTS: Final = ("name", "birth_date", "contact", "language", "substitute_address")
_LONGEST: Final = 200
"""Characters of a text in a record of people."""


class Weight(Enum):
    """What the facts of a report are worth."""

    COUNTS = auto()
    FILLS = auto()
    NONE = auto()


def weight_of(told: Telling, report: IncidentReported, person: Person) -> Weight:
    """Once `report`, which tells `told`, is applied. `person`: whose the incident is."""
    name, incident_id = report.offender.offender_id, report.incident_id
    standing = person.standing(incident_id)
    if name not in standing or told.revision <= person.taken_back(incident_id, name):
        return Weight.NONE
    own = standing[name]
    if told.revision == own.revision and own.told_by not in ("", told.told_by):
        return Weight.NONE  # told differently: the first stands
    newest = max(one.revision for one in standing.values())
    return Weight.COUNTS if told.revision >= newest else Weight.FILLS


def as_told(known: DescribedVictim, fact: VictimFacts, weight: Weight) -> DescribedVictim:
    """Of another woman than this entry is of: the one who counts is her from now on, and nothing of the first is hers."""
    if told_otherwise(known, fact.name, fact.birth_date):
        if weight is Weight.FILLS:
            return known
        known = DescribedVictim(victim_no=known.victim_no, incident_id=known.incident_id, victim_id=known.victim_id)
    return known.model_copy(update=given(fact, known, weight))


def given(fact: Facts, known: OffenderDescribed | DescribedVictim, weight: Weight) -> dict[str, Any]:
    """What of it the record takes: texts cut to their length, and nothing that it could not be read again with."""
    names = _VICTIM_FACTS if isinstance(fact, VictimFacts) else _OFFENDER_FACTS
    found = {name: _cut(value) for name in names if (value := getattr(fact, name))}
    if weight is Weight.FILLS:
        found = {name: value for name, value in found.items() if not getattr(known, name)}
    try:
        type(known).model_validate(known.__dict__ | found)
    except ValidationError as wrong:
        unfit = {error["loc"][0] for error in wrong.errors(include_input=False, include_url=False)}
        return {name: value for name, value in found.items() if name not in unfit}
    return found


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_LONGEST]
    return [each[:_LONGEST] for each in value] if isinstance(value, tuple) else value
