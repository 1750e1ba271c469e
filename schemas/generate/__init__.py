"""The contract's artefacts, made from the models and `topics/*.yaml`: JSON Schemas, AsyncAPI, `docs/contract.md`,
and the examples in full.

`python -m schemas.generate` writes them, `--check` only says whether they are current. A change that would leave
readers behind is refused: a breaking change is a new topic and type (`.v2`).
"""

from __future__ import annotations

import json
from pathlib import Path

from schemas.envelope import Data, event_types, from_json_line, to_json_line
from schemas.generate.asyncapi import asyncapi
from schemas.generate.json_schema import data_schema, envelope_schema, rendered
from schemas.generate.page import contract_page
from schemas.partner import partner_types

PROJECT = Path(__file__).resolve().parents[2]
JSON_SCHEMAS = PROJECT / "schemas" / "json"
EXAMPLES = PROJECT / "schemas" / "examples"


def artefacts() -> dict[Path, str]:
    """Path and text of every generated file."""
    types: dict[str, type[Data]] = {**event_types(), **partner_types()}
    schemas = {JSON_SCHEMAS / f"{name}.schema.json": data_schema(model) for name, model in types.items()}
    schemas[JSON_SCHEMAS / "envelope.schema.json"] = envelope_schema()
    return {
        **{path: rendered(schema) for path, schema in sorted(schemas.items())},
        **{path: _spelled_out(path) for path in sorted(EXAMPLES.rglob("*.json"))},
        PROJECT / "schemas" / "asyncapi.yaml": asyncapi(),
        PROJECT / "docs" / "contract.md": contract_page(),
    }


def _spelled_out(example: Path) -> str:
    """An example, written by hand, as our writers would write it: no field that the model lacks, every default given."""
    return rendered(json.loads(to_json_line(from_json_line(example.read_bytes()))))


def orphans() -> list[Path]:
    """JSON Schemas whose type is gone."""
    return sorted(set(JSON_SCHEMAS.glob("*.json")) - set(artefacts()))
