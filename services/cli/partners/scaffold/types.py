"""Python types of exactly what one partner is sent, from the contract's JSON Schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.generate.json_schema import Schema, data_schema
from schemas.partner import NOTES, PartnerCopy
from schemas.partner_file import Partner

_SIMPLE = {"string": "str", "boolean": "bool", "null": "None", "integer": "int"}
_FORMATS = {"date-time": "AwareDatetime", "date": "date"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `note`: what it means, or empty; `default`: as Python, or None where it is always there."""

    name: str
    kind: str
    note: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One type of event as this partner has it. `takes_back`: it is a note; `function`: what its handler is called."""

    name: str
    type: str
    doc: str
    fields: Sequence[Field]
    takes_back: bool
    example: Mapping[str, Any]

    @property
    def function(self) -> str:
        return self.type.split(".")[2]


def models(partner: Partner, examples: Mapping[str, Mapping[str, Any]]) -> tuple[list[Model], dict[str, list[str]]]:
    """What its file asks for, then the notes; and the lists of codes that these refer to.

    `examples`: published data by type; of each the fields that this partner has become its example.
    """
    codes: dict[str, list[str]] = {}
    found = [_model(each.model, each.fields, codes, examples, takes_back=False) for each in partner.events]
    found += [_model(note, list(note.model_fields), codes, examples, takes_back=True) for note in NOTES]
    return found, codes


def _model(
    model: type[PartnerCopy],
    allowed: Sequence[str],
    codes: dict[str, list[str]],
    examples: Mapping[str, Mapping[str, Any]],
    *,
    takes_back: bool,
) -> Model:
    schema = data_schema(model)
    definitions = schema.get("$defs", {})
    names = [name for name in schema["properties"] if name in allowed]
    fields = [_field(name, schema["properties"][name], definitions, codes, always=not takes_back) for name in names]
    example = {name: value for name, value in examples.get(model.TYPE, {}).items() if name in names}
    doc = " ".join(schema["description"].split())
    name = model.__name__.removeprefix("Partner") + ("Note" if takes_back else "Event")
    return Model(name, model.TYPE, doc, fields, takes_back, example)


def _field(name: str, schema: Schema, definitions: Schema, codes: dict[str, list[str]], *, always: bool) -> Field:
    default = None if always or "default" not in schema else repr(schema["default"])
    note = " ".join(schema.get("description", "").split())
    return Field(name, _kind(schema, definitions, codes), note, default)


def _kind(schema: Schema, definitions: Schema, codes: dict[str, list[str]]) -> str:
    if "anyOf" in schema:
        return " | ".join(_kind(each, definitions, codes) for each in schema["anyOf"])
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        codes[name] = definitions[name]["enum"]
        return str(name)
    if schema["type"] == "array":
        return f"list[{_kind(schema['items'], definitions, codes)}]"
    return _FORMATS.get(schema.get("format", "")) or _SIMPLE[schema["type"]]
