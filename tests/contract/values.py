"""Values that a JSON Schema of ours allows, over exactly the keywords our models emit."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

import orjson
from hypothesis import strategies as st

from schemas.envelope import Data, Event, event_types, read
from schemas.generate.json_schema import Schema, data_schema
from schemas.topics import Topic, spec

TOPIC_OF = {event_type: topic for topic in Topic for event_type in spec(topic).types}
_TEXT = st.characters(codec="utf-8", exclude_characters="\0")
_LINE = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
_MOMENTS = st.datetimes(timezones=st.just(UTC))


def data_of(event_type: str) -> st.SearchStrategy[Any]:
    """JSON values of one type's `data`, optional fields sometimes absent."""
    return values_of(data_schema(event_types()[event_type]))


def values_of(schema: Schema) -> st.SearchStrategy[Any]:
    """JSON values that a schema allows, optional fields sometimes absent."""
    return _value(schema, schema.get("$defs", {}))


@st.composite
def events(draw: st.DrawFn) -> Event[Data]:
    """Any event of the contract."""
    event_type = draw(st.sampled_from(sorted(event_types())))
    word = st.text(_LINE, min_size=1, max_size=40)
    return Event(
        id=draw(word),
        source=draw(word),
        subject=draw(word),
        time=draw(_MOMENTS),
        recordedtime=draw(st.none() | _MOMENTS),
        correlationid=draw(st.none() | word),
        causationid=draw(st.none() | word),
        dataclassification=TOPIC_OF[event_type].classification,
        data=read(event_types()[event_type], orjson.dumps(draw(data_of(event_type)))),
    )


def _value(schema: Schema, definitions: dict[str, Schema]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    if "anyOf" in schema:
        return st.one_of(*(_value(each, definitions) for each in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum", 2**53))
        case "string":
            return _string(schema)
        case "array":
            return st.lists(_value(schema["items"], definitions), min_size=schema.get("minItems", 0), max_size=3)
        case _:
            return _object(schema, definitions)


def _string(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 300)
        return st.from_regex(schema["pattern"], fullmatch=True, alphabet=_TEXT).filter(
            lambda text: shortest <= len(text) <= longest
        )
    match schema.get("format"):
        case "date":
            return st.dates(min_value=date(1900, 1, 1)).map(date.isoformat)
        case "date-time":
            return _MOMENTS.map(lambda moment: moment.isoformat())
        case _:
            return st.text(_TEXT, min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 30))


def _object(schema: Schema, definitions: dict[str, Schema]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: _value(field, definitions) for name, field in schema.get("properties", {}).items()}
    required = set(schema.get("required", []))
    return st.fixed_dictionaries(
        {name: value for name, value in fields.items() if name in required},
        optional={name: value for name, value in fields.items() if name not in required},
    )
