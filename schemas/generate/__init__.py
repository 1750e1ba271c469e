"""The contract's artefacts, made from the models and `topics/*.yaml`: JSON Schemas, AsyncAPI, `docs/contract.md`.

`python -m schemas.generate` writes them, `--check` only says whether they are current. A change that would leave
readers behind is refused: a breaking change is a new topic and type (`.v2`).
"""

from __future__ import annotations

from pathlib import Path

from schemas.envelope import event_types
from schemas.generate.asyncapi import asyncapi
from schemas.generate.json_schema import data_schema, envelope_schema, rendered
from schemas.generate.page import contract_page

PROJECT = Path(__file__).resolve().parents[2]
JSON_SCHEMAS = PROJECT / "schemas" / "json"


def artefacts() -> dict[Path, str]:
    """Path and text of every generated file."""
    schemas = {JSON_SCHEMAS / f"{name}.schema.json": data_schema(model) for name, model in event_types().items()}
    schemas[JSON_SCHEMAS / "envelope.schema.json"] = envelope_schema()
    return {path: rendered(schema) for path, schema in sorted(schemas.items())} | {
        PROJECT / "schemas" / "asyncapi.yaml": asyncapi(),
        PROJECT / "docs" / "contract.md": contract_page(),
    }


def orphans() -> list[Path]:
    """JSON Schemas whose type is gone."""
    return sorted(set(JSON_SCHEMAS.glob("*.json")) - set(artefacts()))
