"""What a batch did: everything that step 4 writes and step 5 publishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from aiokafka import ConsumerRecord

from schemas.commands import CallInCommand, PersonCommand
from schemas.envelope import Data
from schemas.rejects import InvalidRecord
from services.common.clock import period_of
from services.common.columns import kept_headers
from services.common.positions import LaneRow
from services.common.producer import JournalRow
from services.common.records import Outbound, Parsed, broker_time, content_digest
from services.common.service import Redaction

S = TypeVar("S")


@dataclass(slots=True)
class Worked(Generic[S]):
    """Grows with each decision; `row` is the lane's own, as it stands after the last."""

    row: LaneRow
    changed: dict[str, tuple[S, S]] = field(default_factory=dict)
    """State before the batch, and now, of each offender it changed."""
    journal: list[JournalRow] = field(default_factory=list)
    inbox: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    parked: list[dict[str, Any]] = field(default_factory=list)
    unparked: list[tuple[str, int]] = field(default_factory=list)
    """Offender and place of what had been parked and is worked now."""
    erase: list[str] = field(default_factory=list)
    redact: list[Redaction] = field(default_factory=list)
    lane_record: Data | None = None
    """A record that spoke to the lane: a batch of its own."""
    done: int = 0
    """How many records of the batch, from its start, are worked."""
    failed: Exception | None = None
    """Why the record after those could not be decided."""
    overslept: list[Exception] = field(default_factory=list)
    """What went wrong with single offenders on a tick; the others had theirs, these are due again at the next."""
    still_failing: list[Exception] = field(default_factory=list)
    """Why a parked offender stays parked."""

    def say(self, cause: ConsumerRecord, outs: Iterable[Outbound]) -> None:
        """`outs` follow from `cause`: they go to Kafka with its offset."""
        for out in outs:
            seq = self.row.journal_next
            self.journal.append(
                JournalRow(
                    seq,
                    cause.topic,
                    cause.offset,
                    out.topic,
                    out.partition,
                    out.message.key,
                    out.message.value,
                    out.message.headers,
                    out.about,
                    out.subject,
                )
            )
            self.row = replace(self.row, journal_next=seq + 1)

    def note(self, parsed: Parsed, lane: int, outcome: str, about: str | None) -> None:
        """The event took effect: a repeat of it will not, and who sent it can be told what came of it."""
        event = parsed.event
        assert event is not None
        by_form = isinstance(event.data, PersonCommand | CallInCommand)
        self.inbox.append(
            {
                "source": event.source,
                "id": event.id,
                "lane": lane,
                "topic": parsed.record.topic,
                "offset": parsed.record.offset,
                "outcome": outcome,
                "digest": content_digest(parsed.record.value) if by_form else None,
                "about": about,
            }
        )

    def reject(self, record: ConsumerRecord, invalid: InvalidRecord) -> None:
        """An index of what can never be applied; its bytes are in the dead letter."""
        self.rejects.append(
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "code": str(invalid.code),
                "field": invalid.field,
                "at": broker_time(record),
            }
        )

    def set_aside(self, parsed: Parsed, lane: int, place: int) -> None:
        """The record waits, with its parked offender."""
        record = parsed.record
        self.parked.append(
            {
                "key": parsed.key,
                "place": place,
                "lane": lane,
                "topic": record.topic,
                "offset": record.offset,
                "value": record.value,
                "headers": kept_headers(record.headers),
                "at": broker_time(record),
            }
        )

    def count(self, name: str, now: datetime) -> None:
        """One more of `name` in the minute of `now`; what is older than an hour is forgotten."""
        counted = _last_hour(self.row.counted, now)
        minutes, minute = counted.get(name, {}), str(period_of(now))
        counted[name] = {**minutes, minute: minutes.get(minute, 0) + 1}
        self.row = replace(self.row, counted=counted)


def counts(row: LaneRow, now: datetime) -> dict[str, int]:
    """How often each name was counted in the hour before `now`."""
    return {name: sum(minutes.values()) for name, minutes in _last_hour(row.counted, now).items()}


def _last_hour(counted: Mapping[str, Mapping[str, int]], now: datetime) -> dict[str, Mapping[str, int]]:
    since = period_of(now) - 60
    return {name: {at: n for at, n in minutes.items() if int(at) > since} for name, minutes in counted.items()}
