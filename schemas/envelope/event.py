"""One event, and the message it is on Kafka."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from schemas.envelope.data import Data
from schemas.envelope.moments import rfc3339


class Classification(StrEnum):
    """Who may read; the grain of access is the topic."""

    SHARED = "shared"
    INTERNAL = "internal"
    RESTRICTED = "restricted"


D_co = TypeVar("D_co", bound=Data, covariant=True)


@dataclass(frozen=True, slots=True)
class Event(Generic[D_co]):
    """One CloudEvent. Same `source` and `id`: the same event, whatever its content.

    `time` is as the source reported it; `recordedtime` is when this system recorded it, or None on a record whose broker
    time stamp is to be taken. `correlationid` is the incident (from the classifier on its opaque pair: `docs/decisions/0015`),
    `causationid` the event that caused this one.
    """

    id: str
    source: str
    subject: str
    time: datetime
    data: D_co
    dataclassification: Classification
    recordedtime: datetime | None = None
    correlationid: str | None = None
    causationid: str | None = None

    @property
    def type(self) -> str:
        return self.data.TYPE

    def attributes(self) -> dict[str, Any]:
        """The CloudEvents context attributes, without those that are absent."""
        given: dict[str, Any] = {
            "specversion": "1.0",
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": self.time.astimezone(UTC),
            "datacontenttype": "application/json",
            "dataclassification": str(self.dataclassification),
            "recordedtime": rfc3339(self.recordedtime) if self.recordedtime else None,
            "correlationid": self.correlationid,
            "causationid": self.causationid,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to or comes from Kafka, free of any client library."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def routing_key(event: Event[Data]) -> str:
    """The Kafka key: the offender in whose lane the event takes effect (a merge starts in the merged one's lane)."""
    return getattr(event.data, "merged_offender_id", None) or event.subject if _is_merge(event) else event.subject


def _is_merge(event: Event[Data]) -> bool:
    return event.type == "ipvi.offender.merged.v1"
