"""All partners in one process: for each a replica of its own, and one API and one clock for all.

They share nothing that one could hold up: each has its consumer group, its database schema and its topic. One that cannot be
worked is tried again and shows in health; the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY

from schemas.commands import PartnersTick
from schemas.partner_file import CsvDelivery, Partner, WebhookDelivery
from schemas.topics import Topic
from services.common import metrics
from services.common.api import Health, build_app, server
from services.common.auth import read_tokens
from services.common.clock import Clock
from services.common.database import Database, database_url
from services.common.desk import LogDesk
from services.common.errors import IpviError, LaneRefusedError
from services.common.inbox import inbox_reader, lane_refusal
from services.common.reads import SqlReadLog
from services.common.replica import STALLED_S, Replica
from services.common.settings import CommonSettings
from services.partners import pages
from services.partners.api import Office, router
from services.partners.domain import Offender
from services.partners.rules import Terms
from services.partners.sender import BatchSender, WebhookSender, read_secrets, verified_by
from services.partners.settings import PartnersSettings
from services.partners.store import counts, deliveries
from services.partners.stream import PartnerCopies

log = structlog.get_logger(__name__)

NAME = "partners"
AGAIN_S = 10.0
MEASURE_S = 15.0
STOP_S = 10.0

ReplicaOf = Callable[[PartnerCopies, CommonSettings], Replica[Offender]]


def replica_of(
    copies: PartnerCopies, settings: CommonSettings, own: PartnersSettings | None = None
) -> Replica[Offender]:
    """The lanes of one partner, and its sender. The clock and the API are everybody's."""
    companion = sender_of(copies.terms, settings, own or PartnersSettings())
    companions = [companion.run] if companion is not None else []
    return Replica(copies, settings.model_copy(update={"api_port": 0}), companions=companions, alone=False)


def sender_of(terms: Terms, settings: CommonSettings, own: PartnersSettings) -> WebhookSender | BatchSender | None:
    """What delivers besides the topic; None: the topic is the delivery."""
    delivery, partner = terms.partner.delivery, terms.partner.id
    if isinstance(delivery, WebhookDelivery):
        tls = verified_by(own.partners_ca_file)
        return WebhookSender(
            terms, delivery, lambda: read_secrets(own.partners_secrets, partner), pace=own.pace, tls=tls
        )
    if isinstance(delivery, CsvDelivery):
        folder = (own.partners_batches or settings.home / "batches") / partner
        return BatchSender(terms, delivery, folder, pace=own.pace)
    return None


@dataclass
class Post:
    """One partner in this process. `trouble`: why its lanes are not worked; None: they are."""

    copies: PartnerCopies
    database: Database
    replica: Replica[Offender] | None = None
    trouble: str | None = None

    @property
    def partner(self) -> Partner:
        return self.copies.terms.partner


