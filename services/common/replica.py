"""One replica of a service: its database, its lanes, its clock and its API, from start to a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import InconsistentGroupProtocolError, KafkaConnectionError
from fastapi import APIRouter
from faststream import FastStream
from prometheus_client import REGISTRY

from schemas.commands import Tick
from schemas.topics import Topic
from services.common import guard
from services.common.api import Health, Reader, build_app, server
from services.common.auth import read_tokens
from services.common.clock import Clock
from services.common.database import Database, database_url
from services.common.desk import Desk, LogDesk, Reporter
from services.common.errors import ConfigurationError, LaneRefusedError
from services.common.inbox import inbox_reader, lane_refusal
from services.common.lane import Lane
from services.common.lane_tools import LaneTools
from services.common.offsets import GroupOffsets
from services.common.producer import LaneProducer
from services.common.reads import SqlReadLog
from services.common.service import Keyed, Service
from services.common.settings import CommonSettings
from services.common.stream import Lanes, make_broker, subscribe

S = TypeVar("S")

log = structlog.get_logger(__name__)

STEP_TIMEOUT_S = 15.0
COMPANION_AGAIN_S = 5.0
STALLED_S = 30.0
"""Without a poll, or without a claim that comes to an end, for so long: not healthy."""

Companion = Callable[[Database, Reporter], Awaitable[None]]
"""What a service does beside its lanes (sends messages): reads its tables, and reports into the log."""


class Replica(Generic[S]):
    """Everything one process of a service runs; `run` returns after a clean stop."""

    def __init__(
        self,
        service: Service[S],
        settings: CommonSettings,
        tick: type[Tick] | None = None,
        router: Callable[[Desk, Reader], APIRouter] | None = None,
        now: Callable[[], float] = time.time,
        companions: Sequence[Companion] = (),
        *,
        alone: bool = True,
    ) -> None:
        """`alone`: the process is this replica's, and a signal ends it; else `exit` does."""
        self._alone = alone
        self._exit = asyncio.Event()
        self._companions = companions
        self.service = service
        self.settings = settings
        self.group = f"ipvi-{service.name}"
        self.database = Database(database_url(settings, service.name), service.name)
        self.topics: Sequence[str] = [str(topic) for topic in service.inputs]
        self._tick = tick
        self._now = now
        self._router = router
        self._tokens = read_tokens(settings.tokens_file)
        self._cluster = settings.kafka
        self._broker = make_broker(self._cluster, settings.metadata_max_age_ms)
        self._tasks: list[asyncio.Task[None]] = []
        self._tools: LaneTools[S] | None = None
        self._app: FastStream | None = None
        self._process_id = uuid.uuid4().hex
        self._outlived: LaneRefusedError | None = None
        self.lanes: Lanes[S] = Lanes(service.name, self.topics, self._lane, self._check_place)
        self._process = subscribe(
            self._broker,
            self.lanes,
            self.topics,
            group=self.group,
            instance=f"{self.group}-{settings.replica}" if settings.replica else None,
            session_timeout_ms=settings.session_timeout_ms,
        )

    def _lane(self, number: int) -> Lane[S]:
        assert self._tools is not None
        return Lane(number, self._tools)

    async def _check_place(self) -> None:
        """Before a claim: the name is still ours (else this process ends), and the topics are those they were."""
        settings = self.settings
        if settings.replica:
            try:
                await guard.check_name(self.database, settings.replica, self._process_id)
            except LaneRefusedError as outlived:
                self._outlived = outlived
                self.exit()
                raise
        await guard.check_topics(self.database, self._cluster, self.topics, settings.partitions)

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises `LaneRefusedError` or `ConfigurationError` before anything was joined, or once
        another process has taken this one's name."""
        cluster = self._cluster
        admin = AIOKafkaAdminClient(**cluster.client(), request_timeout_ms=int(STEP_TIMEOUT_S * 1000))
        try:
            await admin.start()
            await self._work(admin)
        except KafkaConnectionError:
            raise ConfigurationError(cluster.unreachable) from None
        except InconsistentGroupProtocolError:
            raise LaneRefusedError("lane_split", f"a member of group {self.group} uses another assignor") from None
        finally:
            await admin.close()
            await self.database.close()

    async def _work(self, admin: AIOKafkaAdminClient) -> None:
        settings = self.settings
        cluster = self._cluster
        identity = await guard.check(self.database, cluster, admin, self.group, self.topics, settings.partitions)
        if isinstance(self.service, Keyed):
            await guard.check_key(self.database, self.service.key_mark)
        if settings.replica:
            await guard.take_name(self.database, settings.replica, self._process_id)
        self._tools = LaneTools(
            service=self.service,
            database=self.database,
            source=self.lanes,
            offsets=GroupOffsets(admin, lambda: self.lanes.consumer, self.group, self.topics, identity),
            producer=lambda lane: LaneProducer(
                cluster,
                self.group,
                lane,
                identity,
                transaction_timeout_ms=settings.transaction_timeout_ms,
                timeout=STEP_TIMEOUT_S,
            ),
            process=self._process,
            partitions=settings.partitions,
            max_batch=settings.max_batch,
            cached_states=max(1, settings.cached_states // settings.partitions),
            pipeline=settings.pipeline,
            live=settings.as_of == "now",
        )
        self._app = FastStream(self._broker, logger=None, after_startup=[self._started], on_shutdown=[self._stopping])
        if self._alone:
            await self._app.run(sleep_time=0.05)
        else:
            await self._beside_others(self._app)
        if self._outlived is not None:
            raise self._outlived

    def exit(self) -> None:
        """Come to a clean stop: `run` returns."""
        self._exit.set()
        if self._app is not None:
            self._app.exit()

    async def _beside_others(self, app: FastStream) -> None:
        """As FastStream runs it, but the process's signals are whoever's composed it."""
        await app.start()
        try:
            await self._exit.wait()
        finally:
            await app.stop()

    @property
    def _commands(self) -> Topic:
        return next(topic for topic in self.service.inputs if topic.is_commands)

    async def _started(self) -> None:
        settings = self.settings
        log.info("replica.started", group=self.group)
        if settings.ticks and self._tick is not None:
            clock = Clock(
                self._cluster,
                self.service.name,
                self._tick,
                self._commands,
                lambda: self.lanes.running,
                self._now,
            )
            self._tasks.append(asyncio.create_task(clock.run(), name="clock"))
        if settings.ticks:  # without a clock of its own nothing is to reach people: a back-test
            for companion in self._companions:
                self._tasks.append(asyncio.create_task(self._accompany(companion), name="companion"))
        if settings.api_port:
            self._tasks.append(asyncio.create_task(self._serve_api(), name="api"))

    async def _accompany(self, companion: Companion) -> None:
        """Again after a while, if it ends with an error."""
        settings = self.settings
        while True:
            try:
                async with AIOKafkaProducer(**self._cluster.client(), enable_idempotence=True) as producer:
                    reporter = Reporter(self.service.name, self._commands, settings.partitions, producer)
                    await companion(self.database, reporter)
            except Exception as failed:  # noqa: BLE001 (the lanes go on; what it does is done late, and says so)
                log.error("replica.companion_failed", error=type(failed).__name__)
            await asyncio.sleep(COMPANION_AGAIN_S)

    async def _serve_api(self) -> None:
        """Every route refuses without a credential; without a tokens file nobody has one."""
        settings = self.settings
        producer = AIOKafkaProducer(**self._cluster.client(), enable_idempotence=True)
        await producer.start()
        desk = LogDesk(
            self.service.name,
            self._commands,
            settings.partitions,
            producer,
            inbox_reader(self.database),
            lane_refusal(self.database),
        )
        routers = [self._router(desk, self.database.read)] if self._router is not None else []
        http = server(
            build_app(self.service.name, routers, self._tokens, self._health, REGISTRY, SqlReadLog(self.database)),
            settings.api_host,
            settings.api_port,
        )
        try:
            await http.serve()
        finally:
            await producer.stop()

    async def _health(self) -> Health:
        found = self.lanes.health(STALLED_S)
        return Health(healthy=found.healthy, ready=found.healthy and found.ready, lanes=found.lanes)

    async def _stopping(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        await self.lanes.stop()
        log.info("replica.stopped", group=self.group)
