"""The contract as pages to browse: one HTML file from the AsyncAPI document, with the schemas and examples beside it.

No script, no font, no address outside: it reads the same from a disk, a share or a server without a network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from schemas.envelope import Data, event_types
from schemas.generate import EXAMPLES, JSON_SCHEMAS, PROJECT
from schemas.generate.json_schema import Schema, data_schema, envelope_schema
from schemas.generate.page import NIBRS_CODES, contract_parts, fields_of
from schemas.partner import partner_types

_templates = Environment(
    loader=PackageLoader("schemas.generate", "templates"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_LINK = re.compile(r"\[([A-Za-z]+)\]\(#([a-z]+)\)")
_CODE = re.compile(r"`([^`]+)`")


def site() -> dict[str, str]:
    """Path and text of every file."""
    beside = {
        f"{folder.name}/{path.relative_to(folder).as_posix()}": path.read_text("utf-8")
        for folder in (JSON_SCHEMAS, EXAMPLES)
        for path in sorted(folder.rglob("*.json"))
    }
    document = (PROJECT / "schemas" / "asyncapi.yaml").read_text("utf-8")
    return {"index.html": _index(yaml.safe_load(document)), "asyncapi.yaml": document, **beside}


def _index(document: dict[str, Any]) -> str:
    parts, codes = contract_parts()
    return _templates.get_template("contract.html.j2").render(
        info=document["info"],
        envelope=_rows(envelope_schema()),
        channels=list(_channels(document)),
        parts={name: (_text(schema["description"]), _rows(schema)) for name, schema in sorted(parts.items())},
        nibrs={name: (what, list(codes_of.items())) for name, (what, codes_of) in NIBRS_CODES.items()},
        codes={name: (_text(schema.get("description", "")), schema["enum"]) for name, schema in sorted(codes.items())},
    )


def _channels(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """In the document's order, each with its messages and who sends and receives."""
    models: dict[str, type[Data]] = {
        model.__name__: model for model in (*event_types().values(), *partner_types().values())
    }
    for name, channel in document["channels"].items():
        operations = [
            each for each in document["operations"].values() if each["channel"]["$ref"] == f"#/channels/{name}"
        ]
        yield {
            "name": name,
            "address": channel["address"],
            "description": channel["description"],
            "classes": [tag["name"] for tag in channel.get("tags", [])],
            "sends": _who(operations, "send"),
            "receives": _who(operations, "receive"),
            "messages": [_message(models[each]) for each in channel["messages"] if each in models],
            "rejects": not any(each in models for each in channel["messages"]),
        }


def _who(operations: list[dict[str, Any]], action: str) -> list[str]:
    return [tag["name"] for each in operations if each["action"] == action for tag in each["tags"]]


def _message(model: type[Data]) -> dict[str, Any]:
    examples = sorted((EXAMPLES / model.TYPE).glob("*.json"))
    return {
        "type": model.TYPE,
        "summary": _text(" ".join((model.__doc__ or "").split())),
        "fields": _rows(data_schema(model)),
        "examples": {path.stem: _pretty(path.read_text("utf-8")) for path in examples},
    }


def _pretty(text: str) -> str:
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def _rows(schema: Schema) -> list[tuple[Markup, ...]]:
    return [tuple(map(_text, row)) for row in fields_of(schema)]


def _text(text: str) -> Markup:
    """The links and code marks that descriptions have."""
    linked = _LINK.sub(r'<a href="#\2">\1</a>', str(escape(" ".join(text.split()))))
    return Markup(_CODE.sub(r"<code>\1</code>", linked))
