"""`docs/contract.md`: every topic, type, field, state and code, from the models and `topics/*.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from schemas import nibrs
from schemas.envelope import Data, event_types
from schemas.generate.json_schema import Schema, data_schema, envelope_schema
from schemas.partner import partner_types
from schemas.rejects import REJECT_HEADERS
from schemas.topics import Topic, TopicSpec, spec

NIBRS_CODES = {
    "RelationshipCode": ("what the victim was to the offender", nibrs.RELATIONSHIPS),
    "OffenseCode": ("offences", nibrs.OFFENSES),
    "ForceCode": ("weapon or force", nibrs.FORCES),
    "ArrestTypeCode": ("types of arrest", nibrs.ARREST_TYPES),
}
STATES = ("NotificationState", "TaskState", "GateState")

INTRODUCTION = """# The contract

<!-- Written by `python -m schemas.generate`; not by hand. -->

Every topic, event type, field, state and code. The same for machines:
[`schemas/asyncapi.yaml`](../schemas/asyncapi.yaml), [`schemas/json/`](../schemas/json/); one event of each type
and more in [`schemas/examples/`](../schemas/examples/). Readers pass over fields they do not know; writers send no
others. Times are RFC 3339 with a zone. A change that would leave readers behind is a new type and topic (`.v2`). Why a
record is refused, and how to mend it: [rejects](rejects.md).
"""

ACCESS = """The grain of access: `shared` may be read by partners with an ACL, `internal` by this system's offender
side, `restricted` only by the services named. All have the same number of partitions, and time stamps are the broker's.
"""


PARTNER = """`ipvi.partner.<id>.v1`, one a partner, written by partners, key the partner's own id of the offender, kept 14 days.
All fields but those of what takes back are sent only where the partner's file names them: *absent* is not shared, null is
none ([partners](partners.md)).
"""


def contract_page() -> str:
    """Markdown text of the page."""
    specs = [spec(topic) for topic in Topic]
    parts, codes = contract_parts()
    blocks = [
        INTRODUCTION,
        "## Envelope\n",
        f"{envelope_schema()['description']}\n",
        _fields(envelope_schema()),
        "## Topics\n",
        ACCESS,
        _topics(specs),
        *(block for each in specs if each.types for block in _topic(each)),
        "## Topic partner\n",
        PARTNER,
        *(block for model in partner_types().values() for block in _type(model)),
        "## Rejects\n",
        "What a reject topic carries: the refused record's own bytes, and headers that say why.\n",
        _table(("header", "says"), ((f"`{name}`", what) for name, what in REJECT_HEADERS.items())),
        "## Parts\n",
        "Objects that stand inside others.\n",
        *(block for name in sorted(parts) for block in (f"### {name}\n", _note(parts[name]), _fields(parts[name]))),
        "## States\n",
        *(_codes(codes.pop(name)) for name in STATES),
        "## Codes\n",
        *(_codes(codes[name]) for name in sorted(codes)),
        *(_nibrs(name, *listed) for name, listed in NIBRS_CODES.items()),
    ]
    return "\n".join(blocks)


def contract_parts() -> tuple[dict[str, Schema], dict[str, Schema]]:
    """Objects and lists of codes that models refer to, by name; states also where no field has them."""
    from schemas.notification import NotificationState
    from schemas.outreach import TaskState

    found: dict[str, Schema] = {}
    for model in (*event_types().values(), *partner_types().values()):
        found |= data_schema(model).get("$defs", {})
    for state in (NotificationState, TaskState):
        found[state.__name__] = {"title": state.__name__, "description": state.__doc__, "enum": [str(s) for s in state]}
    parts = {name: schema for name, schema in found.items() if "properties" in schema}
    return parts, {name: schema for name, schema in found.items() if "enum" in schema}


def _topics(specs: Iterable[TopicSpec]) -> str:
    rows = (
        (
            f"[`{each.topic}`](#topic-{each.topic.short_name})" if each.types else f"`{each.topic}`",
            each.description,
            each.key,
            ", ".join(each.producers),
            ", ".join(each.consumers) or "none of this system",
            f"{each.retention_days} days" if each.retention_days else "compacted",
            f"{each.max_message_bytes // 2**20} MiB",
        )
        for each in specs
    )
    return _table(("topic", "carries", "key", "written by", "read by", "kept", "largest record"), rows)


def _topic(each: TopicSpec) -> Iterator[str]:
    yield f"## Topic {each.topic.short_name}\n"
    yield f"`{each.topic}`\n"
    for event_type in each.types:
        yield from _type(event_types()[event_type])


def _type(model: type[Data]) -> Iterator[str]:
    schema = data_schema(model)
    yield f"### {model.TYPE}\n"
    yield _note(schema)
    yield _fields(schema)


def _fields(schema: Schema) -> str:
    return _table(("field", "kind", "if absent", "meaning"), fields_of(schema))


def fields_of(schema: Schema) -> list[tuple[str, str, str, str]]:
    """Name, kind, what it is if absent, and meaning of each field; links and code as in Markdown."""
    required = schema.get("required", [])
    return [
        (
            f"`{name}`",
            _kind(field),
            "required" if name in required else _default(field),
            field.get("description", ""),
        )
        for name, field in schema["properties"].items()
    ]


def _default(field: Schema) -> str:
    if "default" not in field:
        return ""
    spelling = {None: "null", True: "true", False: "false"}
    value = field["default"]
    return "empty list" if value == [] else "empty" if value == {} else spelling.get(value, f"`{value}`")


def _kind(field: Schema) -> str:
    if "anyOf" in field:
        return " or ".join(_kind(each) for each in field["anyOf"])
    if "$ref" in field:
        return _link(field["$ref"].removeprefix("#/$defs/"))
    if field.get("title") in NIBRS_CODES:
        return _link(field["title"])
    if "enum" in field:
        return " or ".join(f"`{each}`" for each in field["enum"])
    if field["type"] == "array":
        return f"list of {_kind(field['items'])}" + (", not empty" if field.get("minItems") else "")
    return _simple(field)


def _simple(field: Schema) -> str:
    formats = {"date-time": "time", "date": "date"}
    kinds = {"string": "text", "integer": "integer", "boolean": "true or false", "null": "null", "object": "object"}
    kind = formats.get(field.get("format", "")) or kinds[field["type"]]
    return kind + "".join(_limits(field))


def _limits(field: Schema) -> Iterator[str]:
    if "pattern" in field:
        yield f" like `{field['pattern']}`"
    low = field.get("minimum", field.get("minLength"))
    high = field.get("maximum", field.get("maxLength"))
    unit = " characters" if field["type"] == "string" else ""
    if low is not None and high is not None:
        yield f", {low} to {high}{unit}"
    elif low is not None:
        yield ", not empty" if unit and low == 1 else f", at least {low}{unit}"
    elif high is not None:
        yield f", at most {high}{unit}"


def _codes(schema: Schema) -> str:
    return f"### {schema['title']}\n\n{_note(schema)}\n{', '.join(f'`{code}`' for code in schema['enum'])}\n"


def _nibrs(name: str, what: str, codes: dict[str, str]) -> str:
    rows = ((f"`{code}`", meaning) for code, meaning in codes.items())
    return f"### {name}\n\nNIBRS: {what}.\n\n" + _table(("code", "meaning"), rows)


def _note(schema: Schema) -> str:
    return f"{' '.join(schema['description'].split())}\n"


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
