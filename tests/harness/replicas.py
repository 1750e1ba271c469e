"""Replicas of the probe service as processes that can be killed, frozen and put behind proxies, and the judge of the loop.

The judge's question is always the same: is each journal row visible once, in order, to a `read_committed` reader, do all
positions agree, and is the state what the input says it must be?
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import text

from schemas.envelope import Classification, Event, encode
from schemas.incident import IncidentReported, Offender
from schemas.topics import Topic
from services.cli.broker.process import BoundProcess
from services.cli.topics import create_topics
from services.common.database import Database, database_url
from services.common.settings import CommonSettings
from tests.harness import kafka
from tests.harness.probe import Probe, at, make_tables
from tests.harness.proxy import KafkaProxy, proxied_broker

ROOT = Path(__file__).parents[2]
GROUP = "ipvi-probe"
LANES = 4
SESSION_MS = 3_000


def incident(offender: str, number: int, *, agency: str = "NC0410200") -> Event[IncidentReported]:
    """The `number`-th report of one offender, as small as the contract allows."""
    return Event(
        id=f"{offender}-{number}",
        source="/tests/feed",
        subject=offender,
        time=at(number),
        dataclassification=Classification.RESTRICTED,
        data=IncidentReported(
            incident_id=f"NC0410200:{offender}-{number}",
            revision=1,
            agency=agency,
            occurred_at=at(number),
            reported_at=at(number),
            offender=Offender(offender_id=offender),
            victims=[],
            offenses=[],
        ),
    )


class Bench:
    """A broker with the contract's topics, a database, and probe replicas on them."""

    def __init__(self, bootstrap: str, url: str | None, folder: Path, lanes: int = LANES) -> None:
        self.bootstrap = bootstrap
        self.url = url
        self.folder = folder
        self.lanes = lanes
        self.sent: Counter[str] = Counter()
        self._replicas: list[ReplicaProcess] = []
        asyncio.run(make_tables(self.settings()))

    def settings(self, **other: Any) -> CommonSettings:
        return CommonSettings(
            KAFKA_BOOTSTRAP_SERVERS=self.bootstrap,
            DATABASE_URL=self.url,
            home=self.folder,
            partitions=self.lanes,
            **other,
        )

    def feed(self, count: int, *, offenders: int = 20, prefix: str = "O") -> None:
        """`count` more reports, spread over offenders; each offender always in the same lane."""
        records = []
        for n in range(count):
            offender = f"{prefix}{n % offenders}"
            self.sent[offender] += 1
            message = encode(incident(offender, self.sent[offender]))
            records.append((n % offenders % self.lanes, message.key, message.value, message.headers))
        kafka.produce(self.bootstrap, str(Topic.INCIDENTS), records)

    def feed_until(self, condition: Callable[[], bool], what: str, timeout: float = 30) -> None:
        """A trickle of reports for every lane until `condition`."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"fed {timeout} s without {what}"
            self.feed(self.lanes)
            time.sleep(0.1)

    def feed_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self.feed_until(lambda: time.monotonic() > until, "the end", timeout=seconds + 5)

    def start(self, name: str = "0", module: str = "tests.harness.probe", **environment: str) -> ReplicaProcess:
        """A replica named `name`; environment names are upper-cased and get their `IPVI_` unless they are well known."""
        replica = ReplicaProcess(self, name, environment, (module,))
        self._replicas.append(replica)
        return replica

    def close(self) -> None:
        for replica in self._replicas:
            replica.kill()

    # the judge -------------------------------------------------------------------------------------------------------

    def rows(self, statement: str) -> list[Any]:
        """What SQL says now."""

        async def ask() -> list[Any]:
            database = Database(database_url(self.settings(), Probe.name), Probe.name, pool_size=1)
            try:
                async with database.read() as conn:
                    return list(await conn.execute(text(statement)))
            finally:
                await database.close()

        return asyncio.run(ask())

    def settled(self) -> bool:
        """Position at the end of every input and `published` = next, everywhere."""
        topics = [str(topic) for topic in Probe.inputs]
        ends = kafka.end_offsets(self.bootstrap, topics, "read_uncommitted")
        rows = self.rows("SELECT topic, lane, next_offset, published FROM positions")
        found = {(row.topic, row.lane): row for row in rows}
        return all(
            (row := found.get((topic, lane))) is not None and row.next_offset == row.published == end
            for (topic, lane), end in ends.items()
        )

    def wait_settled(self, timeout: float = 40) -> None:
        wait_for(self.settled, timeout, "all lanes settled")

    def traces(self) -> tuple[object, ...]:
        """All that an owner's writes leave: positions and journal in SQL, and the output log, aborted records and all."""
        return (
            self.rows("SELECT lane, topic, next_offset, published FROM positions ORDER BY lane, topic"),
            self.rows("SELECT count(*), max(seq) FROM journal"),
            kafka.end_offsets(self.bootstrap, [str(Topic.TIERS)]),
        )

    def visible(self) -> dict[str, list[int]]:
        """Per offender the numbers a `read_committed` reader sees, in its order."""
        seen: dict[str, list[int]] = defaultdict(list)
        for record in kafka.read_all(self.bootstrap, str(Topic.TIERS)):
            assert record.key is not None and record.value is not None
            seen[record.key.decode()].append(int(json.loads(record.value)["policy_version"]))
        return dict(seen)

    def judge(self) -> None:
        """Nothing lost, nothing twice, nothing out of order; positions agree; state as the input says."""
        visible = self.visible()
        wrong = {who: visible.get(who) for who, n in self.sent.items() if visible.get(who) != list(range(1, n + 1))}
        assert not wrong and visible.keys() == self.sent.keys(), f"of {dict(self.sent)} a reader sees {wrong}"
        counted = {row.offender_id: row.reports for row in self.rows("SELECT offender_id, reports FROM counts")}
        assert counted == dict(self.sent), f"state is {counted}, not {dict(self.sent)}"
        journalled = self.rows(f"SELECT count(*) AS n FROM journal WHERE topic = '{Topic.TIERS}'")[0].n  # noqa: S608
        assert journalled == sum(self.sent.values()), f"{journalled} rows in the journal"
        committed = kafka.committed(self.bootstrap, GROUP)
        for row in self.rows("SELECT topic, lane, next_offset, published FROM positions"):
            offset = committed[(row.topic, row.lane)][0]
            assert row.next_offset == row.published == offset, f"committed {offset}, but {row}"


