"""Each service killed (-9) at each numbered step, on real Kafka and PostgreSQL: nothing lost, nothing twice, pairs whole."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest

from schemas.topics import Topic
from services.cli.registry import SERVICES
from services.common.failpoints import POINTS
from tests.harness import kafka
from tests.harness.county import County
from tests.harness.pipeline import Pipeline
from tests.harness.pipeline import pipeline as make_pipeline
from tests.harness.postgres import PostgresServer
from tests.harness.replicas import LANES, ReplicaProcess

DOWNSTREAM = ("classifier", "victim_outreach", "notifier")
KILLS = int(os.environ.get("IPVI_FAULT_SEEDS", "2"))
"""Of each service, at each step."""


@pytest.fixture(scope="module")
def county() -> County:
    return County(seed=11, offenders=400)


@pytest.fixture(scope="module")
def shared(postgres: PostgresServer) -> Iterator[Pipeline]:
    """One for all tests of the module: what was fed before stays, and the judge counts it too."""
    url = postgres.create_database()
    with make_pipeline(url) as made:
        yield made
    postgres.drop_database(url)


@pytest.fixture
def pipeline(shared: Pipeline) -> Iterator[Pipeline]:
    """No process outlives its test: two of one name would fence each other for as long as both live."""
    yield shared
    shared.close()


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(pipeline: Pipeline, county: County, point: str) -> None:
    """All three at once, each again and again at one of its passes of the point, which may fall into recovery."""
    chance = random.Random(point)
    kills = dict.fromkeys(DOWNSTREAM, KILLS)

    def start(service: str) -> ReplicaProcess:
        armed = {"IPVI_FAILPOINTS": f"{point}=kill@{chance.randint(1, LANES)}", "IPVI_MAX_BATCH": "3"}
        return pipeline.start(service, **(armed if kills[service] else {}))

    doomed = {service: start(service) for service in DOWNSTREAM}
    fed_at = died_at = time.monotonic()
    pipeline.feed(county.events(20))
    while any(kills.values()):
        if time.monotonic() - max(fed_at, died_at) > 3:  # who has nothing to do comes to no point
            pipeline.feed(county.events(20))
            fed_at = time.monotonic()
        for service, process in doomed.items():
            if kills[service] and not process.process.alive:
                kills[service] -= 1
                doomed[service] = start(service)
                died_at = time.monotonic()
        waiting = [service for service in DOWNSTREAM if kills[service]]
        assert time.monotonic() - died_at < 120, f"{waiting} do not die: {doomed[waiting[0]].tail()}"
        time.sleep(0.1)
    pipeline.wait_settled()
    _judge(pipeline)


def test_two_replicas_one_killed_one_added(pipeline: Pipeline, county: County) -> None:
    first = {service: pipeline.start(service, "a") for service in SERVICES}
    for service in SERVICES:
        pipeline.start(service, "b")
    pipeline.feed(county.events(300))
    for process in first.values():
        process.kill()
    pipeline.feed(county.events(300))
    for service in SERVICES:
        pipeline.start(service, "c")
    pipeline.feed(county.events(300))
    pipeline.wait_settled(timeout=90)
    _judge(pipeline)


def test_nothing_is_released_while_outreach_is_stopped(pipeline: Pipeline, county: County) -> None:
    pipeline.start("classifier", IPVI_TICKS="true", IPVI_AS_OF="now")
    pipeline.start("notifier", IPVI_TICKS="true", IPVI_AS_OF="now")
    pipeline.feed(county.events(200))
    pipeline.wait_settled(without=["victim_outreach"])
    types = [dict(record.headers)["ce_type"] for record in kafka.read_all(pipeline.bootstrap, str(Topic.NOTIFICATIONS))]
    assert b"ipvi.notification.held.v1" in types
    assert b"ipvi.notification.released.v1" not in types


def _judge(pipeline: Pipeline) -> None:
    pipeline.judge_delivery()
    assert pipeline.summary()["pairs"]["incomplete"] == 0
