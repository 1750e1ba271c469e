"""Every command of `ipvi` is there, and costs nobody who calls another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.main import app


def _paths(group: Any, *above: str) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        assert command is not None and command.name == name
        yield (*above, name)
        if hasattr(command, "list_commands"):
            yield from _paths(command, *above, name)


PATHS = list(_paths(typer.main.get_command(app)))


def test_there_are_commands_in_groups() -> None:
    assert {("replay",), ("policy", "diff"), ("topics", "acls"), ("offsets", "mend")} <= set(PATHS)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_each_tells_what_it_is_for(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*path, "--help"])
    assert told.exit_code == 0, told.output
    assert "Usage: " in told.output


def test_who_mistypes_is_told_what_there_is() -> None:
    told = CliRunner().invoke(app, ["polcy"])
    assert told.exit_code == 2
    assert "'policy'" in told.output


def test_the_command_line_alone_loads_no_service() -> None:
    code = "import sys, services.cli.main; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "services.cli.lazy" in loaded
    assert not {"sqlalchemy", "fastapi", "aiokafka"} & set(loaded)


SERVED = """
import gc
from services.cli import serve

class Part:
    def replica(self, settings):
        self.made = [[]]
        return self

    async def run(self):
        print(any(one is self.made for one in gc.get_objects()))

serve.settings_or_error = lambda kind: None
serve.SERVICES["classifier"] = Part()
serve.serve_command("classifier")
"""


def test_what_a_service_is_made_of_is_never_looked_through_for_garbage() -> None:
    """Its modules are imported when it is composed."""
    told = subprocess.run([sys.executable, "-c", SERVED], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False"]
