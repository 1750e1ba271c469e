"""docs/measures.md names every table, column, element, sanction and harm there is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.cli.export.data_use import DataUse
from services.cli.export.rows import OFFENSES, TABLES
from services.cli.measures.counting import HARMS, Period, Tally
from services.cli.measures.follow_up import SanctionKind
from services.cli.research import Element
from services.victim_outreach.rules.measures import COLUMNS
from tests.harness.incidents import PRACTICE

PAGE = (Path(__file__).parents[2] / "docs" / "measures.md").read_text("utf-8")
MEASURES = [table.name for table in Tally(Period(datetime(2025, 1, 1, tzinfo=UTC)), PRACTICE).tables()]
STAGED = {"age_10", "age_2"}
"""Of which one is told, as `age`."""


@pytest.mark.parametrize(
    "names",
    [
        MEASURES,
        [*Element],
        [*SanctionKind],
        [*HARMS],
        [*COLUMNS, *(column for columns in COLUMNS.values() for column in columns)],
        [*TABLES, *({column for columns in TABLES.values() for column in columns} - STAGED)],
        [*OFFENSES],
    ],
    ids=["measures", "elements", "sanctions", "harm", "outreach", "export", "offenses"],
)
def test_every_name_is_on_the_page(names: list[str]) -> None:
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_every_field_of_an_agreement_is_in_the_example() -> None:
    assert [name for name in DataUse.model_fields if f"\n{name}: " not in PAGE] == []
