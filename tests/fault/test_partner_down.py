"""One partner is down for an hour under load: the others do not notice, it catches up in order, nothing is lost.

Four partners in one process on a real broker: two that read topics, of which one has a database that takes no write, a
webhook whose server is gone, then refuses, then answers late or not at all, and CSV batches. An hour of the service's waits and
batches lasts `IPVI_PARTNER_HOUR_S` seconds (`IPVI_PARTNERS_HOUR_S` of the service). One is down for `IPVI_PARTNER_DOWN_S`
seconds, such an hour if not given; in that time `IPVI_PARTNER_OFFENDERS` are charged sixteen times each.
"""

from __future__ import annotations

import csv
import os
import sqlite3
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.envelope import Message, decode
from schemas.partner import PartnerErased
from schemas.partner_file import Partner
from schemas.topics import Topic
from services.cli.broker.process import free_port
from services.common.database import database_url
from services.partners.domain import Pseudonyms
from services.partners.sender.webhook import LEAST_TIMEOUT_S, TIMEOUT_S
from tests.harness import kafka
from tests.harness.partner_county import charge, partner_county, said
from tests.harness.partners import KEY, START, expunction, partner
from tests.harness.pipeline import Pipeline
from tests.harness.receiver import Reply, Request, receiver
from tests.harness.replicas import ReplicaProcess, wait_for
from tests.harness.webhooks import SECRET

HOUR_S = int(os.environ.get("IPVI_PARTNER_HOUR_S", "5"))
DOWN_S = int(os.environ.get("IPVI_PARTNER_DOWN_S", HOUR_S))
OFFENDERS = [f"O-{number}" for number in range(int(os.environ.get("IPVI_PARTNER_OFFENDERS", "32")))]
BEFORE, DOWN = 8, 16
"""Rounds while all are up, and while one is down; in each everybody is charged once more."""
ROUNDS = BEFORE + DOWN + 1
GONE = "O-gone"
"""Whose first incident is expunged at the end."""

Told = Mapping[str, Sequence[int]]
"""Per offender, the numbers of his charges in the order in which a partner was told of them."""


@dataclass(frozen=True, slots=True)
class County:
    """The broker and the service, and the four partners."""

    pipeline: Pipeline
    port: int
    held: Partner
    topic: Partner
    hook: Partner
    csv: Partner

    def start(self) -> ReplicaProcess:
        return self.pipeline.start(
            "partners",
            IPVI_TICKS="true",  # deliveries leave beside the clock alone
            IPVI_PARTNERS_KEY=KEY.decode(),
            IPVI_PARTNERS_SECRETS=str(self.pipeline.folder),
            IPVI_PARTNERS_BATCHES=str(self.batches),
            IPVI_PARTNERS_HOUR_S=str(HOUR_S),
        )

    @property
    def batches(self) -> Path:
        return self.pipeline.folder / "batches"

    def flow(self, first: int, last: int, seconds: float) -> None:
        """Rounds `first` to `last`, evenly over that time."""
        began = time.monotonic()
        for number in range(first, last + 1):
            self.pipeline.feed([charge(him, number) for him in OFFENDERS], Topic.DECISIONS)
            due = began + seconds * (number - first + 1) / (last - first + 1)
            time.sleep(max(0.0, due - time.monotonic()))

    def told(self, of: Partner, events: Iterable[tuple[str, datetime]]) -> Told:
        """`events`: what it was sent, by subject and time."""
        names = {Pseudonyms.of(KEY, of.id).of_kind("offender", him): him for him in OFFENDERS}
        found: dict[str, list[int]] = defaultdict(list)
        for subject, at in events:
            if subject in names:
                found[names[subject]].append(round((at - START) / timedelta(minutes=1)))
        return found

    def by_topic(self, of: Partner) -> Told:
        return self.told(of, ((event.subject, event.time) for event in self.pipeline.received(of)))

    def by_hook(self, requests: Sequence[Request]) -> Told:
        """By the first time that each came."""
        first = {request.id: request.event for request in reversed(requests)}
        once = [first.pop(request.id) for request in requests if request.id in first]
        return self.told(self.hook, ((each["subject"], datetime.fromisoformat(each["time"])) for each in once))

    def by_csv(self) -> Told:
        found = ((row["offender_id"], datetime.fromisoformat(row["time"])) for row in self.rows("decided.csv"))
        return self.told(self.csv, found)

    @property
    def folders(self) -> list[Path]:
        return sorted((self.batches / self.csv.id).glob("[0-9]*Z"))

    def rows(self, name: str) -> list[dict[str, str]]:
        """Of all periods, in their order, each event once."""
        found: dict[str, dict[str, str]] = {}
        for folder in self.folders:
            with (folder / name).open(encoding="utf-8-sig", newline="") as opened:
                for row in csv.DictReader(opened):
                    found.setdefault(row["event_id"], row)
        return list(found.values())

    def erased_in_csv(self) -> list[dict[str, str]]:
        return [row for row in self.rows("notes.csv") if row["type"] == PartnerErased.TYPE]

    def waits(self, of: Partner) -> Mapping[int, Sequence[float]]:
        """By round, seconds from a decision on its topic to the copy on the partner's, by the broker's clock."""
        seal = Pseudonyms.of(KEY, of.id).of_kind
        found: dict[int, list[float]] = defaultdict(list)
        began = {
            (seal("offender", event.subject), event.time): at for at, event in stamped(self.pipeline, Topic.DECISIONS)
        }
        for at, event in stamped(self.pipeline, of.topic):
            found[round((event.time - START) / timedelta(minutes=1))].append(at - began[event.subject, event.time])
        return found


