"""A policy comes into force while records come in, and everybody is decided again: killed in the middle, each once."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import count

import pytest

from schemas.envelope import Event
from schemas.incident import IncidentReported
from schemas.topics import Topic
from services.classifier.policies import usable
from services.cli.policy.activate import activate, redecide
from services.common.errors import IpviError
from tests.harness import kafka
from tests.harness.incidents import Bench, report
from tests.harness.pipeline import Pipeline, pipeline
from tests.harness.postgres import PostgresServer
from tests.harness.replicas import wait_for

OFFENDERS = 100_000 if int(os.environ.get("IPVI_FAULT_SEEDS", "2")) >= 50 else 1_200
SEED, PRACTICE = usable("high-point-seed"), usable("high-point-practice")
LIVE = 40


@pytest.fixture
def county(postgres: PostgresServer) -> Iterator[Pipeline]:
    """The classifier alone: what it says is what the others would act on."""
    url = postgres.create_database()
    with pipeline(url, "high-point-seed", services=("classifier",)) as made:
        yield made
    postgres.drop_database(url)


def name(number: int) -> str:
    return f"O-{number:06}"


def told(number: int) -> list[Event[IncidentReported]]:
    """Two charges each: nobody is on B by the seed, everybody by the practice; every third has one charge."""
    charges = 1 if number % 3 == 0 else 2
    return [
        report(10 * number + n, name(number), day=n, charged=True, victims=["BG"], late=timedelta(hours=1))
        for n in range(1, charges + 1)
    ]


def test_redecide_all(county: Pipeline) -> None:
    county.start("classifier", IPVI_AS_OF="now")
    county.feed(one for number in range(OFFENDERS) for one in told(number))
    county.wait_settled(timeout=1800)
    county.close()

    # Another file, and still the policy that is in force: a replica may not decide under what nobody has activated.
    county.policy = "high-point-practice"
    replica = county.start("classifier", IPVI_AS_OF="now")
    replica.wait_said("policy.file_not_in_force")
    county.feed([report(10 * OFFENDERS + 1, name(OFFENDERS), charged=True, day=1)])
    county.feed([report(10 * OFFENDERS + 2, name(OFFENDERS), charged=True, day=2)])
    county.wait_settled()
    assert county.tiers()[name(OFFENDERS)] == "C"
    county.close()

    doomed = county.start("classifier", IPVI_AS_OF="now", IPVI_FAILPOINTS="kafka.produced=kill@9")
    doomed.wait_said("lane.claimed", county.lanes)
    try:
        asyncio.run(activate(county.settings(), PRACTICE, "r.lindqvist", ["classifier"]))
    except IpviError:  # it may die before all lanes have heard of it; the log has it
        assert not doomed.process.alive
    again_at_work = not doomed.process.alive
    if again_at_work:
        county.start("classifier", IPVI_AS_OF="now").wait_said("lane.claimed", county.lanes)
    wait_for(lambda: in_force(county) == {PRACTICE.digest}, 60, "the policy in force in every lane")
    assert Counter(county.tiers().values())["B"] == 0, "nobody is decided again by that"

    asyncio.run(redecide(county.settings(), "r.lindqvist"))
    for number in range(LIVE):
        county.feed([report(20 * OFFENDERS + number, name(number), day=50, charged=True)])
    if not again_at_work:
        doomed.wait_dead(timeout=120)
        county.start("classifier", IPVI_AS_OF="now")
    second = county.start("classifier", "1", IPVI_AS_OF="now")
    second.wait_said("replica.started")
    second.wait_said("lane.claimed")
    newcomers = 0
    for newcomers in count(1):
        county.feed([report(30 * OFFENDERS + newcomers, f"L-{newcomers:06}", day=1, charged=True)])
        if left(county) == 0:
            break
        assert newcomers < 20_000, "everybody decided again"
        time.sleep(0.02)
    county.wait_settled()
    county.judge_delivery()

    tiers = county.tiers()
    expected = {name(number): alone(number % 3) for number in range(OFFENDERS)}
    expected |= {name(number): "A" if number % 3 else "B" for number in range(LIVE)}
    assert {him: tiers[him] for him in expected} == expected

    said = [
        json.loads(record.value)
        for record in kafka.read_all(county.bootstrap, Topic.DECISIONS)
        if record.value is not None and dict(record.headers)["ce_type"] == b"ipvi.offender.decided.v1"
    ]
    again = Counter(one["offender_id"] for one in said if one["bulk"])
    assert set(again.values()) == {1}, "each once"
    assert all(one["policy"]["digest"] == PRACTICE.digest for one in said if one["bulk"])
    waits = waited(county)
    assert len(waits) == newcomers, "who is new is decided in between"
    print(f"decided after, in ms: p50 {waits[newcomers // 2]}, p99 {waits[newcomers * 99 // 100]}, of {newcomers}")
    moved = {name(number) for number in range(LIVE, OFFENDERS) if number % 3}
    assert moved <= set(again), "everybody whose list another policy changes"
    activated = [
        record
        for record in kafka.read_all(county.bootstrap, Topic.DECISIONS)
        if dict(record.headers)["ce_type"] == b"ipvi.policy.activated.v1"
    ]
    assert len(activated) == county.lanes, "one recorded point in each lane"


def waited(county: Pipeline) -> list[int]:
    """From report to decision of each newcomer, in ms between the broker's time stamps, ascending."""
    at = {
        topic: {
            record.key: record.timestamp
            for record in kafka.read_all(county.bootstrap, topic)
            if record.key and record.key.startswith(b"L-")
        }
        for topic in (Topic.INCIDENTS, Topic.DECISIONS)
    }
    return sorted(decided - at[Topic.INCIDENTS][him] for him, decided in at[Topic.DECISIONS].items())


@cache
def alone(number: int) -> str | None:
    """The tier of who was told with that history, by the new policy."""
    bench = Bench(PRACTICE)
    bench.put(*told(number))
    return bench.offender(name(number)).tier


def in_force(county: Pipeline) -> set[str]:
    return {row.kept for row in county.rows("classifier", "SELECT kept FROM lanes")}


def left(county: Pipeline) -> int:
    query = f"SELECT count(*) AS n FROM offenders WHERE policy <> '{PRACTICE.digest}'"  # noqa: S608
    return int(county.rows("classifier", query)[0].n)