class Place(Protocol):
    """Where a replica runs."""

    bootstrap: str
    url: str | None
    folder: Path
    lanes: int


class ReplicaProcess:
    """One replica, of the probe or (by `command`) of a service; its log is JSON lines."""

    def __init__(
        self, bench: Place, name: str, environment: Mapping[str, str], command: Sequence[str] = ("tests.harness.probe",)
    ) -> None:
        self.log = bench.folder / f"replica-{name}-{time.monotonic_ns()}.log"
        given = {
            "KAFKA_BOOTSTRAP_SERVERS": bench.bootstrap,
            "IPVI_HOME": str(bench.folder),
            "IPVI_PARTITIONS": str(bench.lanes),
            "IPVI_REPLICA": name,
            "IPVI_SESSION_TIMEOUT_MS": str(SESSION_MS),
            "IPVI_TICKS": "false",
            "PYTHONPATH": str(ROOT),
            "PATH": os.environ["PATH"],
        }
        if bench.url:
            given["DATABASE_URL"] = bench.url
        given |= {
            key if key.startswith(("IPVI_", "KAFKA_", "DATABASE_")) else f"IPVI_{key.upper()}": value
            for key, value in environment.items()
        }
        self.process = BoundProcess([sys.executable, "-m", *command], log=self.log, env=given)

    def lines(self) -> list[dict[str, Any]]:
        found = []
        for line in self.log.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def tail(self) -> str:
        return self.log.read_text()[-2_000:]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("event") == event]

    def wait_said(self, event: str, times: int = 1, timeout: float = 30) -> None:
        """`event` in its log, `times` times since its start."""
        wait_for(lambda: len(self.said(event)) >= times, timeout, lambda: f"{event} x{times}: {self.tail()}")

    def wait_dead(self, timeout: float = 30) -> None:
        wait_for(lambda: not self.process.alive, timeout, lambda: f"the replica to die: {self.tail()}")

    @property
    def frozen(self) -> bool:
        """Whether the process has stopped itself (SIGSTOP)."""
        return Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    def wait_frozen(self, timeout: float = 30) -> None:
        wait_for(lambda: self.frozen, timeout, "the replica to freeze")

    def thaw(self) -> None:
        self.process.send(signal.SIGCONT)

    def kill(self) -> None:
        """`kill -9`; safe to repeat, and wanted for a replica that died by itself: its watchdog still lives."""
        self.process.stop(first=signal.SIGKILL)

    def stop(self) -> None:
        """A clean stop; fails the test where it takes long."""
        self.process.send(signal.SIGTERM)
        self.wait_dead()


def wait_for(condition: Callable[[], bool], timeout: float, what: str | Callable[[], str]) -> None:
    """Poll until `condition`; fails the test with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what if isinstance(what, str) else what()}")
        time.sleep(0.1)


@contextmanager
def bench(url: str | None = None, *, lanes: int = LANES) -> Iterator[Bench]:
    """A bench on a broker of its own. `url` None: SQLite."""
    with kafka.embedded_broker() as broker, _bench_on(broker.bootstrap_servers, url, lanes) as made:
        yield made


@contextmanager
def proxied_bench(url: str | None = None, *, lanes: int = LANES) -> Iterator[tuple[Bench, KafkaProxy]]:
    """A bench whose broker replicas may also reach by way of a proxy: `start(KAFKA_BOOTSTRAP_SERVERS=...)`."""
    with proxied_broker() as (broker, proxy), _bench_on(broker.bootstrap_servers, url, lanes) as made:
        yield made, proxy


@contextmanager
def _bench_on(bootstrap: str, url: str | None, lanes: int) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="ipvi-bench-", ignore_cleanup_errors=True) as folder:
        create_topics(bootstrap, lanes)
        made = Bench(bootstrap, url, Path(folder), lanes)
        try:
            yield made
        finally:
            made.close()
