"""The services as processes on real Kafka, the partners' among them, fed with events; and the judge of the whole."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import text

from schemas.envelope import Data, Event, Message, decode, encode
from schemas.partner_file import Partner
from schemas.topics import Topic
from services.cli.registry import SERVICES
from services.cli.serve import migrate_all
from services.cli.summary import Summary, summarise
from services.cli.topics import create_topics
from services.common.database import Database, database_url
from services.common.records import lane_of
from services.common.settings import CommonSettings
from services.intake.domain import IngestSummary
from tests.harness import kafka
from tests.harness.replicas import LANES, ReplicaProcess, wait_for

OUTPUTS = (Topic.DECISIONS, Topic.REFERRALS, Topic.OUTREACH, Topic.OUTREACH_GATES, Topic.NOTIFICATIONS)


class Pipeline:
    """All services on one broker and one database (`url` None: SQLite files)."""

    def __init__(
        self,
        bootstrap: str,
        url: str | None,
        folder: Path,
        policy: str,
        lanes: int = LANES,
        services: Sequence[str] = tuple(SERVICES),
        partners: Sequence[Partner] = (),
    ) -> None:
        self.bootstrap = bootstrap
        self.url = url
        self.folder = folder
        self.policy = policy
        self.lanes = lanes
        self.fed = 0
        self._of_partners = [each.service for each in partners]
        self.services = [*services, *self._of_partners]
        """By group and tables: those of services, and of each partner its own."""
        self._processes: list[ReplicaProcess] = []
        self.partner_files.mkdir(exist_ok=True)
        for each in partners:
            (self.partner_files / f"{each.id}.yaml").write_text(each.model_dump_json(by_alias=True))
        own = ["partners"] if partners else []
        asyncio.run(migrate_all(self.settings(), [*services, *own], partners))

    @property
    def partner_files(self) -> Path:
        """What `IPVI_PARTNERS` names."""
        return self.folder / "files"

    def settings(self) -> CommonSettings:
        return CommonSettings(
            KAFKA_BOOTSTRAP_SERVERS=self.bootstrap,
            DATABASE_URL=self.url,
            home=self.folder,
            policy=self.policy,
            partitions=self.lanes,
        )

    def start(
        self, service: str, replica: str = "0", module: str = "services.cli.main", **environment: str
    ) -> ReplicaProcess:
        """One replica of one service, ticks off and record time as reported unless said otherwise."""
        given = {
            "IPVI_POLICY": self.policy,
            "IPVI_AS_OF": "reported",
            "IPVI_SESSION_TIMEOUT_MS": "10000",
            "IPVI_PARTNERS": str(self.partner_files),
            **environment,
        }
        process = ReplicaProcess(self, f"{service}-{replica}", given, (module, "serve", service))
        self._processes.append(process)
        return process

    def start_all(self, **environment: str) -> dict[str, ReplicaProcess]:
        """All but the partners' service."""
        ours = [service for service in self.services if service not in self._of_partners]
        return {service: self.start(service, **environment) for service in ours}

    def feed(self, events: Iterable[Event[Data]], topic: Topic = Topic.INCIDENTS) -> None:
        """Put events on a topic, in order, each on the partition of its key."""
        records = []
        for event in events:
            message = encode(event)
            assert message.key is not None
            records.append((lane_of(message.key.decode(), self.lanes), message.key, message.value, message.headers))
        self.fed += len(records)
        kafka.produce(self.bootstrap, str(topic), records)

    def received(self, of: Partner) -> list[Event[Any]]:
        """What lies on its topic before a `read_committed` reader, by partition and offset."""
        records = kafka.read_all(self.bootstrap, of.topic)
        return [decode(Message(record.key, record.value, record.headers)) for record in records]

    def close(self) -> None:
        for process in self._processes:
            process.kill()

    # the judge -------------------------------------------------------------------------------------------------------

    def rows(self, service: str, statement: str) -> list[Any]:
        """What SQL of one service says now."""

        async def ask() -> list[Any]:
            database = Database(database_url(self.settings(), service), service, pool_size=1)
            try:
                async with database.read() as conn:
                    return list(await conn.execute(text(statement)))
            finally:
                await database.close()

        return asyncio.run(ask())

    def settled(self, without: Sequence[str] = ()) -> bool:
        """Every service but those at the end of every input, and all of it published."""
        for service in [service for service in self.services if service not in without]:
            rows = self.rows(service, "SELECT topic, lane, next_offset, published FROM positions")
            topics = sorted({row.topic for row in rows})
            if not topics:
                return False
            ends = kafka.end_offsets(self.bootstrap, topics, "read_uncommitted")
            at = {(row.topic, row.lane): (row.next_offset, row.published) for row in rows}
            if any(at.get(place) != (end, end) for place, end in ends.items()):
                return False
        return True

    def wait_settled(self, timeout: float = 120, without: Sequence[str] = ()) -> None:
        """Twice in a row: in between, each could answer what the other said last."""
        for _ in range(2):
            wait_for(lambda: self.settled(without), timeout, "all services settled")

    def summary(self) -> Summary:
        return asyncio.run(summarise(self.settings(), IngestSummary()))

    def journal(self, service: str) -> Iterator[Any]:
        """All that it had to say, lane by lane, in its order; some at a time, as one statement may not take long."""
        for lane in range(self.lanes):
            after = -1
            while rows := self.rows(
                service,
                f"SELECT topic, partition, seq, headers FROM journal WHERE lane = {lane} AND seq > {after} "  # noqa: S608
                "ORDER BY seq LIMIT 5000",
            ):
                yield from rows
                after = rows[-1].seq

    def judge_delivery(self) -> None:
        """Each journal row once, in order, before a `read_committed` reader; positions agree."""
        for service in self.services:
            journalled: dict[tuple[str, int], list[str]] = defaultdict(list)
            for row in self.journal(service):
                journalled[(row.topic, row.partition)].append(_id(_pairs(row.headers)))
            committed = kafka.committed(self.bootstrap, f"ipvi-{service}")
            for row in self.rows(service, "SELECT topic, lane, next_offset, published FROM positions"):
                assert (row.next_offset, row.published) == (committed[(row.topic, row.lane)][0],) * 2
            for topic in {topic for topic, _ in journalled}:
                if topic.endswith("-commands.v1"):
                    continue  # people and clocks write there too, and hand-overs cross lanes
                seen: dict[tuple[str, int], list[str]] = defaultdict(list)
                for record in kafka.read_all(self.bootstrap, topic):
                    seen[(record.topic, record.partition)].append(_id(record.headers))
                expected = {place: ids for place, ids in journalled.items() if place[0] == topic}
                assert dict(seen) == expected, f"{topic}: {_difference(expected, seen)}"

    def tiers(self) -> dict[str, str | None]:
        """Each offender's tier, from the classifier's state."""
        return {row.offender_id: row.tier for row in self.rows("classifier", "SELECT offender_id, tier FROM offenders")}


