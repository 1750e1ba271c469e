"""Intake as a process: HTTP, watched folders, the outbox, and what is known of every feed. It has no lanes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY
from sqlalchemy.exc import SQLAlchemyError

from schemas.policy_file import load_policy
from services.common import metrics
from services.common.api import Health, build_app, server
from services.common.auth import read_tokens
from services.common.database import Database, database_url
from services.common.reads import SqlReadLog
from services.intake.api import Desk, router
from services.intake.bodies import MAX_BODY
from services.intake.folders import forget_done
from services.intake.linkage.model import LinkageError
from services.intake.nibrs.events import ZoneOf
from services.intake.settings import IntakeSettings, WatchedFolder, read_feeds
from services.intake.sinks import NAME, OutboxProducer, check_broker, check_database
from services.intake.store import outbox
from services.intake.store.feeds import agency_feeds
from services.intake.usecases import Sender, StreamError
from services.intake.usecases.linking import link_numbers, score_new
from services.intake.watch import Silence, Watcher

log = structlog.get_logger(__name__)

_SWEEP_S: Final = 1.0
_MEASURE_S: Final = 15.0
_TIDY_S: Final = 3_600.0
_STUCK_S: Final = 30.0
"""With something in the outbox and nothing gone out for so long: not healthy."""


class IntakeService:
    """One replica. Any number may run: the outbox is emptied by one at a time, and what is sent twice is taken once."""

    def __init__(self, settings: IntakeSettings) -> None:
        """Raises `ConfigurationError`, `TokensFileError` or `PolicyError` with one clear line."""
        self.settings = settings
        self.watched = read_feeds(settings.feeds_file)
        self._zone_of = load_policy(settings.policy).zone
        self._terms = settings.terms()
        self._tokens = read_tokens(settings.tokens_file)
        self.database = Database(database_url(settings, NAME), NAME)
        cluster = settings.kafka
        self.sender = Sender(self.database, lambda: OutboxProducer(cluster, timeout=15.0), patience=10.0)
        self._silence = Silence(self.watched)
        self._waits_since: datetime | None = None

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises `StreamError` or `ConfigurationError` before anything was taken."""
        await check_broker(self.settings.kafka)
        try:
            await check_database(self.database, self.settings, self._terms.seal)
            await self._work()
        finally:
            with contextlib.suppress(SQLAlchemyError):
                await self.sender.close()
            await self.database.close()

    async def _work(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        work = [
            _always(self._sweep, _SWEEP_S),
            _always(self._measure, _MEASURE_S),
            # A merge has no time of report: in a back-test it would put every clock to now.
            *(self._linking() if self.settings.as_of == "now" else ()),
            *(self._watcher(each).run() for each in self.watched),
            _always(self._tidy, _TIDY_S),
        ]
        if self.settings.api_port:
            work.append(self._serve())
        tasks = [asyncio.ensure_future(each) for each in work]
        log.info("intake.started", folders=len(self.watched))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # none of them ends by itself, but by an error of ours
        finally:
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)
        log.info("intake.stopped")

    def _watcher(self, watched: WatchedFolder) -> Watcher:
        zone_of: ZoneOf = self._zone_of
        if watched.time_zone is not None:
            zone_of = _fixed(watched.time_zone)
        return Watcher(watched, self.database, self.sender, self._terms, zone_of)

    async def _serve(self) -> None:
        desk = Desk(self.database, self.sender, self._terms)
        app = build_app(
            NAME, [router(desk)], self._tokens, self.health, REGISTRY, SqlReadLog(self.database), most_bytes=MAX_BODY
        )
        await server(app, self.settings.api_host, self.settings.api_port).serve()

    async def _sweep(self) -> None:
        """What a process that failed has left, and what the broker would not take, goes out."""
        async with self.database.read() as conn:
            last = await outbox.last(conn)
        if not last:
            self._waits_since = None
            return
        self._waits_since = self._waits_since or datetime.now(UTC)
        await self.sender.deliver(last)
        self._waits_since = None

    async def _tidy(self) -> None:
        """What was taken holds everything, and is needed no longer."""
        before = (datetime.now(UTC) - timedelta(days=self.settings.done_days)).timestamp()
        for each in self.watched:
            try:
                gone = await asyncio.to_thread(forget_done, each.folder, before)
            except OSError as failed:  # of this folder alone
                log.warning("intake.done_stays", folder=str(each.folder), error=type(failed).__name__)
                continue
            if gone:
                log.info("intake.done_removed", files=gone)

    def _linking(self) -> list[Coroutine[None, None, None]]:
        return [_always(self._link, _SWEEP_S), _always(self._score, self.settings.linkage_every_s)]

    async def _link(self) -> None:
        """Numbers of new records against all; some records a transaction, so that agencies' deliveries come between."""
        while await link_numbers(self.database, self._terms, datetime.now(UTC)):
            pass

    async def _score(self) -> None:
        await score_new(self.database, self._terms)

    async def _measure(self) -> None:
        now = datetime.now(UTC)
        async with self.database.read() as conn:
            found = await agency_feeds(conn, now)
        for feed in found:
            labels = (feed.agency, feed.feed)
            silence = now - feed.last_heard
            metrics.intake_silence.labels(*labels).set(silence.total_seconds())
            metrics.intake_silent.labels(*labels).set(silence > self._silence.after(*labels))
            metrics.intake_paused.labels(*labels).set(feed.paused_at is not None)
            metrics.intake_fault.labels(*labels).set(feed.fault is not None)
            metrics.intake_today.labels(*labels).set(feed.today["events"])
            metrics.intake_normal.labels(*labels).set(feed.normal or 0)
            metrics.intake_unusual.labels(*labels).set(feed.volume is not None)
            metrics.intake_rejected.labels(*labels).set(feed.today["rejected"])

    async def health(self) -> Health:
        """Healthy: the database answers and what is taken goes out."""
        try:
            async with self.database.read() as conn:
                waits = await outbox.first(conn) is not None
        except SQLAlchemyError:
            return Health(healthy=False, ready=False, lanes={"outbox": "store_unreachable"})
        stuck = self._waits_since is not None and (datetime.now(UTC) - self._waits_since).total_seconds() > _STUCK_S
        return Health(not stuck, not stuck, {"outbox": "stuck" if stuck else "waiting" if waits else "empty"})


def _fixed(name: str) -> ZoneOf:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(name)
    return lambda _: zone


async def _always(work: Callable[[], Awaitable[None]], every: float) -> None:
    while True:
        try:
            await work()
        except (StreamError, LinkageError, KafkaError, SQLAlchemyError, OSError, TimeoutError) as failed:
            log.warning("intake.tries_again", error=type(failed).__name__)
        await asyncio.sleep(every)
