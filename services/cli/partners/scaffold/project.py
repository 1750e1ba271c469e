"""The files of the project, by path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.generate import EXAMPLES
from schemas.partner_file import Partner
from services.cli.partners.scaffold.types import models

PINNED = {
    "topic": ("faststream", "aiokafka", "pydantic", "pydantic-settings", "httpx", "pytest"),
    "webhook": ("fastapi", "uvicorn", "standardwebhooks", "pydantic", "pydantic-settings", "httpx", "pytest"),
}
"""What the project needs, at the releases this one is tested with."""
TEST_ONLY = frozenset({"pytest"})

_templates = Environment(
    loader=PackageLoader("services.cli.partners.scaffold", "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,
)
_templates.filters["python"] = repr


def project(partner: Partner) -> dict[str, str]:
    """Path in the project and text of every file. The same file of the partner gives the same project."""
    kind = partner.delivery.kind
    package = partner.id.replace("-", "_")
    found, codes = models(partner, _examples())
    pins = {name: version(name) for name in PINNED[kind]}
    given: Mapping[str, Any] = {
        "partner": partner,
        "kind": kind,
        "package": package,
        "models": found,
        "codes": codes,
        "examples_json": json.dumps({each.type: each.example for each in found if not each.takes_back}, indent=2),
        "needs": {name: pin for name, pin in pins.items() if name not in TEST_ONLY},
        "test_needs": {name: pin for name, pin in pins.items() if name in TEST_ONLY},
    }
    files = {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        f"{package}/__init__.py": "init.py.j2",
        f"{package}/__main__.py": f"{kind}_main.py.j2",
        f"{package}/app.py": f"{kind}_app.py.j2",
        f"{package}/events.py": "events.py.j2",
        f"{package}/handlers.py": "handlers.py.j2",
        f"{package}/taking.py": "taking.py.j2",
        f"{package}/store.py": "store.py.j2",
        f"{package}/confirming.py": "confirming.py.j2",
        f"{package}/settings.py": "settings.py.j2",
        f"tests/test_{kind}.py": f"test_{kind}.py.j2",
    }
    return {path: _templates.get_template(name).render(given) for path, name in files.items()}


def _examples() -> dict[str, dict[str, Any]]:
    """Of every type that partners are sent, the published data in which every field is given."""
    found = (json.loads(path.read_text("utf-8")) for path in EXAMPLES.glob("*/every_field.json"))
    return {each["type"]: each["data"] for each in found}
