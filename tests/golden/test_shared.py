"""The golden histories of the design, through `ipvi replay`: every tier and review code, in any order the same end."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from schemas.policy_file import load_policy
from services.cli.replay import replay

SHARED = Path(__file__).parents[3] / "shared" / "golden" / "cases.json"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the shared golden histories are not beside this checkout")
POLICIES = ("high-point-seed", "high-point-practice")


def _cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(SHARED.read_text())
    return cases


def _replayed(events: list[dict[str, Any]], policy: str, folder: Path) -> list[dict[str, Any]]:
    path = folder / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return [json.loads(line) for line in replay(load_policy(policy), [path])]


@pytest.mark.parametrize("policy", POLICIES)
def test_every_tier_and_review(policy: str, tmp_path: Path) -> None:
    cases = _cases()
    events = [event for case in cases for event in case["events"]]
    expected = [(case["case"], each) for case in cases for each in case["expect"][policy]]
    decisions = _replayed(events, policy, tmp_path)
    assert len(decisions) == len(events)
    for (case, wanted), found in zip(expected, decisions, strict=True):
        assert found["tier"] == wanted["tier"], f"case {case}"
        if wanted["review"] is not None:
            assert sorted(found["review"]) == sorted(wanted["review"]), f"case {case}"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("policy", POLICIES)
def test_same_end_in_any_order(policy: str, seed: int, tmp_path: Path) -> None:
    """Each offender's tier after everything, asked for by a repeat of his last event."""
    cases = _cases()
    last = {event["subject"]: event for case in cases for event in case["events"]}
    tiers = {
        event["subject"]: expected["tier"]
        for case in cases
        for event, expected in zip(case["events"], case["expect"][policy], strict=True)
    }
    events = [event for case in cases for event in case["events"]]
    random.Random(seed).shuffle(events)
    decisions = _replayed(events + list(last.values()), policy, tmp_path)[len(events) :]
    assert {found["offender_id"]: found["tier"] for found in decisions} == tiers
