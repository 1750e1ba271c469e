"""Events to Kafka and to files; CloudEvents' own format takes the JSON of `data` as bytes."""

from __future__ import annotations

from typing import Any, cast

import orjson
from cloudevents.core.bindings.kafka import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.envelope.data import Data
from schemas.envelope.event import Event, Message, routing_key
from schemas.envelope.moments import rfc3339


class _DataAsBytes(JSONFormat):
    """Leaves the JSON of `data` to pydantic, which reads it strictly and says which field is wrong."""

    def read_data(self, body: bytes, datacontenttype: str | None) -> bytes:
        return body

    def write_data(self, data: Any, datacontenttype: str | None) -> bytes:
        return cast(bytes, data)


FORMAT = _DataAsBytes()


def encode(event: Event[Data]) -> Message:
    """Binary mode."""
    body = event.data.model_dump_json(by_alias=True).encode()
    message = to_binary(CloudEvent(event.attributes(), body), FORMAT)
    return Message(routing_key(event).encode(), message.value, tuple(message.headers.items()))


def to_json_line(event: Event[Data]) -> bytes:
    """Structured mode, one line, for files."""
    attributes = event.attributes()
    attributes["time"] = rfc3339(event.time)
    return orjson.dumps({**attributes, "data": event.data.model_dump(mode="json", by_alias=True)})
