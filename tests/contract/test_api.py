"""The guide to the API knows every code there is, and every route shows in the documents, with what may come of it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.cli.registry import PARTNERS, SERVICES
from services.common.api import document
from tests.harness.http import api_of

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "api.md").read_text("utf-8")
SOURCES = {path: path.read_text("utf-8") for path in sorted((PROJECT / "services").rglob("*.py"))}
_CODED = {"HTTPException": 1, "problem": 1, "Refused": 0, "_refuse": 0, "Refusal": 0}
"""What takes a code, and as which argument."""


def codes() -> set[str]:
    """Every code that is written out where an answer is refused."""
    found: set[str] = set()
    for source in SOURCES.values():
        for node in ast.walk(ast.parse(source)):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name in _CODED and isinstance(node, ast.Call) and len(node.args) > _CODED[name]:
                code = node.args[_CODED[name]]
                ends = (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,)
                found |= {end.value for end in ends if isinstance(end, ast.Constant) and isinstance(end.value, str)}
    return found


def test_every_code_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z][a-z0-9_]+)`", PAGE))
    assert codes() - named == set()
    assert len(codes()) > 20


PORTS = {name: part.api_port for name, part in SERVICES.items()} | {"partners": PARTNERS.api_port}


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
            if method == "post":
                assert {"202", "409", "412"} <= statuses
                assert any(one["name"] == "Idempotency-Key" for one in operation["parameters"])
            schema = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("schema")
            assert schema != {}, f"{method} {path} does not say what it shows"


def test_the_guide_names_every_port(app: FastAPI) -> None:
    name = app.title.removeprefix("ipvi ")
    assert f"{name} {PORTS[name]}" in PAGE
