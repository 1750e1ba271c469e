"""`ipvi measures`: what it writes, and that the same people give the same bytes."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.incident import Offense, Victim
from services.cli.main import app
from services.cli.measures.command import count
from services.cli.measures.counting import Period, Tally, again_by
from services.cli.measures.follow_up import Spell
from services.cli.research import person
from tests.harness.incidents import PRACTICE, START, Bench, expunged, later, merged, noticed, report
from tests.harness.people30 import bench, stored

LATER = later(800)


def counted(made: Bench, as_of: datetime = LATER, **period: datetime) -> dict[str, list[tuple[str, ...]]]:
    tally = Tally(Period(as_of, **period), PRACTICE)
    for one in made.offenders.values():
        if one.alias is None:
            tally.add(person(one, [made.offenders[each] for each in one.absorbed if each in made.offenders]))
    return {table.name: list(table.rows) for table in tally.tables()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people30")
    asyncio.run(stored(folder, bench()))
    return folder


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    monkeypatch.setenv("IPVI_HOME", str(folder))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    told = CliRunner().invoke(app, ["measures", *options])
    assert told.exit_code == 0, told.output
    return told.output


def test_twice_gives_the_same_bytes(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        run(folder, monkeypatch, "--as-of", "2025-12-31T12:00:00Z", "--out", str(tmp_path / name))
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert {"index.html", "measures.md", "reoffence.csv", "reoffence.svg", "reoffence.png", "calls.svg"} <= set(names)
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_page_loads_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(folder, monkeypatch, "--as-of", "2025-12-31", "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text("utf-8")
    assert page.count("<svg ") == 3
    assert not re.search(r"<script|<link|<img|\bsrc=|@import|url\((?!#)", page)
    linked = set(re.findall(r'href="([^"]*)"', page))
    assert all(each.startswith("#") for each in linked)


def test_nobody_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(folder, monkeypatch, "--as-of", "2025-12-31", "--out", str(tmp_path))
    text = "".join(path.read_text("utf-8") for path in tmp_path.iterdir() if path.suffix in (".csv", ".md", ".html"))
    assert not re.search(r"P\d\d|V-|NC0990100|A-NC", text)


def test_without_a_folder_it_is_markdown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = run(folder, monkeypatch, "--from", "2024-01-01", "--to", "2024-02-01", "--as-of", "2025-12-31")
    assert "| C | 2 |" in told  # P25 and P13 were served in January
    assert "| 2024-01 | 4 |" in told
    assert "2024-02 |" not in told


async def test_nothing_at_all_is_no_fault(tmp_path: Path) -> None:
    settings = await stored(tmp_path, Bench())
    tally = await count(settings, PRACTICE, Period(LATER), is_open=True)
    assert next(table for table in tally.tables() if table.name == "notified").rows[0] == ("all", "0")


def test_nobody_is_followed_beyond_the_end_of_observation() -> None:
    made = Bench()
    made.put(report(1), noticed("D", day=5), report(20, charged=True))
    assert counted(made)["reoffence"][8] == ("D", "1", "6", "1", "1", "1.0000", "1.0000")
    assert counted(made, as_of=later(19))["reoffence"][8] == ("D", "1", "6", "0", "0", "", "0.0000")
    assert counted(made, as_of=later(4))["notified"][0] == ("all", "0")


def test_an_expunged_arrest_and_its_notice_are_not_counted() -> None:
    made = Bench()
    made.put(report(1), noticed("D", day=5), report(20, charged=True), expunged(20))
    assert counted(made)["reoffence"][8] == ("D", "1", "6", "1", "0", "0.0000", "0.0000")
    assert counted(made)["calls"] == [row for row in counted(made)["calls"] if row[3] == "0"]


def test_one_man_under_two_ids_is_counted_once() -> None:
    made = Bench()
    made.put(report(1, "O-0"), noticed("D", "O-0", day=5), report(9, charged=True), merged("O-0"))
    assert counted(made)["notified"] == [("all", "1"), ("A", "0"), ("B", "0"), ("C", "0"), ("D", "1")]
    assert counted(made)["reoffence"][8][4] == "1"


def test_what_two_men_share_is_one_incident() -> None:
    made = Bench()
    made.put(report(1, "O-1", charged=True, arrest="A-1"), report(1, "O-2", charged=True, arrest="A-2"))
    [month, *_] = counted(made)["calls"]
    assert month[1:] == ("1", "", "2", "")


def test_harm_by_two_men_is_one_incident_and_by_a_notified_man_if_one_of_them_was() -> None:
    made = Bench()
    made.put(report(2, "O-1", code="09A"), report(2, "O-2", code="09A"), report(3, "O-2", code="09A"))
    assert {row[0]: row[1:] for row in counted(made)["harm"]}["homicide"] == ("0", "2")
    made.put(noticed("D", "O-1", day=1))
    assert {row[0]: row[1:] for row in counted(made)["harm"]}["homicide"] == ("1", "1")


def test_harm_to_somebody_else_in_the_same_incident_is_not_counted() -> None:

    made = Bench()
    victims = [Victim(relationship="BG", offenses=["13B"]), Victim(relationship="ST", offenses=["13A"])]
    made.put(report(1, victims=victims, offenses=[Offense(code=code, charged=True) for code in ("13A", "13B")]))
    assert {row[0]: row[1:] for row in counted(made)["harm"]}["aggravated_assault"] == ("0", "0")


def test_the_estimate_is_the_share_where_everybody_was_seen_to_the_end() -> None:
    arrest = object()
    spells = [Spell(START, arrest, START + timedelta(days=day)) for day in (10, 10, 400)]  # type: ignore[arg-type]
    spells += [Spell(START, None, START + timedelta(days=365))]
    assert again_by(spells, timedelta(days=182)) == pytest.approx(2 / 4)
    assert again_by([], timedelta(days=1)) is None
