"""One partner is down for an hour under load: the others do not notice, it catches up in order, and nothing is lost."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

import pytest

from schemas.partner import PartnerErased
from schemas.partner_file import Partner
from schemas.topics import Topic
from services.common.database import database_url
from tests.harness.partner_county import charge, partner_county, received, said, start
from tests.harness.partners import START, expunction, partner
from tests.harness.pipeline import Pipeline
from tests.harness.replicas import wait_for

OFFENDERS = [f"O-{number}" for number in range(8)]
ROUNDS = int(os.environ.get("IPVI_PARTNER_ROUNDS", "60"))
"""One a minute of record time: each offender is charged once more, so that an hour of record time passes."""

DOWN, *UP = PARTNERS = [partner(id="down"), partner(id="up-one"), partner(id="up-two")]


@pytest.fixture
def county() -> Iterator[Pipeline]:
    with partner_county(PARTNERS) as made:
        yield made


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


def times_of(county: Pipeline, of: Partner) -> dict[str, list[datetime]]:
    """Per offender as the partner knows him, the record times of what it was sent, in order."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for event in received(county, of):
        found[event.subject].append(event.time)
    return found


def assert_whole(county: Pipeline, of: Partner, rounds: int) -> None:
    expected = [START + timedelta(minutes=number) for number in range(1, rounds + 1)]
    found = times_of(county, of)
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
        assert max(len(times) for times in times_of(county, DOWN).values()) == 2
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
        (note,) = (event.data for event in received(county, each) if isinstance(event.data, PartnerErased))
        assert len(note.events) == 1
        assert len(note.mentions) == ROUNDS + 1
