"""`ipvi ingest` without a broker: what it writes, says and returns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from services.cli.ingest import ingest_command
from tests.harness import feed, nibrs

CANARY = "Canary"
app = typer.Typer()
app.command()(ingest_command)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPVI_REJECT_LIMIT", "IPVI_REJECT_AFTER", "IPVI_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "400")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(path: Path, *raw: bytes) -> Path:
    return nibrs.written(path / "feed.jsonl", raw, end=b"\n")


def test_nibrs_to_lines_and_lines_to_the_same_lines(tmp_path: Path) -> None:
    flat = nibrs.written(tmp_path / "feed.txt.gz", [*nibrs.incident("1"), *nibrs.incident("2", arrested=True)])
    once, again = tmp_path / "once.jsonl", tmp_path / "again.jsonl"
    done = run("--format", "nibrs-flat", flat, "--out", once)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "feed.txt.gz: 2 units: 2 with events (2 events), 0 rejected, 0 without a known offender" in done.stderr
    first = json.loads(once.read_text().splitlines()[0])
    assert (first["specversion"], first["data"]["occurred_at"]) == ("1.0", "2025-01-11T01:00:00Z"), (
        "in the policy's time zone"
    )
    there = run("--format", "nibrs-flat", "--time-zone", "Pacific/Honolulu", flat, "--out", "-").stdout.splitlines()
    assert json.loads(there[0])["data"]["occurred_at"] == "2025-01-11T06:00:00Z"
    assert run("--format", "cloudevents", once, "--out", again).exit_code == 0
    assert again.read_bytes() == once.read_bytes()


def test_events_on_standard_output_rejects_on_the_other(tmp_path: Path) -> None:
    bad = feed.line(feed.incident(revision=CANARY))
    done = run("--format", "cloudevents", lines(tmp_path, feed.line(feed.incident()), bad), "--out", "-")
    assert done.exit_code == 0
    assert [json.loads(line)["subject"] for line in done.stdout.splitlines()] == ["O1"]
    assert "feed.jsonl:2: wrong_type in revision: send the field as the type" in done.stderr
    assert CANARY not in done.output


def test_record_time(tmp_path: Path) -> None:
    path = lines(tmp_path, feed.line(feed.incident()))
    done = run("--format", "cloudevents", path, "--out", "-", "--as-of", "reported")
    assert json.loads(done.stdout)["recordedtime"] == "2025-01-10T22:00:00Z"
    assert "recordedtime" not in json.loads(run("--format", "cloudevents", path, "--out", "-").stdout)


def test_a_source_of_rejects_is_paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, out = lines(tmp_path, *[b"{"] * 150), tmp_path / "out.jsonl"
    done = run("--format", "cloudevents", path, "--out", out)
    assert done.exit_code == 3
    said = done.stderr.splitlines()
    assert len(said) == 101
    assert said[-1].startswith("feed.jsonl: paused, 100 of 100 units rejected (limit 0.5); mend the file")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["feed.jsonl"], "no half of a file is left"
    monkeypatch.setenv("IPVI_REJECT_LIMIT", "1")
    assert run("--format", "cloudevents", path, "--out", out).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "cloudevents", "nothing.jsonl"), "nothing.jsonl: No such file or directory"),
        (("--format", "cloudevents", "{good}", "--out", "{there}/not/here"), "not/here: No such file or directory"),
        (("--format", "nibrs-flat", "{good}", "--time-zone", "Mars/Canary"), "--time-zone: no such time zone"),
        (
            ("--format", "nibrs-flat", "{good}", "--policy", "nowhere"),
            "nowhere: no such policy; give one of high-point-",
        ),
        (
            ("--format", "cloudevents", "{torn}", "--out", "-"),
            "torn.gz: the gzip data is damaged or breaks off after line",
        ),
    ],
)
def test_errors_are_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    good = lines(tmp_path, feed.line(feed.incident()))
    torn = nibrs.written(tmp_path / "torn.gz", [feed.line(feed.incident(number=str(n))) for n in range(999)], end=b"\n")
    torn.write_bytes(torn.read_bytes()[:-300])
    done = run(*(argument.format(good=good, torn=torn, there=tmp_path) for argument in arguments))
    assert done.exit_code == 2
    last = done.stderr.splitlines()[-1]
    assert said in last
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.output


def test_a_bad_setting_is_named_and_not_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPVI_REJECT_LIMIT", CANARY)
    done = run("--format", "cloudevents", lines(tmp_path, b"{"), "--out", "-")
    assert (done.exit_code, done.stderr.strip()) == (2, "these settings are not usable: IPVI_REJECT_LIMIT")


def test_help_teaches() -> None:
    done = run("--help")
    assert done.exit_code == 0
    assert all(word in done.stdout for word in ("Exit codes", "Examples", "docs/rejects.md", "--as-of"))
