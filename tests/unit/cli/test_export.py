"""`ipvi export`: what is told, of whom, and that nobody can be told by it."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from schemas.classification import Tier
from schemas.incident import Disposition
from schemas.policy_file import load_policy
from services.cli.export.anonymity import K, release
from services.cli.export.command import export
from services.cli.export.data_use import DataUseError, load_data_use
from services.cli.export.rows import TABLES, Terms, keyed, rows
from services.cli.main import app
from services.cli.research import person
from tests.harness.incidents import AGENCY, PRACTICE, Bench, disposed, expunged, report, retracted
from tests.harness.people30 import bench, stored

NAMES = {f"{name}.parquet" for name in TABLES}
AGREED = """\
recipient: University of North Carolina at Greensboro
purpose: which part of the strategy keeps men from coming back
need: intervals between notice and arrest of each person
expires: 2099-12-31
"""
TODAY = date(2026, 1, 1)


def county() -> Bench:
    """Sixty men of one agency, thirty of another, and a few who stand out."""
    made = Bench()
    for number in range(1, 61):
        made.put(report(number, f"C-{number}", charged=True, day=number / 10, born=date(1985, 6, 15)))
        made.put(report(number + 100, f"C-{number}", day=number / 10 + 40))
    for number in range(200, 230):
        made.put(
            report(number, f"E-{number}", charged=True, day=number / 10, agency="NC0410200", born=date(1970, 1, 1))
        )
    made.put(report(300, "ARSONIST", charged=True, code="200", day=3, born=date(1985, 6, 15)))
    made.put(report(301, "OLD", charged=True, day=3, born=date(1930, 6, 15)))
    made.put(report(302, "MINOR", charged=True, day=3, born=date(2012, 6, 15)))
    made.put(report(303, "SUSPECT", day=3))
    made.put(report(304, "ERASED", charged=True, day=3), expunged(304, "ERASED"))
    made.put(report(305, "BACK", charged=True, day=3), retracted(305, "BACK"))
    return made


def terms(key: bytes = b"k" * 32, *more: Tier) -> Terms:
    return Terms(PRACTICE, frozenset({Tier.A, Tier.B, Tier.C, *more}), keyed(key))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("county")
    asyncio.run(stored(folder, county()))
    return folder


@pytest.fixture
def agreed(tmp_path: Path) -> Path:
    path = tmp_path / "use.yaml"
    path.write_text(AGREED, "utf-8")
    return path


def run(home: Path, monkeypatch: pytest.MonkeyPatch, *options: object) -> tuple[int, str]:
    monkeypatch.setenv("IPVI_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    told = CliRunner().invoke(app, ["export", *map(str, options)])
    return told.exit_code, told.output + str(told.exception or "")


def table(folder: Path, name: str) -> list[dict[str, Any]]:
    found = duckdb.execute("SELECT * FROM read_parquet(?)", [str(folder / f"{name}.parquet")])
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_everybody_told_of_is_one_of_eleven(
    home: Path, agreed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(home, monkeypatch, tmp_path / "out", "--data-use", agreed)[0] == 0
    persons = {one.pop("person"): tuple(one.values()) for one in table(tmp_path / "out", "persons")}
    alike = Counter(persons.values())
    assert alike and min(alike.values()) >= K
    offenses: defaultdict[tuple[Any, ...], set[str]] = defaultdict(set)
    for one in table(tmp_path / "out", "incidents"):
        offenses[persons[one["person"]], one["offense"]].add(one["person"])
    assert min(map(len, offenses.values())) >= K
    # The sixty and the arsonist are alike; his charge is told of nobody, since it would be his alone.
    assert {offense for _, offense in offenses} <= {"simple_assault", None}
    assert alike["NC0410200", 2025, "C", "55-64"] == 30


def test_who_stands_out_is_not_told_of(
    home: Path, agreed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    assert run(home, monkeypatch, tmp_path / "out", "--data-use", agreed, "--key", key)[0] == 0
    told = {one["person"] for one in table(tmp_path / "out", "persons")}
    name = keyed(b"k" * 32)
    assert name("C-1") in told
    assert not told & {name(each) for each in ("OLD", "MINOR", "SUSPECT", "ERASED", "BACK")}
    for other in ("incidents", "decisions", "notices"):
        assert {one["person"] for one in table(tmp_path / "out", other)} <= told


def test_the_files_hold_no_name_number_or_date(
    home: Path, agreed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(home, monkeypatch, tmp_path / "out", "--data-use", agreed)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*NAMES, "manifest.json"}
    columns = set()
    for name in TABLES:
        for one in table(tmp_path / "out", name):
            columns |= set(one)
            said = "|".join(map(str, one.values()))
            assert not any(each in said for each in ("C-1", "E-2", f"{AGENCY}:", "V-", "A-", "2025-03"))
    assert not any("victim" in each or "incident_id" in each or "date" in each for each in columns)


def test_one_key_links_two_exports_and_two_keys_do_not(
    home: Path, agreed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"\x07" * 32)
    for name, options in (("a", ["--key", key]), ("b", ["--key", key]), ("c", []), ("d", [])):
        run(home, monkeypatch, tmp_path / name, "--data-use", agreed, *options)
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in NAMES)
    found = [{one["person"] for one in table(tmp_path / name, "persons")} for name in "acd"]
    assert not (found[0] & found[1] or found[1] & found[2] or found[0] & found[2])


def test_d_is_told_of_only_where_the_agreement_says_so() -> None:
    made = Bench()
    made.put(report(1), report(2, charged=True))
    him = person(made.offender())
    with_d, without = rows(him, terms(b"k" * 32, Tier.D)), rows(him, terms())
    assert with_d is not None and without is not None
    assert [row[3] for row in with_d["incidents"]] == ["D", "C"]
    assert [row[3] for row in without["incidents"]] == ["C"]
    assert [row[2:] for row in with_d["decisions"]] == [("D", "entered"), ("C", "escalated")]
    assert [row[2:] for row in without["decisions"]] == [("C", "entered")]
    suspected = Bench()
    suspected.put(report(1))
    assert rows(person(suspected.offender()), terms()) is None


def test_intervals_stay() -> None:
    made = Bench()
    made.put(report(1, charged=True), report(2, charged=True, day=101), disposed("A-O-1-1", Disposition.CONVICTED))
    told = rows(person(made.offender()), terms())
    assert told is not None
    assert [row[2] for row in told["incidents"]] == [0, 100]


def test_a_notice_of_before_or_of_what_is_erased_is_not_told_of() -> None:
    made = bench()
    told = {him: rows(person(one), terms(b"k" * 32, Tier.D)) for him, one in made.offenders.items()}
    assert told["P24"] is None
    assert [(row[2], row[3], row[4]) for row in (told["P25"] or {})["notices"]] == [
        ("C", "visit", 1),
        ("B", "call_in", 15),
    ]
    assert (told["P29"] or {})["notices"] == []


def test_the_export_refuses_to_write_over_anything(
    home: Path, agreed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = run(home, monkeypatch, tmp_path, "--data-use", agreed)
    assert code != 0 and "something here already" in said


def test_a_short_key_is_refused(home: Path, agreed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_bytes(b"short")
    code, said = run(home, monkeypatch, tmp_path / "out", "--data-use", agreed, "--key", tmp_path / "key")
    assert code != 0 and "32 bytes" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("expires: 2020-01-01", "has run out"),
        ("expires: 2099-12-31\nvictims: true", "victims"),
        ("expires: 2099-12-31\ntiers: [E]", "tiers"),
        ("", "expires"),
    ],
)
def test_an_agreement_that_cannot_be_used_says_why(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "use.yaml"
    path.write_text(AGREED.replace("expires: 2099-12-31", line), "utf-8")
    with pytest.raises(DataUseError, match=said):
        load_data_use(path, TODAY)


def test_d_is_not_named_by_default(agreed: Path) -> None:
    assert Tier.D not in load_data_use(agreed, TODAY).tiers


async def test_nobody_at_all_is_an_empty_export(tmp_path: Path) -> None:
    settings = await stored(tmp_path / "home", Bench())
    told = await export(
        settings, tmp_path / "out", Terms(load_policy("high-point-practice"), {Tier.C}, keyed(b"k" * 32))
    )
    assert (sum(told.levels), told.withheld) == (0, 0)
    assert table(tmp_path / "out", "persons") == []


def test_nobody_is_left_to_be_told_by_subtraction(tmp_path: Path) -> None:
    """Ten of eleven alike in all but age: told of with less, together, not ten at one level and one at the next."""
    for name in TABLES:
        lines = [f"p{n},NC0990100,2025,C,25-34,under 35\n" for n in range(10)] + [
            "p10,NC0990100,2025,C,under 25,under 35\n"
        ]
        (tmp_path / f"{name}.csv").write_text("".join(lines) if name == "persons" else "", "utf-8")
    told = release(tmp_path, tmp_path)
    assert (told.levels[:2], told.withheld) == ((0, 11), 0)
