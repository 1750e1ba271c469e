"""A policy comes into force in all three services while reports come in, and each of them dies in the middle of it."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from schemas.envelope import Event
from schemas.topics import Topic
from services.classifier.policies import usable
from services.cli.policy.activate import NotInForceError, activate, redecide
from tests.harness import kafka
from tests.harness.incidents import report
from tests.harness.pipeline import Pipeline, pipeline
from tests.harness.policies import changed
from tests.harness.postgres import PostgresServer
from tests.harness.replicas import wait_for

SERVICES = ("classifier", "notifier", "victim_outreach")
OLD = usable("high-point-seed")
SOON = {"kind": "call", "owner": "system_advocate", "due_within_hours": 12}
NEW = changed(
    usable("high-point-practice"),
    {"id": "our-county", "tiers.C.victim": [SOON], "tiers.C.offender": {"channels": ["face_to_face"]}},
)
PEOPLE = 24
"""On either side of the change; half of them charged twice: B by the new policy, never by the old."""


@pytest.fixture
def county(postgres: PostgresServer) -> Iterator[Pipeline]:
    url = postgres.create_database()
    with pipeline(url, "high-point-seed") as made:
        yield made
    postgres.drop_database(url)


def charges(first: int) -> list[Event[Any]]:
    told = []
    for number in range(first, first + PEOPLE):
        for nth in range(1, 2 + number % 2):
            told.append(report(10 * number + nth, f"O-{number}", day=nth, charged=True, late=timedelta(hours=1)))
    return told


def test_in_all_three(county: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    county.start_all(IPVI_AS_OF="now")
    county.feed(charges(0))
    county.wait_settled()
    county.close()

    # each dies with some of its lanes under the old policy still
    doomed = county.start_all(IPVI_AS_OF="now", IPVI_FAILPOINTS="sql.before_commit=kill@2")
    for replica in doomed.values():
        replica.wait_said("lane.claimed", county.lanes)
    with monkeypatch.context() as patched, pytest.raises(NotInForceError):
        patched.setattr("services.cli.policy.activate.PATIENCE_S", 3.0)
        asyncio.run(activate(county.settings(), NEW, "r.lindqvist"))
    for service, replica in doomed.items():
        replica.wait_dead()
        assert in_force(county, service).count(NEW.digest) < county.lanes, service
    county.feed(charges(PEOPLE)[:PEOPLE])
    county.start_all(IPVI_AS_OF="now")
    wait_for(
        lambda: all(set(in_force(county, each)) == {NEW.digest} for each in SERVICES), 60, "one policy in every lane"
    )
    county.feed(charges(2 * PEOPLE))
    asyncio.run(activate(county.settings(), NEW, "r.lindqvist"))  # again: nothing changes
    county.wait_settled()
    county.judge_delivery()

    one_point_in_each_lane(county)
    later_ones = {f"O-{number}": number % 2 for number in range(2 * PEOPLE, 3 * PEOPLE)}
    assert {him: county.tiers()[him] for him in later_ones} == {
        him: "B" if two else "C" for him, two in later_ones.items()
    }
    assert {county.tiers()[f"O-{number}"] for number in range(PEOPLE)} == {"C"}, "nobody is decided again by that"
    clocks(county)
    pairs = county.summary()["pairs"]
    assert (pairs["incomplete"], pairs["complete"] > 0) == (0, True)

    asyncio.run(redecide(county.settings(), "r.lindqvist"))
    wait_for(lambda: not left(county), 60, "everybody decided again")
    county.wait_settled()
    county.judge_delivery()
    assert {him: tier for him, tier in county.tiers().items() if him in first_ones()} == first_ones()
    assert county.summary()["pairs"]["incomplete"] == 0
    held = {
        row.offender_id: row.state
        for row in county.rows("notifier", "SELECT offender_id, tier, state FROM notifications WHERE tier = 'B'")
    }
    again = {him for him, tier in first_ones().items() if tier == "B"}
    assert {him: held[him] for him in again} == dict.fromkeys(again, "held"), "a person releases them"


def first_ones() -> dict[str, str]:
    return {f"O-{number}": "B" if number % 2 else "C" for number in range(PEOPLE)}


def in_force(county: Pipeline, service: str) -> list[str | None]:
    return [row.kept for row in county.rows(service, "SELECT kept FROM lanes")]


def left(county: Pipeline) -> int:
    query = f"SELECT count(*) AS n FROM offenders WHERE policy <> '{NEW.digest}'"  # noqa: S608
    return int(county.rows("classifier", query)[0].n)


def one_point_in_each_lane(county: Pipeline) -> None:
    """Before it every decision names the old policy, after it the new."""
    named: dict[int, list[str]] = defaultdict(list)
    for record in kafka.read_all(county.bootstrap, Topic.DECISIONS):
        data = json.loads(record.value or b"{}")
        kind = dict(record.headers)["ce_type"]
        named[record.partition].append("point" if kind == b"ipvi.policy.activated.v1" else data["policy"]["digest"])
    for lane, digests in named.items():
        at = digests.index("point")
        assert set(digests[:at]) == {OLD.digest}, lane
        assert set(digests[at + 1 :]) - {"point"} == {NEW.digest}, lane
    assert len(named) == county.lanes


def clocks(county: Pipeline) -> None:
    """Her call is due by the policy that was in force when his list was told; what was open keeps its time."""
    rows = county.rows(
        "victim_outreach",
        "SELECT tasks.offender_id, kind, tasks.due_at, tasks.opened_at, tier FROM tasks "
        "JOIN referrals ON referrals.referral_id = tasks.referral_id WHERE kind = 'call' AND tier = 'C'",
    )
    found = defaultdict(set)
    for row in rows:
        found[int(row.offender_id.removeprefix("O-")) // PEOPLE].add(row.due_at - row.opened_at)
    assert found[0] == {timedelta(hours=48)}
    assert found[2] == {timedelta(hours=12)}
    channels = {
        (int(row.offender_id.removeprefix("O-")) // PEOPLE, row.channel)
        for row in county.rows("notifier", "SELECT offender_id, channel FROM notifications WHERE tier = 'C'")
    }
    assert {channel for group, channel in channels if group == 2} == {"face_to_face"}
