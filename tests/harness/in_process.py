"""All services with their APIs in this process: real lanes, SQLite and HTTP on loopback, and a Kafka made of lists.

Quick enough to be asked thousands of times. What Kafka does to the loop is the fault tests' matter.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
from aiokafka import ConsumerRecord
from sqlalchemy import text
from starlette.types import ASGIApp, Receive, Scope, Send

from schemas.commands import PartnersTick, Role
from schemas.envelope import Data, Event, Message, encode
from schemas.partner_file import Partner
from schemas.topics import Topic
from services.cli.registry import SERVICES
from services.common.api import server
from services.common.auth import Person, Tokens
from services.common.clock import period_of, tick_event
from services.common.database import Database, database_url
from services.common.desk import LogDesk
from services.common.inbox import inbox_reader, lane_refusal
from services.common.lane import Lane, LaneStatus
from services.common.lane_tools import LaneTools
from services.common.ledger import Batch
from services.common.migrations import upgrade
from services.common.offsets import GroupOffsets
from services.common.producer import JournalRow, LaneProducer
from services.common.reads import SqlReadLog
from services.common.records import broker_time
from services.common.settings import CommonSettings
from services.partners.app import compose
from tests.harness.http import api
from tests.harness.partners import KEY, partner

LANE = 0
TIMEOUT_S = 30.0

Log = list["ConsumerRecord[bytes, bytes]"]


@dataclass
class Topics:
    """The log: one partition a topic. `now` stamps what is written, in seconds since the epoch."""

    now: Callable[[], float] = time.time
    logs: dict[str, Log] = field(default_factory=lambda: defaultdict(list))
    readers: list[Callable[[], None]] = field(default_factory=list)

    def append(self, topic: str, message: Message) -> None:
        log = self.logs[topic]
        stamp = int(self.now() * 1000)
        log.append(
            ConsumerRecord(
                topic, LANE, len(log), stamp, 1, message.key, message.value, None, -1, -1, tuple(message.headers)
            )
        )
        for read in self.readers:
            read()


class _Consumer:
    """What a lane needs of consumer and group."""

    def __init__(self, topics: Topics, names: Sequence[str]) -> None:
        self.topics = topics
        self.names = names
        self.lane: Lane[Any] | None = None
        self._at = dict.fromkeys(names, 0)
        self.group: dict[str, int | None] = dict.fromkeys(names)

    def poll(self) -> None:
        if self.lane is None or self.lane.status is not LaneStatus.RUNNING:
            return
        for name in self.names:
            log = self.topics.logs[name]
            if len(log) > self._at[name]:
                self.lane.offer(name, log[self._at[name] :])
                self._at[name] = len(log)

    async def fit(self, lane: int) -> None: ...

    def pause(self, lane: int, topic: str | None = None) -> None: ...

    def resume(self, lane: int, topic: str | None = None) -> None:
        self.poll()

    def seek(self, lane: int, nexts: Mapping[str, int]) -> None:
        self._at.update(nexts)

    async def positions(self, lane: int) -> dict[str, int]:
        return dict(self._at)

    async def starts(self, lane: int) -> dict[str, int]:
        return dict.fromkeys(self.names, 0)

    async def ends(self, lane: int) -> dict[str, int]:
        return {name: len(self.topics.logs[name]) for name in self.names}

    async def committed(self, lane: int) -> dict[str, int | None]:
        return dict(self.group)


class _Producer:
    def __init__(self, consumer: _Consumer) -> None:
        self._consumer = consumer

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def publish(self, rows: Sequence[JournalRow], ends: Mapping[str, int]) -> None:
        for row in rows:
            self._consumer.topics.append(row.topic, Message(row.key, row.value, tuple(row.headers)))
        self._consumer.group.update(ends)


class LocalService:
    """One service: a lane, and an API on loopback at `url`."""

    def __init__(
        self, name: str, topics: Topics, settings: CommonSettings, tokens: Tokens, partner: Partner | None = None
    ) -> None:
        """`partner`: of the partners' service, whose part it is; it has no other."""
        self.name = name
        self.topics = topics
        at = name if partner is None else partner.service
        self.database = Database(database_url(settings, at), at)
        self.service = _service(name, settings) if partner is None else compose(partner, KEY)
        names = [str(topic) for topic in self.service.inputs]
        self.commands = next(topic for topic in self.service.inputs if topic.is_commands)
        self.consumer = _Consumer(topics, names)
        self.lane: Lane[Any] = Lane(
            LANE,
            LaneTools(
                service=self.service,
                database=self.database,
                source=self.consumer,
                offsets=cast(GroupOffsets, self.consumer),
                producer=lambda _: cast(LaneProducer, _Producer(self.consumer)),
                process=_handle,
                partitions=1,
            ),
        )
        self.consumer.lane = self.lane
        topics.readers.append(self.consumer.poll)
        desk = LogDesk(
            name, self.commands, 1, self, inbox_reader(self.database), lane_refusal(self.database), patience=10.0
        )
        reads = SqlReadLog(self.database)
        self.app = api(name, desk, self.database.read, tokens, reads, [partner] if partner is not None else ())
        self.faults: list[Exception] = []
        """What the API did not expect, oldest first."""
        self.app.add_middleware(_Watched, faults=self.faults)
        self.http = server(self.app, "127.0.0.1", 0)
        self.url = ""

    async def send_and_wait(
        self, topic: str, *, value: bytes | None, key: bytes | None, partition: int, headers: list[tuple[str, bytes]]
    ) -> None:
        """The desk's producer."""
        self.topics.append(topic, Message(key, value, tuple(headers)))

    @property
    def settled(self) -> bool:
        logs = self.topics.logs
        return all(self.consumer.group[name] == len(logs[name]) for name in self.consumer.names)

    async def started(self) -> None:
        self.lane.start()
        self._serving = asyncio.create_task(self.http.serve())
        while not self.http.started:  # noqa: ASYNC110 (uvicorn has no event for it)
            await asyncio.sleep(0.01)
        port = self.http.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    async def stopped(self) -> None:
        self.http.should_exit = True
        self.http.force_exit = True
        await self._serving
        await self.lane.release(asyncio.get_running_loop().time() + 2)
        await self.database.close()


