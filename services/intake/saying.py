"""What goes to the stream because of a unit: its events, the records of people that follow, the dead letter. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from schemas.envelope import Data, Event, Message, deterministic_id, encode
from schemas.incident import IncidentExpunged
from schemas.person import OffenderDescribed, VictimsDescribed
from schemas.rejects import REJECTED_TYPE
from schemas.topics import Topic
from services.intake.cloudevents import topic_of
from services.intake.domain import AsOf, Reject, Unit
from services.intake.identity import Sighting
from services.intake.lines import KEPT
from services.intake.people import Facts, People

SOURCE = "/intake"

_MOST_BYTES: Final = 900_000
"""Of a record of people: the topics take 1 MiB."""

EventKey = tuple[str, str]
"""Source and id."""


@dataclass(slots=True)
class Said:
    """What is to be kept of some units: `keys` of what is new in them, and the messages that follow, in order."""

    keys: list[EventKey] = field(default_factory=list)
    messages: list[tuple[Topic, Message]] = field(default_factory=list)
    repeated: int = 0
    """Events that were taken before."""
    fresh: list[Unit] = field(default_factory=list)
    """Units with something new in them."""


def keys_of(units: Iterable[Unit]) -> list[EventKey]:
    """What `say` must know of each: whether it was taken before."""
    found: list[EventKey] = []
    for unit in units:
        if unit.reject:
            found.append((SOURCE, _reject_id(unit.reject)))
        found += [(event.source, event.id) for event in unit.events]
        found += [(SOURCE, _facts_id(unit, fact)) for fact in unit.facts]
        found += [(SOURCE, _sighting_id(sighting)) for sighting in _alone(unit)]
    return found


def say(units: Iterable[Unit], people: People, seen: Collection[EventKey], as_of: AsOf) -> Said:
    """Ids depend on what was sent alone: the same unit again says the same, and what is in `seen` says nothing.

    Records of people go before the event they follow from: whoever reads of an incident can know its victims.
    """
    said, passed = Said(), set(seen)

    def is_new(key: EventKey) -> bool:
        if key in passed:
            return False
        passed.add(key)
        said.keys.append(key)
        return True

    for unit in units:
        before = len(said.keys)
        if unit.reject and is_new((SOURCE, _reject_id(unit.reject))):
            said.messages.append((Topic.INTAKE_REJECTS, dead_letter(unit.reject)))
        facts = [fact for fact in unit.facts if is_new((SOURCE, _facts_id(unit, fact)))]
        for sighting in _alone(unit):
            is_new((SOURCE, _sighting_id(sighting)))
        for event in unit.events:
            about = [fact for fact in facts if fact.offender_id == event.subject]
            facts = [fact for fact in facts if fact.offender_id != event.subject]
            if is_new((event.source, event.id)):
                goes_on = not (
                    isinstance(event.data, OffenderDescribed | VictimsDescribed) or people.already_one(event.data)
                )
                records = people.apply(event, about)
                said.messages += [_message(_record(event, data), as_of, event) for data in records]
                if goes_on:
                    said.messages.append(_message(event, as_of, event))
            else:
                said.repeated += 1
                said.messages += [
                    _message(_record(event, data, _facts_id(unit, fact)), as_of, event)
                    for fact in about
                    for data in people.learn([fact], event)
                ]
        if len(said.keys) > before:
            said.fresh.append(unit)
    return said


def _alone(unit: Unit) -> tuple[Sighting, ...]:
    """Sightings that no event came with: each is news once, of itself."""
    return () if unit.events else unit.sightings


def _sighting_id(seen: Sighting) -> str:
    content = "|".join(str(getattr(each, name)) for each in (seen, seen.known) for name in each.__slots__)
    return deterministic_id("sighting", seen.offender_id, hashlib.sha256(content.encode()).hexdigest())


def _facts_id(unit: Unit, fact: Facts) -> str:
    causes = [event.id for event in unit.events if event.subject == fact.offender_id]
    content = "|".join(str(getattr(fact, name)) for name in fact.__slots__)
    return deterministic_id("facts", *causes, hashlib.sha256(content.encode()).hexdigest())


def _record(cause: Event[Data], data: Data, *parts: str) -> Event[Data]:
    """Its id is that of its cause, not of its content: a record that returns to what it was is news all the same.

    It stays on its topic: only of his victims it says from which incident it is, and never what was expunged.
    """
    topic = topic_of(data.TYPE)
    subject = str(getattr(data, "offender_id", cause.subject))
    says_why = topic is Topic.VICTIMS and not isinstance(cause.data, IncidentExpunged)
    return Event(
        id=deterministic_id(data.TYPE, cause.source, cause.id, subject, *parts),
        source=SOURCE,
        subject=subject,
        time=cause.time,
        data=data,
        dataclassification=topic.classification,
        correlationid=cause.correlationid if says_why else None,
        causationid=cause.id if says_why else None,
    )


def recorded(event: Event[Data], as_of: AsOf, cause: Event[Data]) -> Event[Data]:
    """With the record time asked for, whatever a sender put there: that time is ours to give."""
    reported = getattr(cause.data, "reported_at", cause.time) if as_of is AsOf.REPORTED else None
    return replace(event, recordedtime=reported, dataclassification=topic_of(event.type).classification)


def _message(event: Event[Data], as_of: AsOf, cause: Event[Data]) -> tuple[Topic, Message]:
    message = encode(recorded(event, as_of, cause))
    if isinstance(event.data, VictimsDescribed):
        if not event.data.victims:
            # No victims left: a tombstone, so that compaction takes the last record away too.
            message = replace(message, value=None)
        elif len(message.value or b"") > _MOST_BYTES:
            # What the topic would not take would stop all that comes after it: the newest are kept.
            newest = event.data.victims[len(event.data.victims) // 4 or 1 :]
            data = event.data.model_copy(update={"victims": newest})
            return _message(replace(event, data=data), as_of, cause)
    return topic_of(event.type), message


def _reject_id(reject: Reject) -> str:
    content = hashlib.sha256(reject.raw).hexdigest()
    return deterministic_id("rejected", reject.file, reject.line, reject.code, content)


def dead_letter(reject: Reject) -> Message:
    """Its value is what came, cut off only where the topic could not take it."""
    headers = {
        "ce_specversion": "1.0",
        "ce_type": REJECTED_TYPE,
        "ce_source": SOURCE,
        "ce_id": _reject_id(reject),
        "reject-code": str(reject.code),
        "reject-field": reject.field or "",
        "reject-file": reject.file,
        "reject-line": str(reject.line),
        "reject-mend": reject.mend,
    }
    value = reject.raw[:KEPT]
    if len(value) < reject.size:
        headers["reject-cut-from"] = str(reject.size)
    # Whose record it was cannot be told; its id as key keeps a repeat on the same partition.
    return Message(headers["ce_id"].encode(), value, tuple((name, text.encode()) for name, text in headers.items()))
