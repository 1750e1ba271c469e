"""Invented incidents as CloudEvents lines, and a sink that keeps what it is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from schemas.envelope import Data, Event, Message, decode
from schemas.person import ended
from schemas.topics import Topic
from services.common.seal import sealer
from services.intake.domain import AsOf, Reject, Unit
from services.intake.people import People
from services.intake.saying import SOURCE as SAID
from services.intake.saying import say

seal = sealer(b"a key of these tests")
ORI = "ZZ0010000"
SOURCE = f"/agencies/{ORI}"


def incident(who: str = "O1", number: str = "25-001", **data: Any) -> dict[str, Any]:
    """An uncharged assault of a girlfriend, `data` in place of what is given here."""
    return {
        "incident_id": f"{ORI}:{number}",
        "revision": 1,
        "agency": ORI,
        "occurred_at": "2025-01-10T20:00:00Z",
        "reported_at": "2025-01-10T22:00:00Z",
        "offender": {"offender_id": who},
        "victims": [{"victim_no": 1, "victim_id": "V1", "relationship": "BG", "offenses": ["13B"]}],
        "offenses": [{"code": "13B", "charged": False}],
        **data,
    }


def envelope(data: dict[str, Any], kind: str = "ipvi.incident.reported.v1", **attributes: Any) -> dict[str, Any]:
    """The event around it, about the offender of its data; ids count up by content."""
    subject = data.get("offender", data).get("offender_id", "O1")
    return {
        "specversion": "1.0",
        "id": f"{kind}-{crc32(json.dumps(data, sort_keys=True).encode())}",
        "source": SOURCE,
        "type": kind,
        "subject": subject,
        "time": "2025-01-10T22:00:00Z",
        "data": data,
        **attributes,
    }


def line(data: dict[str, Any], kind: str = "ipvi.incident.reported.v1", **attributes: Any) -> bytes:
    return json.dumps(envelope(data, kind, **attributes)).encode()


@dataclass
class Kept:
    """A sink in memory, with people of its own."""

    as_of: AsOf = AsOf.NOW
    events: list[Event[Data]] = field(default_factory=list)
    records: list[Event[Data]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    people: People = field(default_factory=lambda: People({}, seal), compare=False)

    async def take(self, units: Sequence[Unit]) -> None:
        said = say(units, self.people, self.seen, self.as_of)
        self.seen |= set(said.keys)
        self.rejects += [unit.reject for unit in units if unit.reject]
        for topic, message in said.messages:
            if topic is Topic.INTAKE_REJECTS:
                continue
            event = decode(message if message.value is not None else _ended(message, topic))
            (self.records if event.source == SAID else self.events).append(event)

    async def finish(self) -> None:
        """Everything is here."""


def _ended(message: Message, topic: Topic) -> Message:
    assert message.key is not None
    return replace(message, value=ended(topic, message.key.decode()).model_dump_json().encode())
