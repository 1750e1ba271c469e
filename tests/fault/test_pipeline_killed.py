"""Each service killed (-9) at each numbered step, on real Kafka and PostgreSQL: nothing lost, nothing twice, pairs whole.

The partners' service dies with them at a few of the points, at all of them where more seeds are asked for (`make fault`).
"""

from __future__ import annotations

import os
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import pytest

from schemas.envelope import Message
from schemas.partner import PartnerDecided
from schemas.topics import Topic
from services.cli.registry import SERVICES
from services.common.failpoints import POINTS
from tests.harness import kafka
from tests.harness.county import County
from tests.harness.partners import KEY, Bench, partner
from tests.harness.pipeline import Pipeline
from tests.harness.pipeline import pipeline as make_pipeline
from tests.harness.postgres import PostgresServer
from tests.harness.replicas import LANES, ReplicaProcess

DOWNSTREAM = ("classifier", "victim_outreach", "notifier")
KILLS = int(os.environ.get("IPVI_FAULT_SEEDS", "2"))
"""Of each service, at each step."""
PARTNER = partner()
PARTNERS_AT = frozenset(POINTS) if KILLS > 2 else frozenset({"claim.recovery", "sql.committed", "kafka.end_txn"})


@pytest.fixture(scope="module")
def county() -> County:
    return County(seed=11, offenders=400)


@pytest.fixture(scope="module")
def shared(postgres: PostgresServer) -> Iterator[Pipeline]:
    """One for all tests of the module: what was fed before stays, and the judge counts it too."""
    url = postgres.create_database()
    with make_pipeline(url, partners=[PARTNER]) as made:
        yield made
    postgres.drop_database(url)


@pytest.fixture
def pipeline(shared: Pipeline) -> Iterator[Pipeline]:
    """No process outlives its test: two of one name would fence each other for as long as both live."""
    yield shared
    shared.close()


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(pipeline: Pipeline, county: County, point: str) -> None:
    """All at once, each again and again at one of its passes of the point, which may fall into recovery."""
    chance = random.Random(point)
    services = (*DOWNSTREAM, "partners") if point in PARTNERS_AT else DOWNSTREAM
    kills = dict.fromkeys(services, KILLS)

    def start(service: str) -> ReplicaProcess:
        armed = {"IPVI_FAILPOINTS": f"{point}=kill@{chance.randint(1, LANES)}", "IPVI_MAX_BATCH": "3"}
        return pipeline.start(service, IPVI_PARTNERS_KEY=KEY.decode(), **(armed if kills[service] else {}))

    doomed = {service: start(service) for service in services}
    fed_at = died_at = time.monotonic()
    pipeline.feed(county.events(100))
    while any(kills.values()):
        if time.monotonic() - max(fed_at, died_at) > 3:  # who has nothing to do comes to no point
            pipeline.feed(county.events(20))
            fed_at = time.monotonic()
        for service, process in doomed.items():
            if kills[service] and not process.process.alive:
                kills[service] -= 1
                doomed[service] = start(service)
                died_at = time.monotonic()
        waiting = [service for service in services if kills[service]]
        assert time.monotonic() - died_at < 120, f"{waiting} do not die: {doomed[waiting[0]].tail()}"
        time.sleep(0.1)
    pipeline.wait_settled(without=() if "partners" in services else [PARTNER.service])
    _judge(pipeline)
    if "partners" in services:
        _judge_copies(pipeline)


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
    pipeline.wait_settled(timeout=90, without=[PARTNER.service])
    _judge(pipeline)


def test_nothing_is_released_while_outreach_is_stopped(pipeline: Pipeline, county: County) -> None:
    pipeline.start("classifier", IPVI_TICKS="true", IPVI_AS_OF="now")
    pipeline.start("notifier", IPVI_TICKS="true", IPVI_AS_OF="now")
    pipeline.feed(county.events(200))
    pipeline.wait_settled(without=["victim_outreach", PARTNER.service])
    types = [dict(record.headers)["ce_type"] for record in kafka.read_all(pipeline.bootstrap, str(Topic.NOTIFICATIONS))]
    assert b"ipvi.notification.held.v1" in types
    assert b"ipvi.notification.released.v1" not in types


def _judge(pipeline: Pipeline) -> None:
    pipeline.judge_delivery()
    assert pipeline.summary()["pairs"]["incomplete"] == 0


def _judge_copies(pipeline: Pipeline) -> None:
    """The partner was sent what one undisturbed reading of the decisions gives, lane by lane in that order, each once."""
    bench = Bench(PARTNER)
    expected: dict[int, list[str]] = defaultdict(list)
    for record in kafka.read_all(pipeline.bootstrap, str(Topic.DECISIONS)):
        before = len(bench.rows)
        at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
        bench.take(Topic.DECISIONS, Message(record.key, record.value, record.headers), at)
        expected[record.partition] += _copies(row.headers for row in bench.rows[before:])
    seen: dict[int, list[str]] = defaultdict(list)
    for record in kafka.read_all(pipeline.bootstrap, PARTNER.topic):
        seen[record.partition] += _copies([record.headers])
    lanes = expected.keys() | seen.keys()
    assert {lane: seen[lane] for lane in lanes} == {lane: expected[lane] for lane in lanes}
    assert sum(map(len, seen.values())) > 20


def _copies(all_headers: Iterable[Iterable[tuple[str, bytes]]]) -> list[str]:
    """Ids of those that are of decisions."""
    found = map(dict, all_headers)
    return [each["ce_id"].decode() for each in found if each["ce_type"].decode() == PartnerDecided.TYPE]
