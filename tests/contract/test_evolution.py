"""The net under every change of a model: what a reader with the new schema makes of old records, and the reverse."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from schemas.envelope import event_types
from schemas.generate import JSON_SCHEMAS, __main__
from schemas.generate.evolution import UnknownKeywordError, breaks
from schemas.generate.json_schema import data_schema

Schema = dict[str, Any]
Change = Callable[[Schema], None]

BASE: Schema = {
    "title": "Thing",
    "type": "object",
    "$defs": {
        "Colour": {"type": "string", "enum": ["red", "green"]},
        "Part": {"type": "object", "properties": {"no": {"type": "integer", "minimum": 1}}, "required": ["no"]},
    },
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 20},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "at": {"type": "string", "format": "date-time"},
        "code": {"type": "string", "pattern": "^[A-Z]+$"},
        "colour": {"$ref": "#/$defs/Colour"},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 1},
    },
    "required": ["name", "colour", "parts"],
}


def changed(*changes: Change) -> Schema:
    new = copy.deepcopy(BASE)
    for change in changes:
        change(new)
    return new


def field(name: str, **keywords: Any) -> Change:
    return lambda schema: schema["properties"].setdefault(name, {}).update(keywords)


def required(*names: str) -> Change:
    return lambda schema: schema.update(required=list(names))


def colours(*codes: str) -> Change:
    return lambda schema: schema["$defs"]["Colour"].update(enum=list(codes))


def without(name: str) -> Change:
    return lambda schema: schema["properties"].pop(name)


def part(**keywords: Any) -> Change:
    return lambda schema: schema["$defs"]["Part"]["properties"]["no"].update(keywords)


HARMLESS = {
    "nothing": changed(),
    "another wording": changed(field("name", description="What it is called.")),
    "a new optional field": changed(field("size", type="integer", default=0)),
    "an optional field less": changed(without("note")),
}
STOPS_NEW_READERS = {
    "a code less": (changed(colours("red")), "codes are written that the reader does not know"),
    "optional becomes required": (changed(required("name", "colour", "parts", "at")), "must be there"),
    "a new required field": (
        changed(field("size", type="integer"), required(*BASE["required"], "size")),
        "must be there",
    ),
    "null no longer allowed": (changed(field("note", anyOf=[{"type": "string"}])), "null is written"),
    "a shorter text": (changed(field("name", maxLength=10)), "maxLength is 10"),
    "a longer least text": (changed(field("name", minLength=2)), "minLength is 2"),
    "a higher floor, deep inside": (changed(part(minimum=2)), "minimum is 2"),
    "a new ceiling": (changed(part(maximum=9)), "maximum is 9"),
    "more items": (changed(field("parts", minItems=2)), "minItems is 2"),
    "a list for free text": (changed(field("name", enum=["a"])), "codes are written"),
}
STOPS_OLD_READERS = {
    "a code more": (changed(colours("red", "green", "blue")), "codes are written that the reader does not know"),
    "required becomes optional": (changed(required("name", "parts")), "must be there"),
    "null newly allowed": (changed(field("at", type="null")), "null is written"),
    "a longer text": (changed(field("name", maxLength=30)), "maxLength is 20"),
    "free text for a list": (changed(lambda schema: schema["$defs"]["Colour"].pop("enum")), "codes are written"),
    "a required field gone": (changed(without("name"), required("colour", "parts")), "must be there"),
}
STOPS_BOTH = {
    "another type": changed(field("name", type="integer")),
    "another format": changed(field("at", format="date")),
    "another pattern": changed(field("code", pattern="^[a-z]+$")),
    "another default": changed(field("note", default="")),
}


@pytest.mark.parametrize("new", HARMLESS.values(), ids=HARMLESS.keys())
def test_harmless(new: Schema) -> None:
    assert breaks(new, BASE) == breaks(BASE, new) == []


@pytest.mark.parametrize(("new", "reason"), STOPS_NEW_READERS.values(), ids=STOPS_NEW_READERS.keys())
def test_stops_new_readers(new: Schema, reason: str) -> None:
    (found,) = breaks(new, BASE)
    assert reason in found


@pytest.mark.parametrize(("new", "reason"), STOPS_OLD_READERS.values(), ids=STOPS_OLD_READERS.keys())
def test_stops_old_readers(new: Schema, reason: str) -> None:
    (found,) = breaks(BASE, new)
    assert reason in found


@pytest.mark.parametrize("new", STOPS_BOTH.values(), ids=STOPS_BOTH.keys())
def test_stops_both(new: Schema) -> None:
    assert breaks(new, BASE)
    assert breaks(BASE, new)


@pytest.mark.parametrize("schema", [changed(field("name", const="x")), changed(part(multipleOf=2))])
def test_what_cannot_be_judged_fails(schema: Schema) -> None:
    with pytest.raises(UnknownKeywordError):
        breaks(schema, BASE)
    with pytest.raises(UnknownKeywordError):
        breaks(BASE, schema)


@pytest.mark.parametrize("event_type", sorted(event_types()))
def test_every_schema_of_ours_can_be_judged(event_type: str) -> None:
    schema = data_schema(event_types()[event_type])
    assert breaks(schema, schema) == []


def test_the_generator_refuses_what_leaves_readers_behind() -> None:
    path = JSON_SCHEMAS / "ipvi.gate.changed.v1.schema.json"
    narrowed, widened = (json.loads(path.read_text("utf-8")) for _ in range(2))
    narrowed["$defs"]["GateState"]["enum"] = ["shut"]
    widened["$defs"]["GateState"]["enum"] = ["shut", "clear", "ajar"]

    def refused(new: Schema, *, readers_first: bool) -> list[str]:
        return __main__.refusals([path], {path: json.dumps(new)}, [], readers_first=readers_first)

    assert refused(narrowed, readers_first=True)
    assert refused(widened, readers_first=False)
    assert not refused(widened, readers_first=True)
    assert __main__.refusals([], {}, [path], readers_first=True)
