"""`ipvi policy diff`: whom another policy would move; the same as deciding every history twice and looking."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from schemas.classification import Tier
from schemas.envelope import Event, to_json_line
from schemas.incident import Offense, ProhibitedBehavior
from schemas.policy import Policy
from services.cli.main import app
from services.cli.policy.diff import report
from services.cli.policy.difference import Difference, difference
from services.cli.replay import Replay
from services.cli.simulate.county import County
from services.cli.simulate.feed import Format, feed
from services.intake.cloudevents import event_of
from services.intake.lines import Line, Source
from tests.golden import explained
from tests.harness.incidents import PRACTICE, SEED, merged, noticed, split
from tests.harness.incidents import report as incident
from tests.harness.policies import changed


def found(
    tmp_path: Path, *events: Event[Any] | bytes, before: Policy = SEED, after: Policy = PRACTICE, jobs: int = 1
) -> Difference:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join((one if isinstance(one, bytes) else to_json_line(one)) + b"\n" for one in events))
    return difference(before, after, [Source(file)], jobs=jobs)


def histories(people: int, seed: int = 1) -> list[bytes]:
    """A made-up county's lines."""
    return [line.rstrip(b"\n") for line in feed(County(seed=seed, offenders=people), Format.INCIDENTS)]


def by_replay(lines: list[bytes], before: Policy, after: Policy) -> Counter[tuple[Tier | None, Tier | None]]:
    """Each person's tier at the end of all lines, decided under one policy and under the other."""
    runs = Replay(before), Replay(after)
    people: dict[str, None] = {}
    for line in lines:
        try:
            event = event_of(Line(0, line, len(line)))
            people |= dict.fromkeys([event.subject, getattr(event.data, "new_offender_id", event.subject)])
            for run in runs:
                run.decide(event)
        except ValueError:
            continue
    ends = dict.fromkeys(runs[0].offender(person).offender_id for person in people)
    known = [person for person in ends if runs[0].offender(person).history.strands]
    return Counter((runs[0].offender(person).tier, runs[1].offender(person).tier) for person in known)


@pytest.mark.parametrize(
    "after",
    [
        PRACTICE,
        changed(SEED, {"stale_after_days": 5, "codes.child_in_common": False}),
        changed(PRACTICE, {"adult_age": 30}),
    ],
    ids=["practice", "reads-otherwise", "thirty"],
)
def test_it_is_what_replay_says(tmp_path: Path, after: Policy) -> None:
    """Simulated histories, and the golden ones with their merges, splits, repeats, retractions and expunctions."""
    golden = [
        to_json_line(event_of(Line(0, raw, len(raw))))
        for case in explained.histories("own")
        for raw in (json.dumps(event).encode() for event in case["events"])
    ]
    lines = [*golden, *histories(300, seed=7)]
    expected = by_replay(lines, SEED, after)
    assert found(tmp_path, *lines, before=SEED, after=after).moves == expected


def test_two_processes_say_the_same(tmp_path: Path) -> None:
    lines = histories(700, seed=3)
    one, two = found(tmp_path, *lines), found(tmp_path, *lines, jobs=2)
    assert (one.moves, one.new, one.cancelled, sorted(one.moved)) == (
        two.moves,
        two.new,
        two.cancelled,
        sorted(two.moved),
    )
    assert (
        one.people == two.people > 700
        and len(one.moved) == sum(n for (was, now), n in one.moves.items() if was is not now) > 0
    )


def test_notices(tmp_path: Path) -> None:
    """New for the list he would be on, cancelled for the one he would leave; served is served."""
    two = [incident(1, charged=True), incident(2, charged=True)]
    one = found(tmp_path, *two)
    assert (one.moves, one.new, one.cancelled) == (Counter({("C", "B"): 1}), Counter("B"), Counter("C"))
    assert (one.gaps, one.listed, one.corrected) == ((1, 0), 0, Counter())
    one = found(tmp_path, *two, noticed("C", day=3))
    assert (one.new, one.cancelled, one.corrected) == (Counter("B"), Counter(), Counter("C"))
    one = found(tmp_path, *two, noticed("B", day=3))
    assert (one.new, one.cancelled) == (Counter(), Counter("C")), "one notice a list"
    one = found(tmp_path, *[incident(number, charged=True, bulk=True) for number in (1, 2)])
    assert (one.new, one.listed) == (Counter("B"), 1)


def test_a_list_without_a_notice(tmp_path: Path) -> None:
    none = changed(SEED, {"tiers.D.offender": None})
    assert found(tmp_path, incident(1), before=SEED, after=none).cancelled == Counter("D")
    assert found(tmp_path, incident(1), before=none, after=SEED).new == Counter("D")


def test_who_is_tied_to_whom(tmp_path: Path) -> None:
    """Told apart and merged in one file, also before the incidents come."""
    one = found(
        tmp_path,
        merged("O-2", "O-1"),
        incident(1, "O-1", charged=True),
        incident(2, "O-2", charged=True),
        incident(3, "O-3", charged=True),
        incident(4, "O-3", charged=True),
        split([4], "O-4", "O-3"),
    )
    assert one.people == 3
    assert one.moves == Counter({("C", "B"): 1, ("C", "C"): 2})


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    one = found(tmp_path, b"nonsense", b"", b"[]", b'{"subject": 3}', incident(1), incident(1, charged=True))
    assert (one.people, one.refused) == (1, 5)


def test_the_report(tmp_path: Path) -> None:
    one = found(tmp_path, incident(1, charged=True), incident(2, charged=True), incident(3, "O-2"))
    text = "\n".join(report(SEED, PRACTICE, one))
    assert f"from high-point-seed, version 1, digest {SEED.digest}" in text
    assert "2 people, 3 incidents; 0 lines passed over" in text
    assert "moved: 1 (1 higher, 0 lower)" in text
    assert "new notices: 1 (B 1); for 0 of them a person opens the incident first" in text
    assert "cancelled notices: 1 (C 1)" in text
    assert "reviews no_rule: 1, then 0" in text
    row = next(line for line in text.splitlines() if line.startswith("C "))
    assert row.split() == ["C", "0", "1", "0", "0", "0"]


def test_the_command(tmp_path: Path) -> None:
    file, moved = tmp_path / "events.jsonl", tmp_path / "moved.tsv"
    file.write_bytes(b"\n".join(to_json_line(one) for one in (incident(1, charged=True), incident(2, charged=True))))
    given = [
        "policy",
        "diff",
        "high-point-seed",
        "high-point-practice",
        str(file),
        "--jobs",
        "1",
        "--moved",
        str(moved),
    ]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    assert "moved: 1 (1 higher, 0 lower)" in done.stdout
    assert moved.read_text() == "O-1\tC\tB\n"


def test_a_bar_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(histories(50)))
    shown = io.StringIO()
    difference(SEED, PRACTICE, [Source(file)], console=Console(file=shown, force_terminal=True, width=80))
    assert re.search(r"m(\d\d)/\1\x1b", shown.getvalue())


def test_a_county_that_counts_threats_as_prohibited(tmp_path: Path) -> None:
    threats = changed(PRACTICE, {"violations.charged_offenses": ["13C"], "violations.behavior": ["notice_terms"]})
    one = found(
        tmp_path,
        incident(1, offenses=[Offense(code="13C", charged=True)]),
        incident(2, "O-2", charged=True, breach=[ProhibitedBehavior.PROBATION]),
        before=PRACTICE,
        after=threats,
    )
    assert one.moves == Counter({("C", "B"): 1, ("B", "C"): 1})
