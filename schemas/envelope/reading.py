"""Events from Kafka and from files: strict types, and a code for whatever is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

import orjson
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from pydantic import ValidationError

from schemas.envelope.data import D, Data, model_of
from schemas.envelope.event import Classification, Event, Message
from schemas.envelope.moments import has_utc
from schemas.envelope.writing import FORMAT
from schemas.rejects import InvalidRecord, RejectCode
from schemas.sharing import shared

_STRUCTURED = b"application/cloudevents+json"
_UTF8_BOM = b"\xef\xbb\xbf"


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
            KafkaMessage(headers, None, body), FORMAT, lambda attributes, data: cast(BaseCloudEvent, _Bag(attributes))
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
    model = model_of(attributes["type"])
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
