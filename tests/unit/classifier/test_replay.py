"""`ipvi replay`: one line out for each line in, in order, by the service's own code."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from schemas.classification import OffenderDecided
from schemas.envelope import Event, read, to_json_line
from schemas.incident import Disposition, ProhibitedBehavior
from services.cli.replay import replay, replay_command
from tests.harness.incidents import (
    HIM,
    PRACTICE,
    Bench,
    disposed,
    expunged,
    incident_id,
    merged,
    report,
    retracted,
    split,
)

Line = Event[Any] | bytes


def written(folder: Path, lines: Iterable[Line], name: str = "in.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else to_json_line(line) for line in lines) + b"\n")
    return path


def decided(folder: Path, *lines: Line) -> list[dict[str, Any]]:
    return [json.loads(line) for line in replay(PRACTICE, [written(folder, lines)])]


def test_it_is_what_the_service_publishes(tmp_path: Path) -> None:
    """Line for line, where something is published; else `none`."""
    events = [
        report(1, charged=True, arrest="A"),
        report(2),
        report(2),
        retracted(2, revision=1),
        disposed("A", Disposition.ACQUITTED),
        report(3, breach=[ProhibitedBehavior.NO_CONTACT]),
        expunged(1),
        report(4, "O-7", victims=["RU"]),
    ]
    bench = Bench()
    known: list[OffenderDecided] = []
    lines = list(replay(PRACTICE, [written(tmp_path, events)]))
    assert len(lines) == len(events)
    for event, line in zip(events, lines, strict=True):
        bench.put(event)
        published = bench.decisions[len(known) :]
        known += published
        data = read(OffenderDecided, line)
        assert (data == published[0]) if published else (data.change == "none")


def test_the_tier_is_told_on_every_line(tmp_path: Path) -> None:
    lines = decided(tmp_path, report(1, charged=True), report(1, charged=True), retracted(9), report(2, "O-2"))
    assert [(one["offender_id"], one["tier"], one["previous_tier"], one["change"]) for one in lines] == [
        (HIM, "C", None, "entered"),
        (HIM, "C", "C", "none"),
        (HIM, "C", "C", "none"),
        ("O-2", "D", None, "entered"),
    ]


def test_the_same_event_again_is_not_compared(tmp_path: Path) -> None:
    """Same `source` and `id`: the same event, whatever it says."""
    first, second = report(1, name="E-1"), report(1, name="E-1", charged=True)
    assert [one["change"] for one in decided(tmp_path, first, second)] == ["entered", "none"]


def test_a_merge_takes_effect_whole(tmp_path: Path) -> None:
    lines = decided(
        tmp_path, report(1, charged=True), report(2, "O-2", charged=True), merged("O-2"), report(3, "O-2", charged=True)
    )
    whole, late = lines[2:]
    assert (whole["offender_id"], whole["previous_tier"], whole["tier"], whole["change"]) == (
        HIM,
        "C",
        "B",
        "escalated",
    )
    assert (whole["merged_offender_id"], whole["pair_id"], whole["review"]) == ("O-2", None, [])
    assert whole["evidence"] == [incident_id(1), incident_id(2)]
    assert (late["offender_id"], late["tier"], late["incident_id"]) == (HIM, "A", incident_id(3))


def test_a_split_is_told_of_the_one_who_stays(tmp_path: Path) -> None:
    lines = decided(tmp_path, report(1, charged=True), report(2, charged=True), split([2], "O-9"), report(3, "O-9"))
    assert [(one["offender_id"], one["tier"], one["change"]) for one in lines[2:]] == [
        (HIM, "C", "lowered"),
        ("O-9", "C", "kept"),
    ]


def test_what_is_refused_is_a_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    other = json.loads(to_json_line(report(2)))
    other["data"]["victims"][0]["relationship"] = "??"
    lines = decided(
        tmp_path,
        report(1),
        b"{broken",
        json.dumps(other).encode(),
        b"",
        report(1, charged=True),
        b"\xff\xfe",
        report(3),
    )
    errors = [one.get("error") for one in lines]
    assert [error and (error["code"], error["field"], error["line"]) for error in errors] == [
        None,
        ("broken_json", None, 2),
        ("unknown_code", "victims.0.relationship", 3),
        ("empty_value", None, 4),
        ("conflicting_revision", "revision", 5),
        ("not_utf8", None, 6),
        None,
    ]
    for error in filter(None, errors):
        assert error["file"] == "in.jsonl" and error["mend"]
        assert "??" not in json.dumps(error)


def test_several_files_plain_and_packed(tmp_path: Path) -> None:
    first = written(tmp_path, [report(1, charged=True)], "a.jsonl")
    second = tmp_path / "b.jsonl.gz"
    second.write_bytes(gzip.compress(to_json_line(report(2, charged=True))))
    assert [json.loads(line)["tier"] for line in replay(PRACTICE, [first, second])] == ["C", "B"]


def test_every_kind_of_record(tmp_path: Path) -> None:
    """Each published example of the incident stream is decided or refused; none breaks off."""
    examples = Path(__file__).parents[3] / "schemas" / "examples"
    files = sorted(examples.glob("ipvi.*/*.json"))
    lines = [json.dumps(json.loads(file.read_text())).encode() for file in files]
    assert len(decided(tmp_path, *lines)) == len(files) > 40


# the command ---------------------------------------------------------------------------------------------------------

app = typer.Typer()
app.command()(replay_command)


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_the_command(tmp_path: Path) -> None:
    path = str(written(tmp_path, [report(1, charged=True), report(2, charged=True)]))
    code, out, error = run(path)
    assert (code, error) == (0, "")
    assert [json.loads(line)["tier"] for line in out.splitlines()] == ["C", "B"]
    _, out, _ = run("--policy", "high-point-seed", path)
    assert [json.loads(line)["tier"] for line in out.splitlines()] == ["C", "C"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gone.jsonl"], "gone.jsonl: No such file or directory"),
        (["--policy", "nowhere", "in.jsonl"], "nowhere: no such policy"),
        (["--policy", "bad.yaml", "in.jsonl"], "bad.yaml, line 1: "),
    ],
)
def test_what_cannot_be_used_is_one_line(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, [report(1)])
    Path("bad.yaml").write_text("id: x\n")
    code, out, error = run(*arguments)
    assert (code, out) == (2, "")
    assert told in error and error.count("\n") == 1


def test_a_missing_file_is_told_before_anything_is_decided(tmp_path: Path) -> None:
    code, out, _ = run(str(written(tmp_path, [report(1)])), str(tmp_path / "gone.jsonl"))
    assert (code, out) == (2, "")
