"""For every incident its decision, referrals, tasks and notice: over a county's whole story, however it is amended."""

from __future__ import annotations

import asyncio
from pathlib import Path

from schemas.topics import Topic
from services.cli.summary import summarise
from services.common.settings import CommonSettings
from services.intake.domain import IngestSummary
from tests.harness.county import County
from tests.harness.in_process import local_pipeline


def test_no_pair_is_left_without_its_other_half(tmp_path: Path) -> None:
    county = County(seed=11, offenders=400)
    settings = CommonSettings(home=tmp_path, partitions=1)
    with local_pipeline(tmp_path, {}) as made:
        for _ in range(11):  # after 2,000 reports one is amended so that it falls off the ladder and lowers him
            made.feed(Topic.INCIDENTS, *county.events(200))
            pairs = asyncio.run(summarise(settings, IngestSummary()))["pairs"]
            assert pairs["incomplete"] == 0
    assert pairs["complete"] > 1_000
