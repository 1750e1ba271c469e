"""The golden histories through the whole pipeline on real Kafka: the same tiers, read from state, in any order."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import Data, Event, from_json_line
from schemas.incident import IncidentReported
from tests.harness.pipeline import Pipeline, pipeline

SHARED = Path(__file__).parents[3] / "shared" / "golden" / "cases.json"
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the shared golden histories are not beside this checkout")

POLICIES = ("high-point-seed", "high-point-practice")


@pytest.fixture(scope="module", params=POLICIES)
def golden(request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    with pipeline(None, request.param) as made:
        made.start_all()
        yield made


def test_same_tiers_in_the_given_order(golden: Pipeline) -> None:
    cases = _cases()
    golden.feed(_as_reported(event, "") for case in cases for event in case["events"])
    golden.wait_settled()
    assert _tiers(golden, "") == _expected(cases, golden.policy)
    golden.judge_delivery()
    assert golden.summary()["pairs"]["incomplete"] == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_same_end_in_a_shuffled_order(golden: Pipeline, seed: int) -> None:
    """Each run with offenders and incidents of its own, so that one pipeline serves them all."""
    cases = _cases()
    events = [_as_reported(event, f"s{seed}") for case in cases for event in case["events"]]
    random.Random(seed).shuffle(events)
    golden.feed(events)
    golden.wait_settled()
    assert _tiers(golden, f"s{seed}") == _expected(cases, golden.policy)
    golden.judge_delivery()


def _cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads(SHARED.read_text())
    return cases


def _expected(cases: list[dict[str, Any]], policy: str) -> dict[str, str | None]:
    """Each offender's tier after the last event that was about him."""
    tiers: dict[str, str | None] = {}
    for case in cases:
        for event, expected in zip(case["events"], case["expect"][policy], strict=True):
            tiers[event["subject"]] = expected["tier"]
    return tiers


def _tiers(golden: Pipeline, suffix: str) -> dict[str, str | None]:
    found = golden.tiers()
    subjects = {event["subject"] for case in _cases() for event in case["events"]}
    return {subject: found.get(_renamed(subject, suffix)) for subject in subjects}


def _renamed(text: str, suffix: str) -> str:
    """Offenders, victims, incidents and arrests of a case under another number: `01-O1` as `01s2-O1`."""
    return re.sub(r"\b(A?\d\d)-(?=[OV]|\d{3}\b)", rf"\1{suffix}-", text)


def _as_reported(event: dict[str, Any], suffix: str) -> Event[Data]:
    """The event under the run's names, recorded when it was reported."""
    read = from_json_line(_renamed(json.dumps({**event, "id": event["id"] + suffix}), suffix).encode())
    at = read.data.reported_at if isinstance(read.data, IncidentReported) else read.time
    return replace(read, recordedtime=at)
