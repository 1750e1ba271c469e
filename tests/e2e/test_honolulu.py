"""A real month of a real department through `ipvi run --once`: every sum exact, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.incident import IncidentReported
from schemas.policy_file import load_policy
from services.intake.app import Format, read_units
from services.intake.lines import Source

MONTH = Path(__file__).parents[3] / "shared" / "data" / "nibrs-honolulu-2019-05.txt.gz"
pytestmark = pytest.mark.skipif(not MONTH.exists(), reason="the shared data is not beside this checkout")

POLICY = load_policy("high-point-practice")


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _run(tmp_path_factory.mktemp("sqlite"), None)


def test_units_add_up(on_sqlite: dict[str, Any]) -> None:
    fed = on_sqlite["input"]
    units = list(read_units(Source(MONTH), Format.NIBRS_FLAT, POLICY.zone))
    with_events = sum(bool(unit.events) for unit in units)
    assert with_events + fed["rejected"] + fed["no_offender"] == fed["units"] == len(units)
    assert fed["events"] == sum(len(unit.events) for unit in units)


def test_every_qualifying_adult_is_tiered_and_every_other_in_review(on_sqlite: dict[str, Any]) -> None:
    """NIBRS links nobody across incidents, so each qualifying pair is one person, told here from the file alone."""
    expected: Counter[str] = Counter()
    for unit in read_units(Source(MONTH), Format.NIBRS_FLAT, POLICY.zone):
        for event in unit.events:
            if isinstance(event.data, IncidentReported):
                expected.update(_expected_of(event.data))
    assert on_sqlite["incidents"]["qualifying"] == expected["qualifying"]
    tiered = sum(on_sqlite["offenders"].values())
    reviews = on_sqlite["reviews"]
    assert tiered == expected["adult"]
    assert tiered + expected["juvenile"] + expected["mutual"] == expected["qualifying"]
    assert reviews.get("juvenile", 0) == expected["juvenile"] + expected["juvenile and mutual"]
    assert reviews.get("mutual", 0) == expected["mutual"] + expected["juvenile and mutual"]


def _expected_of(data: IncidentReported) -> list[str]:
    intimate = [v for v in data.victims if v.relationship in POLICY.codes.intimate or v.child_in_common]
    if not intimate:
        return []
    age = data.offender.age
    juvenile = age is not None and age < POLICY.adult_age
    mutual = any(victim.relationship == "VO" for victim in data.victims)
    return ["qualifying", "juvenile" if juvenile else "mutual" if mutual else "adult"] + (
        ["juvenile and mutual"] if juvenile and mutual else []
    )


def test_every_pair_is_complete(on_sqlite: dict[str, Any]) -> None:
    pairs = on_sqlite["pairs"]
    assert pairs["incomplete"] == 0
    assert pairs["complete"] + pairs["listed"] == on_sqlite["incidents"]["qualifying"]


def test_postgresql_says_the_same(on_sqlite: dict[str, Any], database: str, tmp_path: Path) -> None:
    assert _run(tmp_path, database) == on_sqlite


def _run(folder: Path, url: str | None) -> dict[str, Any]:
    out = folder / "summary.json"
    environment = {**os.environ, "IPVI_HOME": str(folder / "home")} | ({"DATABASE_URL": url} if url else {})
    jars = Path(os.environ.get("IPVI_HOME", ".ipvi")).resolve() / "jars"
    (folder / "home").mkdir()
    (folder / "home" / "jars").symlink_to(jars)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "services.cli.main", "run", "--once", "--as-of", "reported"),
            *("--input", str(MONTH), "--format", "nibrs-flat", "--summary", str(out)),
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(out.read_text())
    return found
