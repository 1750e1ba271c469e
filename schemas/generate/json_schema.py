"""JSON Schemas as readers use them: open for fields they do not know. Writers use the models, which are strict."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from schemas.envelope import Classification, Data

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


class _Quiet(GenerateJsonSchema):
    """Without a title on every field, which only repeats its name."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def data_schema(model: type[Data]) -> Schema:
    """Of the `data` of one event type."""
    made = model.model_json_schema(by_alias=True, schema_generator=_Quiet)
    return {"$schema": DIALECT, "$id": f"urn:ipvi:schema:{model.TYPE}", **_opened(made)}


def envelope_schema() -> Schema:
    """Of the CloudEvents attributes, common to all types; `data` has the schema of its type."""
    text, time = {"type": "string", "minLength": 1}, {"type": "string", "format": "date-time"}
    attributes: dict[str, Schema] = {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": text | {"description": "With `source` the identity of the event: the same again is ignored."},
        "source": text | {"description": "Who says so: `/agencies/<ORI>`, or the service."},
        "type": text | {"description": "What `data` is; which types a topic carries stands in `topics/*.yaml`."},
        "subject": text | {"description": "The offender_id; of a tick or heartbeat the lane's number."},
        "time": time | {"description": "When it happened, as the source reported it."},
        "datacontenttype": {"type": "string", "enum": ["application/json"]},
        "dataclassification": {"type": "string", "enum": [str(each) for each in Classification]},
        "recordedtime": time | {"description": "When this system recorded it; absent: the broker's time stamp."},
        "correlationid": text
        | {"description": "The incident: its number as far as the classifier, from there on the opaque pair."},
        "causationid": text | {"description": "The id of the event that caused this one."},
        "data": {"type": "object"},
    }
    return {
        "$schema": DIALECT,
        "$id": "urn:ipvi:schema:envelope",
        "title": "Event",
        "description": "A CloudEvents 1.0 event in structured mode. In Kafka's binary mode each attribute is a "
        "`ce_` header and `data` the value.",
        "type": "object",
        "properties": attributes,
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
    }


def rendered(schema: Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _opened(schema: Any) -> Any:
    """Without `additionalProperties`, and with docstrings on one line."""
    if isinstance(schema, list):
        return [_opened(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: " ".join(each.split()) if name == "description" and isinstance(each, str) else _opened(each)
        for name, each in schema.items()
        if name != "additionalProperties"
    }
