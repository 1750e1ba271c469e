"""What thirty people come to is what was counted by hand (`measures/people30.md`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.cli.measures.command import count
from services.cli.measures.counting import Period
from tests.golden.measures.build import FILE, events
from tests.harness.incidents import PRACTICE
from tests.harness.people30 import bench, stored, thirty

AS_OF = datetime(2025, 12, 31, 12, tzinfo=UTC)
BY_HAND = dict(re.findall(r"```csv (\w+)\n(.*?)```", FILE.with_suffix(".md").read_text("utf-8"), re.DOTALL))


async def test_measures_of_thirty_people_are_those_counted_by_hand(tmp_path: Path) -> None:
    settings = await stored(tmp_path, bench())
    tally = await count(settings, PRACTICE, Period(AS_OF))
    assert {table.name: table.csv() for table in tally.tables()} == BY_HAND


def test_the_file_is_what_the_rows_say() -> None:
    assert thirty() == events()


@pytest.mark.parametrize("name", ["notified", "reoffence", "elements", "time_to_notice", "sanction", "calls", "harm"])
def test_every_measure_is_counted_by_hand(name: str) -> None:
    assert BY_HAND[name].count("\n") > 1


def test_each_notice_is_of_the_list_that_the_classifier_put_him_on() -> None:
    """The history is one that could have been: whoever was served notice of a list had been decided onto it."""
    made = bench()
    on = {(one.offender_id, one.tier) for one in made.decisions}
    served = [event.data for event in thirty() if event.type == "ipvi.notification.served.v1"]
    assert {(one.offender_id, one.tier) for one in served} <= on
