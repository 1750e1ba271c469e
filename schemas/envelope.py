"""CloudEvents 1.0, as this system writes and reads them.

Kafka: binary mode out (`ce_*` headers, JSON value), binary and structured mode in. Files: structured mode, one event a
line. Writers are strict (an unknown field cannot be written), readers are open (an unknown field is passed over).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast

import orjson
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, ValidationError
from pydantic_core import PydanticCustomError

from schemas.rejects import InvalidRecord, RejectCode
from schemas.sharing import shared

_ROOT = uuid.uuid5(uuid.NAMESPACE_URL, "urn:ipvi")
_STRUCTURED = b"application/cloudevents+json"
_UTF8_BOM = b"\xef\xbb\xbf"


def deterministic_id(*parts: object) -> str:
    """UUIDv5 of what caused a thing, so that the same cause gives the same id after any crash or repeat."""
    return str(uuid.uuid5(_ROOT, "|".join(str(part) for part in parts)))


def pair_id(incident_id: str, offender_id: str) -> str:
    """The identity of one offender's part in one incident; opaque, so it may stand where the incident may not."""
    return deterministic_id("pair", incident_id, offender_id)


def referral_id(pair: str, victim_no: int) -> str:
    """The identity of one victim's referral within a pair; the same over all revisions of the incident."""
    return deterministic_id("referral", pair, victim_no)


def rfc3339(moment: datetime) -> str:
    """UTC, `Z`, microseconds only where there are any: one spelling, so that canonical JSON is canonical."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def has_utc(moment: datetime) -> datetime:
    """Refuses a moment in the first or last hours of the calendar that has no form in UTC: nobody could write it down."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_range", "has no form in UTC") from None
    return moment


Timestamp = Annotated[
    AwareDatetime, AfterValidator(has_utc), PlainSerializer(rfc3339, return_type=str, when_used="json")
]


class Classification(StrEnum):
    """Who may read; the grain of access is the topic."""

    SHARED = "shared"
    INTERNAL = "internal"
    RESTRICTED = "restricted"


class Data(BaseModel):
    """The `data` of one event type. Frozen and strict: built by keyword, or read by `read`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    TYPE: ClassVar[str] = ""

    def canonical(self) -> bytes:
        """JSON with sorted keys and defaults filled in: equal content has equal bytes."""
        return orjson.dumps(orjson.loads(self.model_dump_json(by_alias=True)), option=orjson.OPT_SORT_KEYS)


D = TypeVar("D", bound=Data)
D_co = TypeVar("D_co", bound=Data, covariant=True)

_TYPES: dict[str, type[Data]] = {}


def event_type(name: str) -> Callable[[type[D]], type[D]]:
    """Register a model as the data of the CloudEvents type `name`."""

    def register(model: type[D]) -> type[D]:
        model.TYPE = name
        _TYPES[name] = model
        return model

    return register


def event_types() -> dict[str, type[Data]]:
    """Every registered type and its model, by name."""
    import schemas.catalogue  # noqa: F401 (imports every module of models; here to break the circle)

    return dict(sorted(_TYPES.items()))  # whoever was imported first


@lru_cache(256)
def _model_of(name: str) -> type[Data] | None:
    """For every record: without the order. Partners' copies can be read; they stand on no topic of this system."""
    import schemas.catalogue  # noqa: F401 (as above)
    from schemas.partner import partner_types

    return _TYPES.get(name) or partner_types().get(name)


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


class _DataAsBytes(JSONFormat):
    """Leaves the JSON of `data` to pydantic, which reads it strictly and says which field is wrong."""

    def read_data(self, body: bytes, datacontenttype: str | None) -> bytes:
        return body

    def write_data(self, data: Any, datacontenttype: str | None) -> bytes:
        return cast(bytes, data)


_FORMAT = _DataAsBytes()


