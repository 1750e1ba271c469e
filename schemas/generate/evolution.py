"""Can a reader with one schema read all that a writer with another may write?

Over exactly the keywords our models emit; any other fails. Registries' own checkers pass a narrowed list of codes, a
changed format or an optional field that became required, each of which stops a reader here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from schemas.generate.json_schema import Schema

_NOTES: Final = frozenset({"$schema", "$id", "$defs", "title", "description"})
_CHECKED: Final = frozenset(
    {"$ref", "anyOf", "type", "enum", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems"}
    | {"maxItems", "items", "properties", "required", "default"}
)
_FLOORS: Final = ("minLength", "minimum", "minItems")
_CEILINGS: Final = ("maxLength", "maximum", "maxItems")


class UnknownKeywordError(ValueError):
    """A keyword whose changes nobody has taught this checker to judge."""


def breaks(reader: Schema, writer: Schema) -> list[str]:
    """Each way, as a path and a reason, in which `reader` cannot read what `writer` may write; empty: it can.

    Raises:
        UnknownKeywordError: the change cannot be judged.
    """
    return list(_Pair(reader, writer).compare(reader, writer, "data"))


class _Pair:
    """Two documents with their own `$defs`."""

    def __init__(self, reader: Schema, writer: Schema) -> None:
        self._reader_defs = reader.get("$defs", {})
        self._writer_defs = writer.get("$defs", {})

    def compare(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        reader, writer = _resolved(reader, self._reader_defs), _resolved(writer, self._writer_defs)
        if "default" in reader and "default" in writer and reader["default"] != writer["default"]:
            yield f"{path}: an absent field means something else now"
        accepted = reader.get("anyOf", [reader])
        for offered in writer.get("anyOf", [writer]):
            # One alternative that reads it all is enough; of none that does, the nearest explains best.
            attempts = [list(self._plain(choice, offered, path)) for choice in accepted]
            yield from min(attempts, key=len)

    def _plain(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        reader, writer = _resolved(reader, self._reader_defs), _resolved(writer, self._writer_defs)
        if reader.get("type") != writer.get("type"):
            yield f"{path}: {writer.get('type', 'anything')} is written, {reader.get('type')} is read"
            return
        yield from _limits(reader, writer, path)
        if "items" in reader:
            yield from self.compare(reader["items"], writer.get("items", {}), f"{path}[]")
        yield from self._fields(reader, writer, path)

    def _fields(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        for name in sorted(set(reader.get("required", [])) - set(writer.get("required", []))):
            yield f"{path}.{name}: must be there for the reader, may be absent from the writer"
        written = writer.get("properties", {})
        for name, field in reader.get("properties", {}).items():
            if name in written:
                yield from self.compare(field, written[name], f"{path}.{name}")


def _limits(reader: Schema, writer: Schema, path: str) -> Iterator[str]:
    if "enum" in reader and not set(writer.get("enum", [None])) <= set(reader["enum"]):
        yield f"{path}: codes are written that the reader does not know"
    for name in ("format", "pattern"):
        if name in reader and reader[name] != writer.get(name):
            yield f"{path}: {name} differs"
    for name in _FLOORS:
        if reader.get(name, float("-inf")) > writer.get(name, float("-inf")):
            yield f"{path}: {name} is {reader[name]} for the reader and lower for the writer"
    for name in _CEILINGS:
        if reader.get(name, float("inf")) < writer.get(name, float("inf")):
            yield f"{path}: {name} is {reader[name]} for the reader and higher for the writer"


def _resolved(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    unknown = schema.keys() - _NOTES - _CHECKED
    if unknown:
        raise UnknownKeywordError(f"no rule for {', '.join(sorted(unknown))}")
    if "$ref" not in schema:
        return schema
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    return _resolved(definitions[schema["$ref"].removeprefix("#/$defs/")] | beside, definitions)
