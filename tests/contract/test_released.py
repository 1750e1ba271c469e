"""The contract against its last release: nobody who reads or writes by that one is left behind. Four nets; the first, that the
committed schemas are the models', is in `test_artefacts.py`.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas.envelope import from_json_line, read
from schemas.generate import EXAMPLES, __main__, released
from schemas.generate.released import ENVELOPE, Released
from tests.contract.values import values_of

LAST = released.last_release()
NOW = released.now()
MODELS = released.models()
BOTH = sorted(LAST.schemas.keys() & MODELS.keys())
ACCEPTED = {line.split(":")[0] for line in released.readers_first()}
"""Types of which old readers cannot read all: every reader was deployed first."""
UNCHANGED = sorted(set(BOTH) - ACCEPTED)
DRAWN = int(os.environ.get("IPVI_CONTRACT_EXAMPLES", "150"))


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(LAST.schemas[name])


VALIDATORS = {name: validator(name) for name in BOTH}


def test_readers_and_writers_of_the_last_release_are_not_left_behind() -> None:
    assert list(released.incompatible(LAST)) == []
    assert released.stale_acceptances(LAST) == []


@pytest.mark.parametrize("name", sorted(LAST.examples))
def test_new_models_read_the_examples_of_the_last_release(name: str) -> None:
    for data in LAST.examples[name]:
        read(MODELS[name], orjson.dumps(data))


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_examples_of_today_are_valid_under_the_last_release(path: Path) -> None:
    whole = json.loads(path.read_text("utf-8"))
    validator(ENVELOPE).validate(whole)
    if whole["type"] in UNCHANGED:
        VALIDATORS[whole["type"]].validate(whole["data"])


@settings(max_examples=DRAWN, deadline=None)
@given(st.data())
def test_new_models_read_whatever_was_valid(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(BOTH))
    read(MODELS[name], orjson.dumps(data.draw(values_of(LAST.schemas[name]))))


@settings(max_examples=DRAWN, deadline=None)
@given(st.data())
def test_whatever_is_written_now_was_valid(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(UNCHANGED))
    model = MODELS[name]
    written = read(model, orjson.dumps(data.draw(values_of(NOW[name])))).model_dump_json(by_alias=True)
    VALIDATORS[name].validate(json.loads(written))


def _changed(old: Released, name: str, field: str, **keywords: object) -> Released:
    schemas = copy.deepcopy(dict(old.schemas))
    schemas[name]["properties"][field] = keywords
    return Released(old.version, schemas, old.examples)


def test_what_was_broken_is_named() -> None:
    name = "ipvi.tier.current.v1"
    [first, *_] = LAST.schemas[name]["properties"]
    found = list(released.incompatible(_changed(LAST, name, first, type="integer")))
    assert any(line.startswith(f"{name}: new readers, old records: data.{first}") for line in found)
    gone = Released(LAST.version, {**LAST.schemas, "ipvi.gone.v1": LAST.schemas[name]}, LAST.examples)
    assert "ipvi.gone.v1: the type is gone" in list(released.incompatible(gone))


def test_a_release_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, text = released.release()
    other = tmp_path / path.name
    other.write_text(text.replace("ipvi.tier.current.v1", "ipvi.tier.other.v1"))
    monkeypatch.setattr(__main__, "release", lambda: (other, text))
    monkeypatch.setattr(__main__, "_name", str)
    assert __main__.main(["--release"]) == 1
    assert "ipvi.tier.other.v1" in other.read_text()


def test_examples_are_events() -> None:
    """So that what is held against the last release is what is published."""
    assert all(from_json_line(path.read_bytes()) for path in EXAMPLES.rglob("*.json"))
