"""An agency's list against the histories: what it lacks is proposed, and a list that is not whole is a fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.cli.reconcile import Comparison, ListError, Stale, check, check_exported, compare, read_list
from services.common.database import Database, database_url
from services.common.migrations import upgrade
from services.common.settings import CommonSettings
from tests.harness.classifier_store import saved
from tests.harness.incidents import AGENCY, Bench, incident_id, later, report

EXPORTED = datetime(2026, 1, 1)


def listing(folder: Path, text: str) -> Path:
    file = folder / "live.csv"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    "text",
    [
        "incident_id,officer\n001,x\nNC0990100:002,y\n\n",
        "\ufeffOfficer,Incident_ID\nx,001\ny,002\n",
        '{"incident_id": "001"}\n\n{"incident_id": "NC0990100:002", "more": 1}\n',
    ],
)
def test_ways_to_write_a_list(tmp_path: Path, text: str) -> None:
    assert read_list(listing(tmp_path, text), AGENCY) == {incident_id(1), incident_id(2)}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no column"),
        ("incident_id\n", "empty"),
        ("number\n001\n", "no column"),
        ("a,incident_id\nx\n", ":2: no incident_id"),
        ("incident_id\nNC0410200:001\n", ":2: another agency's"),
        ('{"incident": "1"}\n', ":1: not a JSON object"),
        ('{"incident_id": 1}\n', ":1: incident_id is not a text"),
    ],
)
def test_a_list_that_cannot_be_used_is_a_fault(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ListError) as failed:
        read_list(listing(tmp_path, text), AGENCY)
    assert why in str(failed.value)
    assert "NC0410200" not in str(failed.value), "no value is quoted"


async def test_what_the_agency_no_longer_has_is_proposed(tmp_path: Path) -> None:
    settings = CommonSettings(home=tmp_path)
    url = database_url(settings, "classifier")
    await upgrade(url, "classifier")
    bench = Bench()
    bench.put(
        report(1),
        report(2, revision=3, charged=True),
        report(3, "O-2"),
        report(4, agency="NC0410200", incident_id="NC0410200:004"),
    )
    database = Database(url, "classifier", pool_size=1)
    async with database.write() as conn:
        await saved(conn, bench)
    await database.close()
    found = await compare(settings, {incident_id(1), incident_id(9)}, AGENCY, EXPORTED)
    assert found == Comparison(
        listed=2,
        known=3,
        unknown=1,
        later=0,
        stale=[Stale(incident_id(2), "O-1", 3), Stale(incident_id(3), "O-2", 1)],
    )
    within = await compare(settings, {incident_id(1)}, AGENCY, EXPORTED, datetime(2025, 3, 4), datetime(2025, 3, 5))
    assert within.stale == [Stale(incident_id(3), "O-2", 1)]


async def test_what_the_list_cannot_hold_yet_is_passed_over(tmp_path: Path) -> None:
    """What was reported, or heard of here, since the list was written; of an incident under two ids either."""
    settings = CommonSettings(home=tmp_path)
    url = database_url(settings, "classifier")
    await upgrade(url, "classifier")
    bench = Bench()
    bench.put(report(1), report(2), report(3), report(4))
    bench.put(report(5, late=timedelta(days=15)), report(3, revision=2, late=timedelta(days=18)), report(6, "O-2"))
    bench.put(
        replace(report(4, revision=2, force=["12"]), recordedtime=later(20)), report(6, "O-3", late=timedelta(days=20))
    )
    database = Database(url, "classifier", pool_size=1)
    async with database.write() as conn:
        await saved(conn, bench)
    await database.close()
    found = await compare(settings, {incident_id(1)}, AGENCY, later(19).replace(tzinfo=None))
    assert found == Comparison(listed=1, known=2, unknown=0, later=4, stale=[Stale(incident_id(2), "O-1", 1)])


def test_when_the_list_was_written_must_be_told(tmp_path: Path) -> None:
    file = listing(tmp_path, "incident_id\n001\n")
    told = CliRunner().invoke(app, ["reconcile", str(file), "--agency", AGENCY])
    assert told.exit_code == 2 and "--exported" in told.output
    with pytest.raises(ListError, match="still to come"):
        check_exported(datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1))
    check_exported(EXPORTED)


@pytest.mark.parametrize(
    ("known", "missing", "expect", "good"),
    [(100, 10, None, True), (100, 11, None, False), (6, 5, None, True), (6, 6, None, False),
     (100, 50, 50, True), (100, 50, 49, False)],
)  # fmt: skip
def test_a_list_that_lacks_too_much_was_cut_short(known: int, missing: int, expect: int | None, good: bool) -> None:
    stale = [Stale(incident_id(number), "O-1", 1) for number in range(missing)]
    found = Comparison(known - missing, known, 0, 0, stale)
    if good:
        check(found, expect)
    else:
        with pytest.raises(ListError):
            check(found, expect)
