"""What is published: schemas, AsyncAPI, the page and the examples, each held against the models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator

from schemas.envelope import Classification, Data, Event, decode, encode, event_types, from_json_line, to_json_line
from schemas.generate import EXAMPLES, JSON_SCHEMAS, PROJECT, artefacts, orphans
from schemas.generate.__main__ import main
from schemas.generate.json_schema import envelope_schema
from schemas.partner import partner_types
from schemas.rejects import REJECT_HEADERS
from schemas.topics import Topic, allowed, spec

MODELS: Mapping[str, type[Data]] = {**event_types(), **partner_types()}
PATHS = sorted(EXAMPLES.rglob("*.json"))
examples = pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}-{path.stem}")


def test_what_is_committed_is_what_the_models_make(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err
    assert orphans() == []


def test_each_type_has_an_example_and_each_example_a_type() -> None:
    assert {path.parent.name for path in PATHS} == set(MODELS)


@examples
def test_an_example_validates(path: Path) -> None:
    whole = json.loads(path.read_text("utf-8"))
    assert whole["type"] == path.parent.name
    _validate(envelope_schema(), whole)
    _validate(json.loads((JSON_SCHEMAS / f"{whole['type']}.schema.json").read_text("utf-8")), whole["data"])


@examples
def test_an_example_is_what_a_writer_would_write(path: Path) -> None:
    """No field that the model lacks, and every default spelled out."""
    whole = json.loads(path.read_text("utf-8"))
    data = MODELS[whole["type"]].model_validate_json(json.dumps(whole["data"]), strict=True, extra="forbid")
    assert json.loads(data.canonical()) == whole["data"]


@examples
def test_an_example_goes_both_ways_unchanged(path: Path) -> None:
    event = _read(path)
    assert decode(encode(event)) == event
    assert from_json_line(to_json_line(event)) == event
    assert json.loads(to_json_line(decode(encode(event)))) == json.loads(path.read_text("utf-8"))


@examples
def test_an_example_has_its_topics_class(path: Path) -> None:
    event = _read(path)
    if event.type in partner_types():
        assert event.dataclassification is Classification.SHARED
        return
    (topic,) = (topic for topic in Topic if allowed(topic, event.type))
    assert event.dataclassification is topic.classification


def test_the_page_names_every_topic_type_field_code_and_reject_header() -> None:
    page = artefacts()[PROJECT / "docs" / "contract.md"]
    words = {str(topic) for topic in Topic} | set(MODELS) | set(REJECT_HEADERS)
    for path in JSON_SCHEMAS.glob("ipvi.*.json"):
        words |= _names(json.loads(path.read_text("utf-8")))
    assert {word for word in words if f"`{word}`" not in page and f"### {word}" not in page} == set()


def test_asyncapi_is_whole() -> None:
    text = (PROJECT / "schemas" / "asyncapi.yaml").read_text("utf-8")
    document = yaml.safe_load(text)
    ApplicationSchema.model_validate(document)
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {*Topic, "ipvi.partner.{partner}.v1"}
    ends = 2 + sum(len(spec(topic).producers) + len(spec(topic).consumers) for topic in Topic)
    assert len(document["operations"]) == ends
    for reference in _references(document):
        assert _resolves(document, reference), reference


def _read(path: Path) -> Event[Data]:
    return from_json_line(path.read_bytes())


def _validate(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def _names(schema: dict[str, Any]) -> set[str]:
    """Fields and codes of one schema."""
    objects = [schema, *schema.get("$defs", {}).values()]
    fields = {name for each in objects for name in each.get("properties", {})}
    return fields | {code for each in objects for code in each.get("enum", [])}


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for child in node.values() for found in _references(child)]
    return [found for child in node for found in _references(child)] if isinstance(node, list) else []


def _resolves(document: dict[str, Any], reference: str) -> bool:
    if reference.startswith("./"):
        return (PROJECT / "schemas" / reference).is_file()
    for step in reference.removeprefix("#/").split("/"):
        document = document.get(step, {})
    return bool(document)