@dataclass
class PartnersService:
    """One replica of every partner's part. `unusable`: ids of partners whose file cannot be used."""

    settings: CommonSettings
    parts: Sequence[PartnerCopies]
    unusable: Sequence[str] = ()
    make: ReplicaOf = replica_of
    posts: list[Post] = field(default_factory=list, init=False)
    _stop: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        """Raises `TokensFileError` with one clear line."""
        self._tokens = read_tokens(self.settings.tokens_file)
        self.posts = [Post(each, Database(database_url(self.settings, each.name), each.name)) for each in self.parts]

    async def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        work = [self._keep(post) for post in self.posts]
        beside = [self._measure()]
        if self.settings.ticks:
            beside.append(self._clock().run())
        if self.settings.api_port:
            beside.append(self._serve_api())
        lanes = [asyncio.create_task(each) for each in work]
        tasks = [asyncio.create_task(each) for each in beside]
        log.info("partners.started", partners=len(self.posts))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait([*lanes, *tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopping}:
                task.result()  # none of them ends by itself, but by an error of ours
        finally:
            self._stop.set()
            for post in self.posts:
                if post.replica is not None:
                    post.replica.exit()
            await asyncio.wait(lanes, timeout=STOP_S) if lanes else None
            for task in (*lanes, *tasks, stopping):
                task.cancel()
            await asyncio.gather(*lanes, *tasks, stopping, return_exceptions=True)
            for post in self.posts:
                await post.database.close()
        log.info("partners.stopped")

    async def _keep(self, post: Post) -> None:
        """One partner's lanes, again after a while where they cannot be worked: nobody else is to wait for it."""
        while not self._stop.is_set():
            post.trouble = None
            try:
                post.replica = self.make(post.copies, self.settings)
                await post.replica.run()
            except LaneRefusedError as refused:
                post.trouble = refused.code
                log.error("partners.refused", partner=post.partner.id, code=refused.code, reason=str(refused))
            except IpviError as failed:
                post.trouble = "not_started"
                log.error("partners.not_started", partner=post.partner.id, reason=str(failed))
            except Exception as failed:  # noqa: BLE001 (its database, most likely; only names of error types are logged)
                post.trouble = "not_started"
                log.error("partners.not_started", partner=post.partner.id, error=type(failed).__name__)
            post.replica = None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), AGAIN_S)

    def _clock(self) -> Clock:
        """One tick for all: it is read by every partner's lanes."""
        settings = self.settings
        return Clock(settings.kafka, NAME, PartnersTick, Topic.PARTNERS_COMMANDS, self._running)

    def _running(self) -> list[int]:
        running = {lane for post in self.posts if post.replica is not None for lane in post.replica.lanes.running}
        return sorted(running)

    async def _serve_api(self) -> None:
        settings = self.settings
        own = Database(database_url(settings, NAME), NAME)  # the read-access log
        producer = AIOKafkaProducer(**settings.kafka.client(), enable_idempotence=True)
        await producer.start()
        offices: Mapping[str, Office] = {
            post.partner.id: Office(
                post.partner,
                LogDesk(
                    post.copies.name,
                    Topic.PARTNERS_COMMANDS,
                    settings.partitions,
                    producer,
                    inbox_reader(post.database),
                    lane_refusal(post.database),
                ),
                post.database.read,
            )
            for post in self.posts
        }
        reads = SqlReadLog(own)
        app = build_app(NAME, [router(offices)], self._tokens, self.health, REGISTRY, reads, pages=[pages.router()])
        try:
            await server(app, settings.api_host, settings.api_port).serve()
        finally:
            await producer.stop()
            await own.close()

    async def health(self) -> Health:
        """Healthy where every partner's lanes are; lanes are named `<partner>/<number>`."""
        healthy, ready = not self.unusable, not self.unusable
        lanes = dict.fromkeys(self.unusable, "file_not_usable")
        for post in self.posts:
            if post.replica is None or post.trouble is not None:
                healthy = ready = False
                lanes[post.partner.id] = post.trouble or "starting"
                continue
            found = post.replica.lanes.health(STALLED_S)
            healthy, ready = healthy and found.healthy, ready and found.healthy and found.ready
            lanes |= {f"{post.partner.id}/{number}": status for number, status in found.lanes.items()}
        return Health(healthy, ready, lanes)

    async def _measure(self) -> None:
        while True:
            for post in self.posts:
                try:
                    async with post.database.read() as conn:
                        now, going = await counts(conn), await deliveries.going(conn)
                except Exception as failed:  # noqa: BLE001 (it is not migrated yet, or does not answer; health says so)
                    log.warning("partners.not_measured", partner=post.partner.id, error=type(failed).__name__)
                    continue
                terms = post.copies.terms
                metrics.partner_outstanding.labels(post.partner.id).set(now.outstanding)
                metrics.partner_waiting.labels(post.partner.id).set(going.counts["waiting"])
                metrics.partner_lapsed.labels(post.partner.id).set(now.clock is not None and terms.lapsed(now.clock))
            await asyncio.sleep(MEASURE_S)
