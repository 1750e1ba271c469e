"""`ipvi reads`: an audit can ask who was shown what, and nothing leaves the log before its time."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.common.database import Database, database_url
from services.common.migrations import upgrade
from services.common.reads import Purpose, Read, SqlReadLog
from services.common.settings import CommonSettings

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows, one of them past its time."""
    monkeypatch.setenv("IPVI_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    entries = [
        Read("m.ortiz", "/tasks", "task", "T-1", Purpose.CASE_WORK, NOW - timedelta(days=400)),
        Read("m.ortiz", "/tasks", "task", "T-2", Purpose.CASE_WORK, NOW - timedelta(days=2)),
        Read("j.king", "/cases/{case_id}", "case", "C-1", Purpose.CASE_WORK, NOW),
    ]

    async def write() -> None:
        url = database_url(CommonSettings(home=tmp_path), "victim_outreach")
        await upgrade(url, "victim_outreach")
        database = Database(url, "victim_outreach")
        await SqlReadLog(database).write(entries)
        await database.close()

    asyncio.run(write())


def told(*options: str) -> list[str]:
    result = CliRunner().invoke(app, ["reads", "list", "--service", "victim_outreach", *options])
    assert result.exit_code == 0
    return [json.loads(line)["record"] for line in result.output.splitlines()]


def test_who_was_shown_what() -> None:
    assert told() == ["T-2", "C-1"]
    assert told("--days", "500") == ["T-1", "T-2", "C-1"]
    assert told("--person", "m.ortiz", "--days", "500") == ["T-1", "T-2"]
    assert told("--record", "C-1") == ["C-1"]


def test_only_what_is_past_its_time_goes() -> None:
    purge = ["reads", "purge", "--service", "victim_outreach"]
    assert CliRunner().invoke(app, [*purge, "--days", "364"]).exit_code == 2
    assert CliRunner().invoke(app, purge).output == "1 rows deleted\n"
    assert told("--days", "500") == ["T-2", "C-1"]
