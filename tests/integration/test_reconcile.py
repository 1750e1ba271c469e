"""`ipvi reconcile --apply` on a running system: what an agency no longer holds is taken back, on both sides, and once."""

from __future__ import annotations

import asyncio
import csv
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from schemas.topics import Topic
from services.cli.main import app
from services.cli.serve import migrate_all
from tests.harness import kafka
from tests.harness.incidents import AGENCY, incident_id, report
from tests.harness.pipeline import Pipeline, pipeline

OTHER = "NC0410200"
STAY, GONE = range(1, 41), (41, 42)


@pytest.fixture(scope="module")
def county() -> Iterator[Pipeline]:
    with pipeline(None) as made:
        asyncio.run(migrate_all(made.settings(), ["intake"]))
        made.start_all()
        made.feed(report(number, f"O-{number}", charged=True) for number in (*STAY, *GONE))
        made.feed([report(1, "O-X", charged=True, agency=OTHER, incident_id=f"{OTHER}:001")])
        made.wait_settled()
        yield made


def reconciled(county: Pipeline, monkeypatch: pytest.MonkeyPatch, folder: Path, *options: str) -> Result:
    live = folder / "live.csv"
    with live.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerows([["incident_id"], *([incident_id(number)] for number in STAY)])
    settings = county.settings()
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", county.bootstrap)
    monkeypatch.setenv("IPVI_HOME", str(settings.home))
    monkeypatch.setenv("IPVI_PARTITIONS", str(settings.partitions))
    monkeypatch.setenv("IPVI_AS_OF", "reported")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    written = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)  # after all that was decided until now
    time.sleep((written - datetime.now(UTC)).total_seconds())
    when = ("--exported", f"{written:%Y-%m-%dT%H:%M:%S}")
    return CliRunner().invoke(app, ["reconcile", str(live), "--agency", AGENCY, *when, *options])


def sent(county: Pipeline) -> int:
    """Records on the incident stream."""
    return sum(1 for _ in kafka.read_all(county.bootstrap, Topic.INCIDENTS))


def test_proposed_then_sent_then_nothing_left(
    county: Pipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = sent(county)
    shown = reconciled(county, monkeypatch, tmp_path)
    assert shown.exit_code == 0, shown.output
    assert [line.split("\t")[0] for line in shown.stdout.splitlines()] == [incident_id(number) for number in GONE]
    assert "2 retractions to be sent with --apply" in shown.stderr
    assert sent(county) == before, "shown only"

    applied = reconciled(county, monkeypatch, tmp_path, "--apply")
    assert applied.exit_code == 0, applied.output
    assert "2 retractions sent" in applied.stderr
    county.wait_settled()
    tiers = county.tiers()
    assert {tiers[f"O-{number}"] for number in GONE} == {None}
    assert {tiers[f"O-{number}"] for number in STAY} | {tiers["O-X"]} == {"C"}, "nobody else's"
    open_now = county.rows("victim_outreach", "SELECT offender_id FROM tasks WHERE state = 'open'")
    waiting = county.rows("notifier", "SELECT offender_id FROM notifications WHERE state = 'held'")
    for rows in (open_now, waiting):
        assert {row.offender_id for row in rows} == {f"O-{number}" for number in STAY} | {"O-X"}

    again = reconciled(county, monkeypatch, tmp_path, "--apply")
    assert "0 retractions sent" in again.stderr
    county.feed([report(GONE[0], f"O-{GONE[0]}", charged=True, revision=2)])
    county.wait_settled()
    assert county.tiers()[f"O-{GONE[0]}"] == "C", "reported again with a higher revision, it stands"
    county.judge_delivery()
