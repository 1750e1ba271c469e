"""Histories with the tier and the review codes after each event, through `ipvi replay`, in any order of arrival."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import from_json_line
from schemas.policy_file import load_policy
from schemas.rejects import InvalidRecord
from services.cli.replay import Replay, replay
from tests.golden import build
from tests.golden.variants import Variant, variants

SHARED = Path(__file__).parents[3] / "shared" / "golden" / "cases.json"
"""The contract's own cases: beside the repository where it is developed; `histories.jsonl` stands by itself."""
POLICIES = {name: load_policy(name) for name in ("high-point-seed", "high-point-practice")}

Case = dict[str, Any]


def cases() -> Iterator[Any]:
    for line in build.HISTORIES.read_text().splitlines():
        case = json.loads(line)
        yield pytest.param(case, id=f"own-{case['case']}")
    for case in json.loads(SHARED.read_text()) if SHARED.is_file() else ():
        yield pytest.param(case, id=f"shared-{case['case']}")


ALL = list(cases())


def lines_of(case: Case) -> list[bytes]:
    return [json.dumps(event).encode() for event in case["events"]]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("case", ALL)
def test_after_each_event(case: Case, policy: str, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(lines_of(case)) + b"\n")
    decided = [json.loads(line) for line in replay(POLICIES[policy], [file])]
    assert len(decided) == len(case["events"])
    assert [_told(one, expected) for one, expected in zip(decided, case["expect"][policy], strict=True)] == [
        {key: value for key, value in expected.items() if value is not None or key == "tier"}
        for expected in case["expect"][policy]
    ]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("case", [one for one in ALL if "error" not in json.dumps(one.values[0]["expect"])])
def test_any_order_of_arrival_ends_alike(case: Case, policy: str) -> None:
    events = [from_json_line(line) for line in lines_of(case)]
    people = sorted({event.subject for event in events})
    expected = _end(policy, events, people)
    for seed in range(5):
        shuffled = list(events)
        random.Random(seed).shuffle(shuffled)
        assert _end(policy, shuffled, people) == expected


@pytest.mark.parametrize("variant", variants(), ids=lambda variant: variant.id)
def test_under_a_policy_that_differs_in_one_setting(variant: Variant) -> None:
    """`variants.yaml`, which was written before the code that computes it; what it does not name ends as under its base."""
    numbers: dict[str, dict[int, str]] = {"own": {}, "shared": {}}
    told = {"own": variant.own, "shared": variant.shared}
    for param in ALL:
        case, kind = param.values[0], param.id.split("-")[0]
        base = _letters([one.get("tier", "!") for one in case["expect"][variant.base]])
        expected = told[kind].get(case["case"], base)
        found = _letters(_tiers(variant, case))
        if found != expected:
            numbers[kind][case["case"]] = found
    assert numbers == {"own": {}, "shared": {}}
    assert any(told.values()), "a setting that changes no history is not tried at all"


def test_all_histories_as_one_file(tmp_path: Path) -> None:
    """People are not mixed up: the same lines as by themselves."""
    whole = [json.loads(line) for line in build.HISTORIES.read_text().splitlines()]
    policy = POLICIES["high-point-practice"]
    files, apart = [], []
    for case in whole:
        file = tmp_path / f"{case['case']}.jsonl"
        file.write_bytes(b"\n".join(lines_of(case)))
        files.append(file)
        apart += list(replay(policy, [file]))
    assert list(replay(policy, files)) == apart


def test_the_file_is_what_the_script_writes() -> None:
    """Mended by `python -m tests.golden.build`."""
    made = [case.line(number) for number, case in enumerate(build.cases(), start=1)]
    assert build.HISTORIES.read_bytes().splitlines() == made


def _told(decided: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """Of a decision what is asserted: null is not."""
    if "error" in decided:
        return {"error": decided["error"]["code"]}
    return {key: decided[key] for key in expected if expected[key] is not None or key == "tier"}


def _letters(tiers: list[str | None]) -> str:
    return "".join(tier or "-" for tier in tiers)


def _tiers(variant: Variant, case: Case) -> list[str | None]:
    run = Replay(variant.policy)
    tiers: list[str | None] = []
    for line in lines_of(case):
        try:
            tiers.append(run.decide(from_json_line(line)).tier)
        except InvalidRecord:
            tiers.append("!")
    return tiers


def _end(policy: str, events: list[Any], people: list[str]) -> list[Any]:
    run = Replay(POLICIES[policy])
    for event in events:
        try:
            run.decide(event)
        except InvalidRecord as invalid:
            pytest.fail(f"refused: {invalid}")
    ends = [run.offender(person) for person in people]
    return [(one.offender_id, one.tier, one.since, set(one.reviews), one.referrals) for one in ends]