def _pairs(headers: Any) -> list[tuple[str, bytes]]:
    import json

    found = json.loads(headers) if isinstance(headers, str) else headers
    return [(name, value.encode("latin-1")) for name, value in found]


def _id(headers: Iterable[tuple[str, bytes]]) -> str:
    return dict(headers)["ce_id"].decode()


def _difference(expected: Mapping[Any, list[str]], seen: Mapping[Any, list[str]]) -> str:
    want, got = Counter(chain.from_iterable(expected.values())), Counter(chain.from_iterable(seen.values()))
    return f"lost {sum((want - got).values())}, twice or unknown {sum((got - want).values())}"


@contextmanager
def pipeline(
    url: str | None,
    policy: str = "high-point-practice",
    lanes: int = LANES,
    services: Sequence[str] = tuple(SERVICES),
    partners: Sequence[Partner] = (),
) -> Iterator[Pipeline]:
    """A pipeline on a broker of its own; nothing is started yet."""
    with (
        tempfile.TemporaryDirectory(prefix="ipvi-pipeline-", ignore_cleanup_errors=True) as folder,
        kafka.embedded_broker() as broker,
    ):
        create_topics(broker.bootstrap_servers, lanes, [each.topic for each in partners])
        made = Pipeline(broker.bootstrap_servers, url, Path(folder), policy, lanes, services, partners)
        try:
            yield made
        finally:
            made.close()
