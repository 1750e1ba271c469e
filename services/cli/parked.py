"""`ipvi parked`: offenders set aside because deciding about them failed three times, and their way back after the fix."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy import func, select

from schemas.commands import (
    ClassifierRetryParked,
    NotifierRetryParked,
    OutreachRetryParked,
    PartnersRetryParked,
    RetryParked,
    Role,
)
from schemas.topics import Topic, allowed
from services.cli.database import opened
from services.cli.group import PartnerOption, part_of
from services.cli.serve import ServiceName
from services.common.desk import LogDesk, Reply, Standing
from services.common.errors import ConfigurationError, IpviError
from services.common.inbox import inbox_reader, lane_refusal
from services.common.settings import CommonSettings, settings_or_error
from services.common.tables import parked

COMMANDS: dict[ServiceName, type[RetryParked]] = {
    ServiceName.CLASSIFIER: ClassifierRetryParked,
    ServiceName.NOTIFIER: NotifierRetryParked,
    ServiceName.VICTIM_OUTREACH: OutreachRetryParked,
    ServiceName.PARTNERS: PartnersRetryParked,
}
PATIENCE_S = 10.0

app = typer.Typer(
    help="Offenders set aside because deciding about them failed, and their way back.", no_args_is_help=True
)
Service = Annotated[ServiceName, typer.Option("--service", help="Whose.", show_default=False)]


class StillParkedError(IpviError):
    """Some offenders stay parked."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One offender's queue; `since` is when its first record was written."""

    offender_id: str
    lane: int
    records: int
    since: datetime


@app.command("list")
def list_command(service: Service, partner: PartnerOption = None) -> None:
    """Offenders set aside, oldest first: lane, records that wait, since when, offender."""
    for one in asyncio.run(waiting(settings_or_error(CommonSettings), part_of(service, partner))):
        typer.echo(f"lane {one.lane}  {one.records} records since {one.since:%Y-%m-%dT%H:%M:%SZ}  {one.offender_id}")


@app.command("retry")
def retry_command(
    service: Service,
    by: Annotated[str, typer.Option("--by", help="Who asks; it is written down.", show_default=False)],
    offender: Annotated[
        str | None, typer.Option("--offender", help="Only this one; else all that are parked.", show_default=False)
    ] = None,
    partner: PartnerOption = None,
) -> None:
    """After the fix is deployed: decide again, in its order, what was set aside. The service must be running.

    Goes through the log like every act. An offender whose record fails again stays parked from that record on.

    Exit codes: 0 all are back, 2 some stay parked, with their number.
    """
    settings, command, part = settings_or_error(CommonSettings), COMMANDS[service], part_of(service, partner)
    who = [offender] if offender else [one.offender_id for one in asyncio.run(waiting(settings, part))]
    replies = asyncio.run(retry(settings, part, command, who, by))
    left = [reply for reply in replies if reply.standing is not Standing.APPLIED]
    typer.echo(f"{len(replies) - len(left)} of {len(replies)} are back")
    if left:
        raise StillParkedError(f"{len(left)} stay parked: {', '.join(sorted({_why(reply) for reply in left}))}")


def _why(reply: Reply) -> str:
    return reply.code or str(reply.standing)


async def waiting(settings: CommonSettings, service: str) -> Sequence[Parked]:
    """Who is parked, oldest first."""
    async with opened(settings, service) as database, database.read() as conn:
        rows = await conn.execute(
            select(parked.c.key, parked.c.lane, func.count(), since := func.min(parked.c.at))
            .group_by(parked.c.key, parked.c.lane)
            .order_by(since, parked.c.key)
        )
        return [Parked(*row) for row in rows]


async def retry(
    settings: CommonSettings, service: str, command: type[RetryParked], offenders: Sequence[str], by: str
) -> list[Reply]:
    """Hand in one command for each, one after the other, and wait for what became of it."""
    async with _desk(settings, service, command) as desk:
        return [
            await desk.submit(
                command(offender_id=offender, by=by, role=Role.OPERATOR),
                form_id=str(uuid.uuid4()),
                offender_id=offender,
            )
            for offender in offenders
        ]


@asynccontextmanager
async def _desk(settings: CommonSettings, service: str, command: type[RetryParked]) -> AsyncIterator[LogDesk]:
    (topic,) = (topic for topic in Topic if allowed(topic, command.TYPE))
    async with opened(settings, service) as database:
        producer = AIOKafkaProducer(**settings.kafka.client(), enable_idempotence=True)
        try:
            await producer.start()
            reads = inbox_reader(database), lane_refusal(database)
            yield LogDesk(service, topic, settings.partitions, producer, *reads, patience=PATIENCE_S)
        except KafkaError as failed:
            raise ConfigurationError(f"Kafka at {settings.kafka} does not answer: {type(failed).__name__}") from None
        finally:
            await producer.stop()
