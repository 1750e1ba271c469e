"""One partner is down for an hour under load: the others do not notice, it catches up in order, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.envelope import Classification, Event, deterministic_id
from schemas.partner_file import Partner
from schemas.topics import Topic
from services.cli.serve import migrate_all
from services.cli.topics import create_topics
from services.common.database import database_url
from tests.harness import kafka
from tests.harness.partners import START, decision, expunction, partner
from tests.harness.pipeline import Pipeline
from tests.harness.replicas import wait_for

LANES = 2
OFFENDERS = [f"O-{number}" for number in range(8)]
ROUNDS = int(os.environ.get("IPVI_PARTNER_ROUNDS", "60"))
"""One a minute of record time: each offender is charged once more, so that an hour of record time passes."""

DOWN, *UP = PARTNERS = [partner(id="down"), partner(id="up-one"), partner(id="up-two")]


@pytest.fixture
def county() -> Iterator[Pipeline]:
    with (
        tempfile.TemporaryDirectory(prefix="ipvi-partners-", ignore_cleanup_errors=True) as folder,
        kafka.embedded_broker() as broker,
    ):
        create_topics(broker.bootstrap_servers, LANES, [each.topic for each in PARTNERS])
        files = Path(folder) / "files"
        files.mkdir()
        for each in PARTNERS:
            (files / f"{each.id}.yaml").write_text(each.model_dump_json(by_alias=True))
        made = Pipeline(broker.bootstrap_servers, None, Path(folder), "high-point-practice", LANES, services=())
        asyncio.run(migrate_all(made.settings(), partners=PARTNERS))
        made.services = [each.service for each in PARTNERS]
        try:
            yield made
        finally:
            made.close()


def start(county: Pipeline) -> Any:
    return county.start("partners", IPVI_PARTNERS=str(county.folder / "files"))


def charge(him: str, number: int) -> Event[Any]:
    tier = "CBA"[min(number, 3) - 1]
    previous = None if number == 1 else "CBA"[min(number - 1, 3) - 1]
    data = decision(number, tier, previous, him=him, evidence=[f"NC0990100:{n:03}" for n in range(1, number + 1)])
    return said(data, him, number)


def said(data: Any, him: str, minute: int) -> Event[Any]:
    at = START + timedelta(minutes=minute)
    return Event(
        id=deterministic_id("test", him, minute, data.decision_id), source="/tests", subject=him, time=at,
        recordedtime=at, data=data, dataclassification=Classification.INTERNAL,
    )  # fmt: skip


def feed(county: Pipeline, first: int, last: int) -> None:
    for number in range(first, last + 1):
        county.feed([charge(him, number) for him in OFFENDERS], Topic.DECISIONS)


@contextmanager
def held(county: Pipeline, of: Partner) -> Iterator[None]:
    """Its database takes no write, as with a full disk or a lock nobody gives back."""
    path = database_url(county.settings(), of.service).database
    assert path is not None
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def received(county: Pipeline, of: Partner) -> dict[str, list[datetime]]:
    """Per offender as the partner knows him, the record times of what it was sent, as they lie on its topic."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for record in kafka.read_all(county.bootstrap, of.topic):
        assert record.key is not None
        found[record.key.decode()].append(datetime.fromisoformat(dict(record.headers)["ce_time"].decode()))
    return found


def assert_whole(county: Pipeline, of: Partner, rounds: int) -> None:
    expected = [START + timedelta(minutes=number) for number in range(1, rounds + 1)]
    found = received(county, of)
    assert len(found) == len(OFFENDERS)
    assert all(times == expected for times in found.values()), "each once, in order"


def test_one_partner_down_for_an_hour(county: Pipeline) -> None:
    process = start(county)
    feed(county, 1, 2)
    county.wait_settled(60)
    with held(county, DOWN):
        took = []
        for number in range(3, ROUNDS + 1):
            feed(county, number, number)
            began = time.monotonic()
            if number % 10 == 0:
                county.wait_settled(30, without=[DOWN.service])
                took.append(time.monotonic() - began)
        county.wait_settled(30, without=[DOWN.service])
        for each in UP:
            assert_whole(county, each, ROUNDS)
        assert max(len(times) for times in received(county, DOWN).values()) == 2
        assert max(took) < 15, "the others are as quick as ever"
    wait_for(lambda: county.settled(), 60, "the partner that was down has caught up")
    assert_whole(county, DOWN, ROUNDS)
    county.judge_delivery()
    process.kill()  # at any moment: what is sent once stays sent once
    feed(county, ROUNDS + 1, ROUNDS + 2)
    him = OFFENDERS[0]
    county.feed([said(expunction(1, "A", "A", him), him, ROUNDS + 3)], Topic.DECISIONS)
    start(county)
    county.wait_settled(60)
    county.judge_delivery()
    for each in PARTNERS:
        notes = [
            orjson.loads(record.value or b"")
            for record in kafka.read_all(county.bootstrap, each.topic)
            if dict(record.headers)["ce_type"] == b"ipvi.partner.erased.v1"
        ]
        assert [len(note["events"]) for note in notes] == [1]
        assert len(notes[0]["mentions"]) == ROUNDS + 1