class _Watched:
    def __init__(self, app: ASGIApp, faults: list[Exception]) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as fault:
            self._faults.append(fault)
            raise


def _service(name: str, settings: CommonSettings) -> Any:
    return importlib.import_module(f"services.{name}.app").build(settings)


async def _handle(batch: Batch[Any]) -> None:
    await batch.handle()


def token(name: str) -> str:
    """The bearer token of a person of `tokens_for`."""
    return f"token-of-{name}"


def tokens_for(people: Mapping[str, Iterable[Role]]) -> Tokens:
    return Tokens(
        tuple(
            (hashlib.sha256(token(name).encode()).digest(), Person(name, frozenset(roles), partner=_partner(roles)))
            for name, roles in people.items()
        )
    )


PARTNER = partner()


def _partner(roles: Iterable[Role]) -> str | None:
    return PARTNER.id if Role.PARTNER in roles else None


class LocalPipeline:
    """The services, on a loop in a thread of its own; the methods are for the test's thread.

    `with_partner`: the partners' service too, with one partner (`PARTNER`).
    """

    def __init__(
        self,
        folder: Path,
        people: Mapping[str, Iterable[Role]],
        now: Callable[[], float],
        *,
        with_partner: bool = False,
    ) -> None:
        settings = CommonSettings(home=folder, partitions=1)
        self.topics = Topics(now)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.services: dict[str, LocalService] = {}
        for name in SERVICES:
            self._run(upgrade(database_url(settings, name), name))
        if with_partner:
            self._run(upgrade(database_url(settings, PARTNER.service), "partners", PARTNER.service))
        self._run(self._start(settings, tokens_for(people), with_partner=with_partner))

    async def _start(self, settings: CommonSettings, tokens: Tokens, *, with_partner: bool) -> None:
        for name in SERVICES:
            self.services[name] = LocalService(name, self.topics, settings, tokens)
        if with_partner:
            self.services["partners"] = LocalService("partners", self.topics, settings, tokens, PARTNER)
        for service in self.services.values():
            await service.started()

    def close(self) -> None:
        for service in self.services.values():
            self._run(service.stopped())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT_S)
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(TIMEOUT_S)

    def feed(self, topic: Topic, *events: Event[Any]) -> None:
        """Write these, and wait until they have had all their effects."""
        for event in events:
            self._loop.call_soon_threadsafe(self.topics.append, str(topic), encode(event))
        self.wait_settled()

    def tick(self) -> None:
        """One tick for each service, at the log's time."""
        for name, service in self.services.items():
            period = period_of(broker_time_of(self.topics.now()))
            tick = SERVICES[name].tick if name in SERVICES else PartnersTick
            event: Event[Data] = tick_event(tick, name, LANE, period)
            self.feed(service.commands, event)

    def wait_settled(self) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        in_a_row = 0
        while in_a_row < 3:
            assert time.monotonic() < deadline, "not settled"
            time.sleep(0.02)
            in_a_row = in_a_row + 1 if all(service.settled for service in self.services.values()) else 0

    def client(self, service: str, person: str) -> httpx.Client:
        """An HTTP client with that person's token."""
        headers = {"Authorization": f"Bearer {token(person)}"}
        base = self.services[service].url
        return httpx.Client(
            base_url=base, headers=headers, timeout=TIMEOUT_S, verify=False
        )  # plain HTTP: no CAs to load

    def rows(self, service: str, statement: str) -> list[Any]:
        """What SQL of one service says now."""

        async def ask() -> list[Any]:
            async with self.services[service].database.read() as conn:
                return list(await conn.execute(text(statement)))

        return list(self._run(ask()))

    def ids(self, topic: Topic) -> list[str]:
        """The CloudEvents ids on a topic, in order."""
        return [dict(record.headers)["ce_id"].decode() for record in list(self.topics.logs[str(topic)])]


def broker_time_of(seconds: float) -> Any:
    return broker_time(ConsumerRecord("", 0, 0, int(seconds * 1000), 1, b"", b"", None, -1, -1, ()))


@contextmanager
def local_pipeline(
    folder: Path,
    people: Mapping[str, Iterable[Role]],
    now: Callable[[], float] = time.time,
    *,
    with_partner: bool = False,
) -> Iterator[LocalPipeline]:
    made = LocalPipeline(folder, people, now, with_partner=with_partner)
    try:
        yield made
    finally:
        made.close()
