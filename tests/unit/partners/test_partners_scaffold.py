"""`ipvi partners new`: a project that knows exactly the fields its partner is sent, and whose own tests pass."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.partner import PartnerKind
from schemas.partner_file import FOLDER, Partner, load_partner
from services.cli.partners.new import write
from services.cli.partners.scaffold import models, project
from services.common.errors import ConfigurationError
from tests.harness.partners import everyone, partner

FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_its_models_have_the_fields_of_the_file_and_no_others(path: Path) -> None:
    found, _ = models(given := load_partner(path), {})
    asked = {each.event: set(each.fields) for each in given.events}
    assert {each.type: {field.name for field in each.fields} for each in found if not each.takes_back} == asked


@pytest.mark.parametrize("each", everyone(), ids=lambda each: each.id)
def test_it_is_python_that_names_nothing_of_ours(each: Partner) -> None:
    for path, text in project(each).items():
        if path.endswith(".py"):
            imported = {
                name
                for node in ast.walk(ast.parse(text))
                for name in (
                    [node.module or ""] if isinstance(node, ast.ImportFrom)
                    else [each.name for each in node.names] if isinstance(node, ast.Import) else []
                )
            }  # fmt: skip
            assert not [name for name in imported if name.split(".")[0] in {"schemas", "services"}]


WEBHOOK = {"kind": "webhook", "url": "https://partner.example/events"}


@pytest.mark.parametrize("delivery", [{"kind": "topic"}, WEBHOOK], ids=lambda delivery: delivery["kind"])
def test_its_own_tests_pass_without_a_broker(delivery: dict[str, str], tmp_path: Path) -> None:
    write(partner(PartnerKind.LAW_ENFORCEMENT, id="a-partner", delivery=delivery), tmp_path / "made")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "made", env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_what_is_there_is_left_alone_but_for_the_models(tmp_path: Path) -> None:
    given = load_partner(FILES[0])
    write(given, tmp_path)
    handlers = tmp_path / given.id.replace("-", "_") / "handlers.py"
    handlers.write_text("# mine\n")
    with pytest.raises(ConfigurationError, match="not empty"):
        write(given, tmp_path)
    assert [path.name for path in write(given, tmp_path, models_only=True)] == ["events.py"]
    assert handlers.read_text() == "# mine\n"
