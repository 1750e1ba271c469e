"""Each service killed (-9) at each numbered step, on real Kafka and PostgreSQL: nothing lost, nothing twice, pairs whole."""

from __future__ import annotations

import os
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
from tests.harness.replicas import LANES

DOWNSTREAM = ("classifier", "victim_outreach", "notifier")
ROUNDS = max(1, int(os.environ.get("IPVI_FAULT_SEEDS", "2")) // 2)
"""Two kills a step and service in each."""


@pytest.fixture(scope="module")
def county() -> County:
    return County(seed=11)


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


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("point", POINTS)
def test_killed_at(pipeline: Pipeline, county: County, point: str, round_: int) -> None:
    """All three, each at its own pass of the point, then once more at another pass, which may fall into recovery."""
    first, second = round_ % LANES + 1, (round_ + 1) % LANES + 1
    doomed = pipeline.start_all(IPVI_FAILPOINTS=f"{point}=kill@{first}", IPVI_MAX_BATCH="3")
    pipeline.feed(county.events(60))
    for service in DOWNSTREAM:  # each comes to its point once those upstream say something again
        doomed[service].wait_dead(timeout=120)
        again = pipeline.start(service, IPVI_FAILPOINTS=f"{point}=kill@{second}", IPVI_MAX_BATCH="3")
        pipeline.feed(county.events(20))
        again.wait_dead(timeout=120)
        pipeline.start(service)
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
