"""A service's group, its database and its log, as the tools that set offsets need them. The service itself is stopped."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, ProducerFenced
from sqlalchemy import select

from schemas.partner_file import service_name
from services.cli.database import opened
from services.cli.serve import ServiceName
from services.common import guard
from services.common.database import Database
from services.common.errors import ConfigurationError, IpviError
from services.common.positions import Place
from services.common.producer import JournalRow, LaneProducer
from services.common.settings import CommonSettings
from services.common.tables import positions

STEP_TIMEOUT_S = 15.0


PartnerOption = Annotated[
    str | None, typer.Option("--partner", help="Of the service partners: the id of whose part.", show_default=False)
]


def part_of(service: ServiceName, partner: str | None) -> str:
    """By what a service's group and database are called; of partners each has its own. Raises `ConfigurationError`."""
    if (service is ServiceName.PARTNERS) is (partner is None):
        raise ConfigurationError("--partner goes with --service partners, and is needed there")
    if partner is None:
        return str(service)
    if not re.fullmatch(r"[a-z0-9-]{1,40}", partner):
        raise ConfigurationError("--partner: give the id of a partner, as its file has it")
    return service_name(partner)


class OffsetsError(IpviError):
    """The offsets cannot be worked out."""


@dataclass(frozen=True, slots=True)
class Group:
    """The consumer reads committed records and belongs to no group."""

    settings: CommonSettings
    name: str
    database: Database
    admin: AIOKafkaAdminClient
    consumer: AIOKafkaConsumer

    async def places(self) -> dict[int, dict[str, Place]]:
        """Where each lane stands, by topic; nothing before the first start."""
        async with self.database.read() as conn:
            rows = (await conn.execute(select(positions))).all()
        found: dict[int, dict[str, Place]] = {}
        for row in sorted(rows, key=lambda row: (row.lane, row.topic)):
            found.setdefault(row.lane, {})[row.topic] = Place(row.next_offset, row.published)
        return found

    async def refuse_if_worked(self) -> None:
        """Raises `OffsetsError` while a replica is up: a transaction still under way would make every answer wrong."""
        if await guard.members(self.admin, self.name):
            raise OffsetsError(f"group {self.name} has members: stop every replica, and wait out its session time-out")

    @asynccontextmanager
    async def producers(self, lanes: Iterable[int]) -> AsyncIterator[dict[int, LaneProducer]]:
        """One a lane, started: that ends what an owner that died left open, behind which a reader of committed records sees
        nothing, in any lane it wrote to. Whoever takes a lane later makes its producer fail: what was read before still holds.
        """
        started: dict[int, LaneProducer] = {}
        identity = await self.database.identity()
        async with AsyncExitStack() as stack:
            for lane in lanes:
                started[lane] = LaneProducer(
                    self.settings.kafka,
                    self.name,
                    lane,
                    identity,
                    transaction_timeout_ms=self.settings.transaction_timeout_ms,
                    timeout=STEP_TIMEOUT_S,
                )
                stack.push_async_callback(started[lane].close)
                await started[lane].start()
            yield started


async def publish(producer: LaneProducer, lane: int, rows: Sequence[JournalRow], offsets: Mapping[str, int]) -> None:
    """With one of `producers`. Raises `OffsetsError` where somebody has taken the lane since it was started."""
    try:
        await producer.publish(rows, offsets)
    except ProducerFenced:
        raise OffsetsError(f"lane {lane}: somebody has taken it meanwhile; stop every replica, and try again") from None


@asynccontextmanager
async def open_group(settings: CommonSettings, service: str) -> AsyncIterator[Group]:
    """Connected, and closed in the end. Raises `ConfigurationError` where no broker answers."""
    cluster = settings.kafka
    admin = AIOKafkaAdminClient(**cluster.client(), request_timeout_ms=int(STEP_TIMEOUT_S * 1000))
    consumer = AIOKafkaConsumer(
        **cluster.client(),
        isolation_level="read_committed",
        auto_offset_reset="none",
        enable_auto_commit=False,
    )
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened(settings, service))
        stack.push_async_callback(admin.close)
        stack.push_async_callback(consumer.stop)
        try:
            await admin.start()
            await consumer.start()
        except KafkaConnectionError:
            raise ConfigurationError(cluster.unreachable) from None
        yield Group(settings, f"ipvi-{service}", database, admin, consumer)
