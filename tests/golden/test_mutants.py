"""Our own histories notice nearly every small mistake in the shipped policies; the docs say which they cannot, and why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.golden import mutants
from tests.golden.explained import histories

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"
OWN = [{**case, "kind": "own"} for case in histories("own")]


@pytest.mark.parametrize("name", mutants.POLICIES)
def test_mistakes_are_noticed(name: str) -> None:
    every = list(mutants.mutants(name))
    assert len({each.what for each in every}) == len(every) > 70
    survivors = [each for each in every if mutants.noticed_by(each, OWN) is None]
    assert len(survivors) <= 0.05 * len(every)
    told = re.findall(rf"^\| `{name}` \| `(.+?)` \|", PAGE.read_text(), re.MULTILINE)
    assert [each.what for each in survivors] == told
    for each in survivors:
        row = each.policy is not None and each.what.split(":")[0] in {rule.id for rule in each.policy.rules}
        assert not row or mutants.same_to_all(each), "a row's mistake that some history could show"


def test_how_many_the_docs_say() -> None:
    total = sum(len(list(mutants.mutants(name))) for name in mutants.POLICIES)
    assert f"Of {total} four pass unnoticed" in PAGE.read_text()