def stamped(pipeline: Pipeline, topic: str) -> Iterator[tuple[float, Any]]:
    for record in kafka.read_all(pipeline.bootstrap, str(topic)):
        yield record.timestamp / 1000, decode(Message(record.key, record.value, record.headers))


@pytest.fixture
def county() -> Iterator[County]:
    port = free_port()
    webhook = {"kind": "webhook", "url": f"http://127.0.0.1:{port}/events", "private_networks": ["127.0.0.1/32"]}
    made = [
        partner(id="held"), partner(id="topic"), partner(id="hook", delivery=webhook),
        partner(id="csv", delivery={"kind": "csv", "every_hours": 1}),
    ]  # fmt: skip
    with partner_county(made) as pipeline:
        secrets = pipeline.folder / "hook.secrets"
        secrets.touch(mode=0o600)
        secrets.write_text(SECRET)
        yield County(pipeline, port, *made)


@contextmanager
def held(pipeline: Pipeline, of: Partner) -> Iterator[None]:
    """Its database takes no write, as with a full disk or a lock nobody gives back."""
    path = database_url(pipeline.settings(), of.service).database
    assert path is not None
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def late(request: Request) -> Reply:
    """It takes everything; of one in four it says so when nobody waits for it any more."""
    slow = sum(request.id.encode()) % 4 == 0
    time.sleep(0.3 + max(LEAST_TIMEOUT_S, TIMEOUT_S * HOUR_S / 3600) if slow else 0.03)
    return (204, {})


def expected(rounds: int) -> Told:
    return {him: list(range(1, rounds + 1)) for him in OFFENDERS}


def test_one_partner_down_for_an_hour(county: County) -> None:
    pipeline = county.pipeline
    process = county.start()
    pipeline.feed([charge(GONE, 1), charge(GONE, 2)], Topic.DECISIONS)
    pipeline.wait_settled(60)
    with receiver(county.port) as first:
        county.flow(1, BEFORE, HOUR_S * BEFORE / DOWN)
        pipeline.wait_settled(60)
        wait_for(lambda: county.by_hook(first.taken) == expected(BEFORE), 20, "the webhook has all")
    periods, quarter = len(county.folders), DOWN // 4
    with held(pipeline, county.held):
        county.flow(BEFORE + 1, BEFORE + quarter, DOWN_S / 4)  # nobody listens there
        with receiver(county.port) as second:
            second.reply = lambda _: (503, {})
            county.flow(BEFORE + quarter + 1, BEFORE + 2 * quarter, DOWN_S / 4)
            wait_for(lambda: second.seen != [], HOUR_S, "the webhook is tried again")
            assert second.taken == []
            second.reply = late
            county.flow(BEFORE + 2 * quarter + 1, BEFORE + DOWN, DOWN_S / 2)
            pipeline.wait_settled(60, without=[county.held.service])
            assert county.by_topic(county.topic) == expected(BEFORE + DOWN), "each once, in order, within the hour"
            assert max(map(len, county.by_topic(county.held).values())) == BEFORE
            wait_for(lambda: len(county.folders) > periods, 2 * HOUR_S, "a period has ended, and its folder is there")
    process.kill()  # while all that was down catches up
    with receiver(county.port) as again:
        process = county.start()
        county.flow(ROUNDS, ROUNDS, 0)
        pipeline.feed([said(expunction(1, "B", "B", GONE), GONE, ROUNDS + 1)], Topic.DECISIONS)

        def requests() -> list[Request]:
            return [*first.taken, *second.taken, *again.taken]

        pipeline.wait_settled(60)
        wait_for(lambda: county.by_hook(requests()) == expected(ROUNDS), 30 + 4 * HOUR_S, "the webhook has caught up")
        wait_for(lambda: erased_in(requests()) != [] and county.erased_in_csv() != [], 30 + 2 * HOUR_S, "it is erased")
        wait_for(lambda: county.by_csv() == expected(ROUNDS), 30 + 2 * HOUR_S, "the batches have all")
    process.stop()
    pipeline.judge_delivery()
    assert county.by_topic(county.topic) == county.by_topic(county.held) == county.by_csv() == expected(ROUNDS)
    assert (
        pipeline.rows(county.hook.service, "SELECT 1 FROM deliveries WHERE state NOT IN ('delivered', 'erased')") == []
    )
    for each in (county.topic, county.held):
        [note] = [event.data for event in pipeline.received(each) if isinstance(event.data, PartnerErased)]
        assert (len(note.events), len(note.mentions)) == (1, 1)
    gone = Pseudonyms.of(KEY, county.csv.id).of_kind("incident", "NC0990100:001")
    him = Pseudonyms.of(KEY, county.csv.id).of_kind("offender", GONE)
    assert [row["incident_id"] == gone for row in county.rows("decided.csv") if row["offender_id"] == him] == [False]
    assert_as_quick(county.waits(county.topic))
    assert len(requests()) > len({request.id for request in requests()}), "some twice, under the same id"


def assert_as_quick(waits: Mapping[int, Sequence[float]]) -> None:
    """The partner that reads its topic is sent its copies as soon in the hour as before it."""
    before, within = ([s for n in range(*ends) for s in waits[n]] for ends in ((2, BEFORE + 1), (BEFORE + 1, ROUNDS)))
    for share in (50, 95):
        was, now = (statistics.quantiles(each, n=100)[share - 1] for each in (before, within))
        print(f"p{share}: {was:.3f} s while all were up, {now:.3f} s in the hour")
        assert now < 2 * was + 0.5


def erased_in(requests: Sequence[Request]) -> list[Request]:
    return [request for request in requests if request.event["type"] == PartnerErased.TYPE]