def routing_key(event: Event[Data]) -> str:
    """The Kafka key: the offender in whose lane the event takes effect (a merge starts in the merged one's lane)."""
    return getattr(event.data, "merged_offender_id", None) or event.subject if _is_merge(event) else event.subject


def _is_merge(event: Event[Data]) -> bool:
    return event.type == "ipvi.offender.merged.v1"


def encode(event: Event[Data]) -> Message:
    """Binary mode."""
    body = event.data.model_dump_json(by_alias=True).encode()
    message = to_binary(CloudEvent(event.attributes(), body), _FORMAT)
    return Message(routing_key(event).encode(), message.value, tuple(message.headers.items()))


def to_json_line(event: Event[Data]) -> bytes:
    """Structured mode, one line, for files."""
    attributes = event.attributes()
    attributes["time"] = rfc3339(event.time)
    return orjson.dumps({**attributes, "data": event.data.model_dump(mode="json", by_alias=True)})


def decode(message: Message) -> Event[Data]:
    """Either mode. Raises `InvalidRecord` with a code, the field and the mend, never a value."""
    event = _decoded(message)
    shared(event.data)  # a lane may keep it
    return event


def _decoded(message: Message) -> Event[Data]:
    headers = _headers(message.headers)
    if message.value is None:
        raise InvalidRecord(RejectCode.EMPTY_VALUE)
    if any(name.startswith("ce_") for name in headers):
        return _build(_binary(headers, message.value), message.value)
    return from_json_line(message.value)


def from_json_line(line: bytes) -> Event[Data]:
    """Structured mode. Raises `InvalidRecord`."""
    try:
        text = line.removeprefix(_UTF8_BOM).decode()
    except UnicodeDecodeError:
        raise InvalidRecord(RejectCode.NOT_UTF8) from None
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidRecord(RejectCode.BROKEN_JSON) from None
    if not isinstance(whole, dict):
        raise InvalidRecord(RejectCode.NOT_AN_EVENT)
    if "data" not in whole:
        raise InvalidRecord(RejectCode.MISSING_FIELD, "data")
    body = json_again(whole.pop("data"))
    for name, value in whole.items():
        if not isinstance(value, str):
            raise InvalidRecord(RejectCode.WRONG_TYPE, name if name in _KNOWN else "attribute")
    return _build(whole, body)


def json_again(found: Any) -> bytes:
    """What was read from JSON, as JSON. Raises `InvalidRecord`: orjson reads nesting of 1,024 levels, and writes 254."""
    try:
        return orjson.dumps(found)
    except orjson.JSONEncodeError:
        raise InvalidRecord(RejectCode.BROKEN_JSON, "data") from None


