"""The checklists name files, targets and classes that are there."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.generate import PROJECT

PAGE = (PROJECT / "CONTRIBUTING.md").read_text("utf-8")
MAKEFILE = (PROJECT / "Makefile").read_text("utf-8")


def test_paths_exist() -> None:
    named = set(re.findall(r"`([\w./*<>-]+/[\w./*<>-]*)`", PAGE))
    assert len(named) > 15
    assert {path for path in named if not exists(re.sub(r"<[^>]+>", "*", path))} == set()


def test_targets_exist() -> None:
    targets = set(re.findall(r"\bmake ([a-z]+)", PAGE))
    assert {target for target in targets if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)} == set()


def test_every_checklist_is_there() -> None:
    heads = set(re.findall(r"^## Add an? (.+)$", PAGE, re.MULTILINE))
    assert heads == {"topic", "rule", "channel", "service", "feed", "partner", "migration", "reject code"}


def exists(pattern: str) -> bool:
    return any(True for _ in Path(PROJECT).glob(pattern.rstrip("/")))
