"""`ipvi agencies`: who has to be asked, and who may be silent for longer."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.intake.domain import AsOf, Feed
from services.intake.usecases.taking import take
from tests.harness.command import ipvi
from tests.harness.identity import TERMS
from tests.harness.intake import bench


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two agencies' NIBRS submissions, heard of three days ago."""

    async def heard() -> None:
        async with bench(tmp_path) as intake:
            for agency in ("ZZ0010000", "ZZ0020000"):
                at = datetime.now(UTC) - timedelta(days=3)
                await take(intake.database, [], Feed("nibrs-xml", agency), AsOf.NOW, at, TERMS)

    asyncio.run(heard())
    return tmp_path


def alarm(home: Path, *folders: str) -> int:
    environment = {"IPVI_HOME": str(home), "IPVI_FEEDS_FILE": "", "DATABASE_URL": ""}
    if folders:
        lines = "".join(f"  - {{folder: in{n}, format: nibrs-xml, {each}}}\n" for n, each in enumerate(folders))
        (home / "feeds.yaml").write_text(f"feeds:\n{lines}")
        environment["IPVI_FEEDS_FILE"] = str(home / "feeds.yaml")
    said = ipvi("agencies", "--json", env={name: value for name, value in environment.items() if value})
    assert [json.loads(line)["agency"] for line in said.out.splitlines()] == ["ZZ0010000", "ZZ0020000"], said.err
    return said.code


def test_a_day_without_a_delivery_is_silence(home: Path) -> None:
    assert alarm(home) == 1


def test_a_folder_says_for_how_long_its_feed_may_be_silent(home: Path) -> None:
    assert alarm(home, "agency: ZZ0010000, expect_every_minutes: 45000") == 1, "the other agency is silent"
    assert alarm(home, *(f"agency: {each}, expect_every_minutes: 45000" for each in ("ZZ0010000", "ZZ0020000"))) == 0
    assert (
        alarm(home, "agency: ZZ0010000, expect_every_minutes: 45000", "agency: ZZ0020000, expect_every_minutes: 60")
        == 1
    )


def test_a_folder_of_many_agencies_speaks_for_each(home: Path) -> None:
    assert alarm(home, "expect_every_minutes: 45000") == 0
    assert alarm(home, "expect_every_minutes: 60") == 1
