"""The command line as a user meets it: what is wrong is one clear line and exit code 2, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def ipvi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.cli.main", *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--once", "--input", "nowhere.jsonl"], "nowhere.jsonl"),
        (["run", "--once", "--policy", "no-such-policy"], "no such policy"),
        (["ingest", "--format", "cloudevents", "nowhere.jsonl"], "nowhere.jsonl"),
        (["replay", "nowhere.jsonl"], "nowhere.jsonl"),
        (["replay", "--policy", "no-such-policy", "deploy/sample/county.jsonl"], "no such policy"),
        (["serve", "notifier"], "127.0.0.1:1"),
        (["migrate"], "127.0.0.1:1"),
        (["ingest", "--format", "cloudevents", "deploy/sample/county.jsonl"], "broker"),
    ],
)
def test_one_clear_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    environment = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "IPVI_HOME": str(tmp_path)}
    done = ipvi(*arguments, **environment)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_policy_with_a_mistake_names_its_line(tmp_path: Path) -> None:
    text = (ROOT / "policies" / "high-point-practice.yaml").read_text().replace("adult_age: 18", "adult_age: eighteen")
    policy = tmp_path / "mine.yaml"
    policy.write_text(text)
    done = ipvi("replay", "--policy", str(policy), "deploy/sample/county.jsonl")
    assert done.returncode == 2
    assert "mine.yaml, line" in done.stderr and "adult_age" in done.stderr and "Traceback" not in done.stderr


def test_help_teaches() -> None:
    for command in ([], ["run"], ["ingest"], ["replay"], ["serve"], ["migrate"]):
        done = ipvi(*command, "--help")
        assert done.returncode == 0 and len(done.stdout) > 300


def test_the_sample_county_runs_to_its_end(tmp_path: Path) -> None:
    """What `make run` shows, on the embedded Kafka and SQLite."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "jars").symlink_to(Path(os.environ.get("IPVI_HOME", str(ROOT / ".ipvi"))).resolve() / "jars")
    out = tmp_path / "summary.json"
    arguments = ["run", "--once", "--as-of", "reported", "--summary", str(out)]
    done = ipvi(*arguments, IPVI_HOME=str(home))
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(out.read_text())
    assert all(found["offenders"][tier] > 0 for tier in "ABCD")
    assert found["pairs"]["incomplete"] == 0 and found["pairs"]["complete"] > 0
    assert found["notifications"].get("held", 0) > 0 and "released" not in found["notifications"]
    assert found["input"]["rejected"] > 0


def test_what_few_commands_need_is_not_loaded_by_all() -> None:
    """Some take seconds and a hundred megabytes; every service starts by this module."""
    loaded = "import sys, services.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    names = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, timeout=180, check=True
    ).stdout
    assert not {"scipy", "matplotlib", "duckdb", "splink", "pyarrow", "numpy"} & set(names.split())
