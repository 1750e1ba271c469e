"""From published tables nobody can work out a withheld cell: not from margins, not from one table by another."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.classification import Tier
from services.victim_outreach.rules.measures import (
    COLUMNS,
    STOPS,
    SUMS,
    Quarter,
    Story,
    _values,
    tables,
)
from services.victim_outreach.rules.suppression import LEAST, Sum, limits, withheld

Key = tuple[str, ...]
OPENED = datetime(2025, 7, 1, tzinfo=UTC)

stories = st.builds(
    Story,
    tier=st.sampled_from([None, *Tier]),
    opened_at=st.just(OPENED),
    contacted_at=st.sampled_from([None, *(OPENED + timedelta(hours=hours) for hours in (2, 30, 90))]),
    planned=st.booleans(),
    overdue=st.booleans(),
    stopped=st.sampled_from([None, *STOPS]),
)
counts = st.lists(st.tuples(stories, st.integers(1, 60)), max_size=8)


def two_tables(cells: list[int]) -> tuple[dict[Key, int], list[Sum[Key]]]:
    """Two of two rows and two columns that share the totals of their rows, and so the total of all: eight cells within."""
    values: dict[Key, int] = {}
    sums: list[Sum[Key]] = [(("all",), (("row", "0"), ("row", "1")))]
    for table in "ab":
        for column in "01":
            sums.append(((table, column), tuple((table, row, column) for row in "01")))
        sums.append((("all",), ((table, "0"), (table, "1"))))
        sums += [(("row", row), ((table, row, "0"), (table, row, "1"))) for row in "01"]
    a00, a01, a10, a11, b00, b10 = cells
    b: dict[Key, int] = {("b", "0", "0"): min(b00, a00 + a01), ("b", "1", "0"): min(b10, a10 + a11)}
    values |= {("a", "0", "0"): a00, ("a", "0", "1"): a01, ("a", "1", "0"): a10, ("a", "1", "1"): a11, **b}
    values |= {("b", row, "1"): values["a", row, "0"] + values["a", row, "1"] - b["b", row, "0"] for row in "01"}
    for total, parts in [one for one in sums if one[0] != ("all",)]:
        values[total] = sum(values[part] for part in parts)
    values["all",] = values["row", "0"] + values["row", "1"]
    return values, sums


def possible(
    values: dict[Key, int], sums: list[Sum[Key]], hidden: frozenset[Key], most: int
) -> Iterator[dict[Key, int]]:
    """Every set of tables that looks the same to a reader, by trying them all: rows first, then how each is divided."""
    shown = {key: value for key, value in values.items() if key not in hidden}

    def may_be(key: Key) -> range:
        return range(shown[key], shown[key] + 1) if key in shown else range(most + 1)

    for first, second in itertools.product(may_be(("row", "0")), may_be(("row", "1"))):
        if first + second not in may_be(("all",)):
            continue
        halves = []
        for table in "ab":
            found = []
            for x, y in itertools.product(range(first + 1), range(second + 1)):
                made = {
                    (table, "0", "0"): x,
                    (table, "0", "1"): first - x,
                    (table, "1", "0"): y,
                    (table, "1", "1"): second - y,
                    (table, "0"): x + y,
                    (table, "1"): first + second - x - y,
                }
                if all(shown.get(key, value) == value for key, value in made.items()):
                    found.append(made)
            halves.append(found)
        head = {("row", "0"): first, ("row", "1"): second, ("all",): first + second}
        for one in halves:  # the tables meet in the rows alone, so each may be looked at by itself
            yield from ({**head, **made} for made in one if all(halves))


@given(st.lists(st.integers(0, 9), min_size=6, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whoever_tries_every_table_finds_no_withheld_cell(cells: list[int]) -> None:
    """Small numbers, and a small threshold, so that all can be tried."""
    values, sums = two_tables(cells)
    hidden = withheld(values, sums, least=4)
    assert all(values[key] >= 4 for key in values.keys() - hidden)
    seen: dict[Key, set[int]] = {key: set() for key in hidden}
    most = values["all",] + 5
    for made in possible(values, sums, hidden, most):
        for key in hidden & made.keys():
            seen[key].add(made[key])
    for key, numbers in seen.items():
        assert values[key] in numbers
        assert max(numbers) - min(numbers) >= 4, key


@given(counts)
@settings(max_examples=5, deadline=None)
def test_no_withheld_cell_of_a_quarter_can_be_narrowed(given_counts: list[tuple[Story, int]]) -> None:
    values = _values(story for story, number in given_counts for _ in range(number))
    hidden = withheld(values, SUMS)
    assert all(values[key] >= LEAST for key in values.keys() - hidden)
    for key in hidden:
        low, high = limits(values, SUMS, hidden, key)
        assert low <= values[key] <= high
        assert high - low >= LEAST


def test_where_nothing_is_small_nothing_is_withheld() -> None:
    values, sums = two_tables([20, 30, 40, 50, 20, 40])
    assert withheld(values, sums) == frozenset()


def test_one_small_cell_takes_three_others_with_it_and_no_more() -> None:
    values, sums = two_tables([3, 30, 40, 50, 15, 40])
    assert withheld(values, sums) == {("a", row, column) for row in "01" for column in "01"}


def test_nought_is_small_too() -> None:
    """Nobody of the row reached would say of every woman in it that she was not."""
    values, sums = two_tables([0, 30, 40, 50, 15, 40])
    assert ("a", "0", "0") in withheld(values, sums)


def test_the_tables_of_a_quarter_show_no_number_under_eleven() -> None:
    made = tables(
        [Story(Tier.D, OPENED, None, False, False, None)] * 40 + [Story(Tier.A, OPENED, OPENED, True, True, None)]
    )
    cells = [cell for table in made for line in table.lines for cell in (line.women, *line.cells.values())]
    assert all(cell is None or cell >= LEAST for cell in cells)
    assert any(cell is not None for cell in cells)
    assert {table.name: tuple(table.lines[0].cells) for table in made} == COLUMNS


def test_every_sum_holds_of_the_counts() -> None:
    values = _values(
        [Story(None, OPENED, OPENED, True, False, STOPS[0]), Story(Tier.B, OPENED, None, False, True, None)]
    )
    assert all(values[total] == sum(values[part] for part in parts) for total, parts in SUMS)


@pytest.mark.parametrize("text", ["2025", "2025-Q5", "25-Q1", "2025-q1", "2025-Q", "2025-Q1 "])
def test_a_quarter_is_written_one_way(text: str) -> None:
    with pytest.raises(ValueError, match="2025-Q3"):
        Quarter.parse(text)


def test_quarters_follow_one_another_without_a_gap() -> None:
    quarter = Quarter.of(datetime(2025, 12, 31, 23, tzinfo=UTC))
    assert (str(quarter), str(quarter.next), quarter.end) == ("2025-Q4", "2026-Q1", quarter.next.start)
    assert Quarter.parse("2025-Q4") == quarter
