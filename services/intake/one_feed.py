"""One feed tells an incident: what an agency's own system said is not silently replaced by its NIBRS submission. Pure.

Where an agency gives no number of the man, both know him as the n-th offender of that incident, and whichever has the higher
revision would stand whole. A submission has no statutes and no breaches, so his tier could fall by it. Decision 87.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from schemas.envelope import Data, to_json_line
from schemas.incident import IncidentReported, IncidentRetracted
from schemas.rejects import RejectCode
from services.intake.domain import Feed, Reject, Unit
from services.intake.people import FINAL, People, Telling


def held_apart(
    units: Sequence[Unit], people: People, seen: Collection[tuple[str, str]], feed: Feed
) -> tuple[list[Unit], list[Reject]]:
    """The units with a reject where the agency's other kind of feed has told an incident, and these rejects.

    A submission's events are refused. A table's go on, since they cannot replace anything and whoever calls her needs what
    comes with them. What was taken before (`seen`, by source and id) is a repeat and no matter.
    """
    kept, rejects = [], []
    for unit in units:
        told = [one for one in unit.events if (one.source, one.id) not in seen and _is_told(one.data, people, feed)]
        if told:
            raw = b"\n".join(map(to_json_line, told))
            reject = Reject(feed.name, unit.line, RejectCode.OTHER_FEED, "revision", raw, len(raw))
            left = tuple(one for one in unit.events if one not in told) if feed.is_submission else unit.events
            unit = replace(unit, events=left, reject=reject)
            rejects.append(reject)
        kept.append(unit)
    return kept, rejects


def _is_told(data: Data, people: People, feed: Feed) -> bool:
    match data:
        case IncidentReported(incident_id=incident_id, revision=revision):
            known = people.telling(data.offender.offender_id, incident_id)
        case IncidentRetracted(incident_id=incident_id, offender_id=him):
            known = people.telling(him, incident_id)
            revision = FINAL if data.revision is None else data.revision
        case _:
            return False
    return known is not None and _is_hidden(known, revision, feed)


def _is_hidden(known: Telling, revision: int, feed: Feed) -> bool:
    """Either way the poorer telling would stand: a newer submission would replace, an older table be passed over."""
    if feed.is_submission:
        return not known.submitted and revision > known.revision
    return known.submitted and revision < known.revision
