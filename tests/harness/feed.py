"""Invented incidents as CloudEvents lines, and a sink that keeps what it is given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from schemas.envelope import Data, Event
from schemas.topics import Topic
from services.intake.domain import Reject

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
    """A sink in memory."""

    events: list[Event[Data]] = field(default_factory=list)
    records: list[Event[Data]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    async def event(self, topic: Topic, event: Event[Data]) -> None:
        self.events.append(event)

    async def record(self, topic: Topic, event: Event[Data]) -> None:
        self.records.append(event)

    async def reject(self, reject: Reject) -> None:
        self.rejects.append(reject)
