"""Step 2: from a Kafka record to an event, or to the reason why not; and back to the bytes of a journal row."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import ConsumerRecord
from aiokafka.partitioner import murmur2

from schemas.commands import RetryParked
from schemas.envelope import Data, Event, Message, decode, encode, routing_key
from schemas.person import ended
from schemas.rejects import MENDS, REJECTED_TYPE, InvalidRecord, RejectCode
from schemas.topics import Topic, allowed
from services.common.service import Outgoing

_MAX_OFFENDING_HEADERS = 50
STUB = "erased"
"""Header of a record whose data was expunged before it went out: it has an id and no value, and means nothing."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record with its event, or with what is wrong with it. `at` is its record time."""

    record: ConsumerRecord
    at: datetime
    event: Event[Data] | None = None
    invalid: InvalidRecord | None = None

    @property
    def key(self) -> str:
        """The offender in whose state it takes effect."""
        return str(self.record.key.decode())

    @property
    def is_stub(self) -> bool:
        """Nothing but the place of what was expunged; to be passed over."""
        return self.record.value is None and any(name == STUB for name, _ in self.record.headers)

    @property
    def is_for_lane(self) -> bool:
        """Ticks and heartbeats speak to the lane, whatever its offenders."""
        return self.event is not None and "lane" in type(self.event.data).model_fields

    @property
    def is_retry(self) -> bool:
        """Asks for what was set aside for its offender."""
        return self.event is not None and isinstance(self.event.data, RetryParked)


def broker_time(record: ConsumerRecord) -> datetime:
    """The time stamp the broker gave (`LogAppendTime` on every topic)."""
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


def content_digest(value: bytes | None) -> str:
    """By which a form that is sent again is known to say the same."""
    return hashlib.sha256(value or b"").hexdigest()


def parse(record: ConsumerRecord) -> Parsed:
    """Never raises: what cannot be read or is not allowed here carries the reason."""
    stamp = broker_time(record)
    try:
        event = _parse(record)
    except InvalidRecord as invalid:
        return Parsed(record, stamp, invalid=invalid)
    # Whatever a writer says: nothing was recorded after the broker took this, and a lane's clock never goes back.
    return Parsed(record, min(event.recordedtime or stamp, stamp), event)


def _parse(record: ConsumerRecord) -> Event[Data]:
    if record.value is None and Topic(record.topic).is_compacted:
        return _tombstone(record)
    event = decode(Message(record.key, record.value, tuple(record.headers)))
    if not allowed(Topic(record.topic), event.type):
        raise InvalidRecord(RejectCode.NOT_ON_THIS_TOPIC, "type")
    if "lane" in type(event.data).model_fields:
        return event
    key = _key(record)
    said = event.data.__dict__  # for a name that is not there, pydantic's `getattr` costs as much as the rest of this
    if key != routing_key(event) or said.get("offender_id", event.subject) != event.subject:
        raise InvalidRecord(RejectCode.KEY_MISMATCH, "subject")
    nested = said.get("offender")
    if nested is not None and nested.offender_id != event.subject:
        raise InvalidRecord(RejectCode.KEY_MISMATCH, "offender.offender_id")
    return event


def _tombstone(record: ConsumerRecord) -> Event[Data]:
    """A tombstone on a compacted topic, as the empty record it stands for."""
    topic = Topic(record.topic)
    key = _key(record)
    return Event(
        id=f"tombstone-{record.partition}-{record.offset}",
        source=f"/kafka/{record.topic}",
        subject=key,
        time=broker_time(record),
        data=ended(topic, key),
        dataclassification=topic.classification,
    )


def _key(record: ConsumerRecord) -> str:
    if not record.key:
        raise InvalidRecord(RejectCode.MISSING_KEY)
    try:
        return str(record.key.decode())
    except UnicodeDecodeError:
        raise InvalidRecord(RejectCode.KEY_NOT_UTF8) from None


@dataclass(frozen=True, slots=True)
class Outbound:
    """The bytes of one outgoing record and where they go."""

    topic: str
    partition: int
    message: Message
    about: str | None
    subject: str | None = None
    """Whom it speaks of; None: a dead letter, whose key may be anything, or the last word on what is erased."""


def lane_of(key: str, lanes: int) -> int:
    """The partition Kafka's default partitioner (murmur2) gives this key."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % lanes


def outbound(outgoing: Outgoing, lane: int, partitions: int) -> Outbound:
    """Output goes to the lane's own number; what crosses lanes to the partition of its key (murmur2)."""
    message = encode(outgoing.event)
    if outgoing.tombstone:
        message = Message(message.key, None, message.headers)
    partition = lane_of(routing_key(outgoing.event), partitions) if outgoing.other_lane else lane
    subject = None if outgoing.last_word else outgoing.event.subject
    return Outbound(str(outgoing.topic), partition, message, outgoing.about, subject)


def dead_letter(
    record: ConsumerRecord, invalid: InvalidRecord, rejects: Topic, lane: int, about: str | None = None
) -> Outbound:
    """The original bytes as they came; coordinates, code and reason in headers, never a value."""
    reason = {
        "ce_specversion": "1.0",
        "ce_type": REJECTED_TYPE,
        "ce_source": f"/kafka/{record.topic}",
        "ce_id": f"{record.topic}/{record.partition}/{record.offset}",
        "reject-topic": record.topic,
        "reject-partition": str(record.partition),
        "reject-offset": str(record.offset),
        "reject-code": str(invalid.code),
        "reject-field": invalid.field or "",
        "reject-mend": MENDS[invalid.code],
    }
    headers = [(name, value.encode()) for name, value in reason.items()]
    headers += [(f"original-{name}", value or b"") for name, value in record.headers[:_MAX_OFFENDING_HEADERS]]
    return Outbound(str(rejects), lane, Message(record.key, record.value, tuple(headers)), about)
