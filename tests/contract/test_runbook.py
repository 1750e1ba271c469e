"""The runbook knows every refusal, metric and repair command there is, and none that is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram
from typer.testing import CliRunner

from services.cli.main import app
from services.common import metrics

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "runbook.md").read_text("utf-8")
SOURCES = [path.read_text("utf-8") for path in sorted((PROJECT / "services").rglob("*.py"))]

SUFFIXES: dict[type, str] = {Counter: "_total", Gauge: "", Histogram: "_bucket"}
"""What is added to a metric's name where Prometheus reads it."""


def raised() -> set[str]:
    """The code of every `LaneRefusedError(code, ...)`; where it is a choice, both."""
    found: set[str] = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "LaneRefusedError":
                code = node.args[0]
                ends = (code.body, code.orelse) if isinstance(code, ast.IfExp) else (code,)
                found |= {str(ast.literal_eval(end)) for end in ends}
    return found


def rows() -> dict[str, list[str]]:
    table = PAGE.split("## A lane refuses")[1].split("\n## ")[0]
    cells = re.findall(r"^\| `([a-z_]+)` \| (.*) \| (.*) \|$", table, re.MULTILINE)
    return {code: [what, mend] for code, what, mend in cells}


def test_every_refusal_has_a_row_and_no_row_is_left_over() -> None:
    assert raised() == set(rows())
    assert len(raised()) == 10


def test_every_row_says_what_it_means_and_the_mend() -> None:
    assert all(what and mend for what, mend in rows().values())


def test_every_metric_is_named_and_no_other() -> None:
    exposed = {metric._name + SUFFIXES[type(metric)] for metric in vars(metrics).values() if type(metric) in SUFFIXES}
    assert set(re.findall(r"`(ipvi_[a-z_]+)`", PAGE)) == exposed


@pytest.mark.parametrize("line", sorted(set(re.findall(r"`ipvi ([a-z]+ [a-z]+[^`]*)`", PAGE))))
def test_every_command_it_gives_is_one(line: str) -> None:
    group, name, *options = line.split()
    told = CliRunner().invoke(app, [group, name, "--help"])
    assert told.exit_code == 0
    assert {word for word in options if word.startswith("--")} <= set(re.findall(r"--[a-z]+", told.output))