def _headers(pairs: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """CloudEvents' own headers; others (tracing, registries') may hold any bytes and say nothing of the event."""
    named = ((name.lower(), value or b"") for name, value in pairs)
    return {name: value for name, value in named if name.startswith("ce_") or name == "content-type"}


def _binary(headers: dict[str, bytes], body: bytes) -> dict[str, Any]:
    if headers.get("content-type", b"application/json").split(b";")[0].strip() == _STRUCTURED:
        raise InvalidRecord(RejectCode.NOT_AN_EVENT)
    try:
        event: BaseCloudEvent = from_binary(
            KafkaMessage(headers, None, body), _FORMAT, lambda attributes, data: cast(BaseCloudEvent, _Bag(attributes))
        )
    except UnicodeDecodeError:
        raise InvalidRecord(RejectCode.HEADER_NOT_UTF8) from None
    except ValueError:
        raise InvalidRecord(RejectCode.BAD_TIME, "time") from None
    return event.get_attributes()


class _Bag:
    """Attributes as read, checked by `_build`, whose errors name field and mend."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self._attributes = attributes

    def get_attributes(self) -> dict[str, Any]:
        return self._attributes


MAX_ATTRIBUTE = 300
"""Characters of any context attribute."""

_REQUIRED = ("specversion", "id", "source", "type", "subject", "time")
_KNOWN = {*_REQUIRED, "recordedtime", "correlationid", "causationid", "dataclassification", "datacontenttype"}


def _build(attributes: dict[str, Any], body: bytes) -> Event[Data]:
    for name in _REQUIRED:
        if not attributes.get(name):
            raise InvalidRecord(RejectCode.MISSING_FIELD, name)
    for name, value in attributes.items():
        if name in _KNOWN and isinstance(value, str) and not _is_line(value):
            raise InvalidRecord(RejectCode.OUT_OF_RANGE, name)
    if attributes["specversion"] != "1.0":
        raise InvalidRecord(RejectCode.NOT_AN_EVENT, "specversion")
    model = _model_of(attributes["type"])
    if model is None:
        raise InvalidRecord(RejectCode.UNKNOWN_TYPE, "type")
    try:
        classification = Classification(attributes.get("dataclassification", Classification.RESTRICTED))
    except ValueError:
        raise InvalidRecord(RejectCode.UNKNOWN_CODE, "dataclassification") from None
    recorded = attributes.get("recordedtime")
    return Event(
        id=attributes["id"],
        source=attributes["source"],
        subject=attributes["subject"],
        time=_moment(attributes["time"], "time"),
        recordedtime=_moment(recorded, "recordedtime") if recorded else None,
        correlationid=attributes.get("correlationid"),
        causationid=attributes.get("causationid"),
        dataclassification=classification,
        data=read(model, body),
    )


_CONTROL = re.compile(r"[\x00-\x1f]")


def _is_line(text: str) -> bool:
    return len(text) <= MAX_ATTRIBUTE and _CONTROL.search(text) is None


def _moment(value: Any, field: str) -> datetime:
    try:
        moment = has_utc(value if isinstance(value, datetime) else datetime.fromisoformat(value))
    except (TypeError, ValueError):
        raise InvalidRecord(RejectCode.BAD_TIME, field) from None
    if moment.tzinfo is None:
        raise InvalidRecord(RejectCode.BAD_TIME, field)
    return moment


_NUL = rb"\u0000"
"""Good JSON that no PostgreSQL text can hold: taken in, it would stop its lane for good."""

_CODES = {
    "missing": RejectCode.MISSING_FIELD,
    "enum": RejectCode.UNKNOWN_CODE,
    "literal_error": RejectCode.UNKNOWN_CODE,
    "json_invalid": RejectCode.BROKEN_JSON,
    "greater_than_equal": RejectCode.OUT_OF_RANGE,
    "less_than_equal": RejectCode.OUT_OF_RANGE,
    "too_short": RejectCode.OUT_OF_RANGE,
    "too_long": RejectCode.OUT_OF_RANGE,
    "string_too_short": RejectCode.OUT_OF_RANGE,
    "string_too_long": RejectCode.OUT_OF_RANGE,
    "string_pattern_mismatch": RejectCode.BAD_FORMAT,
    "value_error": RejectCode.BAD_FORMAT,
    "timezone_aware": RejectCode.BAD_TIME,
}


def read(model: type[D], body: bytes) -> D:
    """`data` from JSON: strict types, unknown fields passed over. Raises `InvalidRecord` for the first wrong field."""
    try:
        body.decode()
    except UnicodeDecodeError:
        raise InvalidRecord(RejectCode.NOT_UTF8) from None
    if _NUL in body:
        raise InvalidRecord(RejectCode.BAD_FORMAT, "data")
    try:
        return model.model_validate_json(body, strict=True, extra="ignore")
    except ValidationError as failed:
        first = failed.errors(include_input=False, include_url=False, include_context=False)[0]
        kind = first["type"]
        code = _CODES.get(kind, RejectCode.BAD_TIME if kind.startswith(("datetime", "date")) else RejectCode.WRONG_TYPE)
        # Only names the model declares are shown: a key of the sender's own choosing could itself be personal data.
        raise InvalidRecord(code, ".".join(str(part) for part in first["loc"]) or "data") from None
