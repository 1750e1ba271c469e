"""No cell of a CSV can be taken for a formula, whatever stands in the record."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.api.tables import as_csv, safe

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\0x", "＝1", "  =1", '=HYPERLINK("http://x")']


def rows(made: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_begins_like_a_formula_is_text(text: str) -> None:
    assert safe(text) == f"'{text}"
    [_, one] = rows(as_csv(["name"], [{"name": [text]}]))
    assert one == [f"'{text}"]


def test_cells_are_as_in_the_json() -> None:
    row = {"a": None, "b": True, "c": -3, "d": ["x", "y"], "e": {"k": "v"}, "f": 'say "so"; or, not'}
    assert rows(as_csv([*row, "g"], [row])) == [
        ["a", "b", "c", "d", "e", "f", "g"],
        ["", "true", "-3", "x y", "k: v", 'say "so"; or, not', ""],
    ]


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_text_survives_and_none_is_a_formula(texts: list[str]) -> None:
    names = [f"c{n}" for n in range(len(texts))]
    made = as_csv(names, [dict(zip(names, texts, strict=True))])
    cells = made.decode("utf-8-sig").split("\r\n", 1)[1].removesuffix("\r\n")
    assert cells == ",".join('"' + safe(text).replace('"', '""') + '"' for text in texts)
    assert not any(safe(text).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for text in texts)
