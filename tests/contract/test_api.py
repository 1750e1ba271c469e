"""The guide to the API knows every code there is, and every route shows in the documents, with what may come of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from fastapi import FastAPI

from services.cli.registry import PARTNERS, SERVICES
from services.common.api import document
from services.intake.usecases import judging
from services.notifier.store import Kind
from tests.harness.http import api_of

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "api.md").read_text("utf-8")
SOURCES = {path: path.read_text("utf-8") for path in sorted((PROJECT / "services").rglob("*.py"))}
_CODED = {"HTTPException": 1, "problem": 1, "found": 1, "acted_on": 3, "Refused": 0, "_refuse": 0, "Refusal": 0}
"""What takes a code, and as which argument."""


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a function by its bare name."""
    for source in SOURCES.values():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id, node


def codes() -> set[str]:
    """Every code that is written out where an answer is refused."""
    found: set[str] = set()
    for name, call in calls():
        if name in _CODED and len(call.args) > _CODED[name]:
            code = call.args[_CODED[name]]
            ends = (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,)
            found |= {end.value for end in ends if isinstance(end, ast.Constant) and isinstance(end.value, str)}
    return found


def missing() -> set[str]:
    """The codes of 404."""
    found = {f"unknown_{kind}" for kind in get_args(Kind)} | {judging.UNKNOWN}
    for name, call in calls():
        is_404 = name == "HTTPException" and isinstance(call.args[0], ast.Constant) and call.args[0].value == 404
        if (is_404 or name == "found") and isinstance(call.args[1], ast.Constant):
            found.add(str(call.args[1].value))
    return found


def test_every_code_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z][a-z0-9_]+)`", PAGE))
    assert codes() - named == set()
    assert len(codes()) > 20


def test_every_code_of_404_is_in_its_row() -> None:
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*) \| ([^|]+) \|", PAGE, re.MULTILINE)
    said = {code for status, cell in rows if "404" in status for code in re.findall(r"`([a-z_]+)`", cell)}
    assert missing() - said == set()
    assert "no_levers" in missing()


PORTS = {name: part.api_port for name, part in SERVICES.items()} | {"partners": PARTNERS.api_port}


SEARCHES = {"/v1/case-search"}
"""What is sought stands in the body: no acts."""


@pytest.fixture(params=PORTS)
def app(request: pytest.FixtureRequest) -> FastAPI:
    return api_of(request.param)


def test_every_operation_says_what_may_come_of_it(app: FastAPI) -> None:
    made = document(app)
    assert made["openapi"].startswith("3.1")
    assert made["security"] == [{"token": []}]
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            statuses = set(operation["responses"])
            assert {"200", "401", "403", "422", "503"} <= statuses, f"{method} {path}"
            if method == "post" and path not in SEARCHES:
                assert {"202", "409", "412"} <= statuses
                assert any(one["name"] == "Idempotency-Key" for one in operation["parameters"])
            schema = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("schema")
            assert schema != {}, f"{method} {path} does not say what it shows"


def test_the_guide_names_every_port(app: FastAPI) -> None:
    name = app.title.removeprefix("ipvi ")
    assert f"{name} {PORTS[name]}" in PAGE
