"""`ipvi policy activate` and `redecide`: a policy comes into force in the log, and offenders are decided again under it."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.commands import (
    ActivatePolicy,
    ClassifierActivatePolicy,
    NotifierActivatePolicy,
    OutreachActivatePolicy,
    Redecide,
)
from schemas.envelope import Data, Event, deterministic_id, encode
from schemas.policy import Policy
from schemas.topics import Topic
from services.classifier.policies import usable
from services.classifier.store import in_force as with_people
from services.classifier.store.tables import offenders
from services.cli.database import opened
from services.common.errors import ConfigurationError, IpviError
from services.common.policies import InForce, in_force
from services.common.settings import CommonSettings, settings_or_error
from services.common.tables import lanes

CLASSIFIER = "classifier"
COMMANDS: Mapping[str, tuple[type[ActivatePolicy], Topic]] = {
    CLASSIFIER: (ClassifierActivatePolicy, Topic.CLASSIFIER_COMMANDS),
    "notifier": (NotifierActivatePolicy, Topic.NOTIFIER_COMMANDS),
    "victim_outreach": (OutreachActivatePolicy, Topic.VICTIM_OUTREACH_COMMANDS),
}
"""By service, in the order in which they are told: which comes first does not matter, each record names its policy."""
SOURCE = "/ipvi/cli"
PATIENCE_S = 30.0

By = Annotated[str, typer.Option("--by", help="Who decides it; it is written down.", show_default=False)]


class NotInForceError(IpviError):
    """The policy has not come into force in every lane; it will, once their services work them."""


def activate_command(
    policy: Annotated[str, typer.Argument(help="Id in policies/, or a policy file.", show_default=False)],
    by: By,
    service: Annotated[
        list[str] | None,
        typer.Option("--service", help="Only this one, where its database is not the others'.", show_default=False),
    ] = None,
) -> None:
    """Bring a policy into force: in each lane of classifier, notifier and victim_outreach at a point of its log, after
    which it decides under it.

    Nobody is decided again by that: `ipvi policy redecide`. A replica started with another file decides under this one.
    What is open keeps its due times (`docs/reviews.md`). Safe to repeat.

    Exit codes: 0 in force in every lane, 2 the policy cannot be used, or not in force everywhere yet.
    """
    settings, made = settings_or_error(CommonSettings), usable(policy)
    for name in service or ():
        if name not in COMMANDS:
            raise typer.BadParameter(f"{name}: one of {', '.join(COMMANDS)}", param_hint="--service")
    asyncio.run(activate(settings, made, by, service or COMMANDS))
    typer.echo(f"in force: {made.id} {made.version} ({made.digest[:12]})")


def redecide_command(by: By, wait: Annotated[bool, typer.Option(help="Until all are decided.")] = True) -> None:
    """Decide everybody again who was last decided under another policy than the one in force. Preview it with
    `ipvi policy diff`.

    In chunks, each in a transaction; live records go in between. Its notices wait until a person releases them. Safe to
    stop and to ask for again: who has been decided is passed over.

    Exit codes: 0 done, 2 no one policy is in force in every lane.
    """
    settings = settings_or_error(CommonSettings)
    digest = asyncio.run(redecide(settings, by))
    if wait:
        left = asyncio.run(_wait(settings, digest))
        typer.echo(f"decided again; {left} are left" if left else "decided again")


def status_command() -> None:
    """Which policies are in force in how many lanes of each service, and how many offenders were last decided under each."""
    for line in asyncio.run(_status(settings_or_error(CommonSettings))):
        typer.echo(line)


async def activate(
    settings: CommonSettings, policy: Policy, by: str, services: Collection[str] = tuple(COMMANDS)
) -> None:
    """Raises `NotInForceError` where a lane has not heard of it after `PATIENCE_S`."""
    document = json.loads(policy.model_dump_json())
    for service in services:
        kind, topic = COMMANDS[service]
        await _send(settings, topic, _command(kind, document, policy.digest, by))
    deadline = time.monotonic() + PATIENCE_S
    while missing := [one for one in services if any(each != policy.digest for each in await _kept(settings, one))]:
        if time.monotonic() > deadline:
            raise NotInForceError(f"not in force in every lane yet: {', '.join(missing)}; it will be, once they run")
        await asyncio.sleep(0.2)


def _command(kind: type[ActivatePolicy], document: dict[str, Any], digest: str, by: str) -> Callable[[int], Data]:
    return lambda lane: kind(lane=lane, policy=document, digest=digest, by=by)


async def redecide(settings: CommonSettings, by: str) -> str:
    """Ask each lane for its first chunk. Returns the digest. Raises `NotInForceError` where lanes differ."""
    digests = set(await _kept(settings, CLASSIFIER))
    if len(digests) != 1 or None in digests:
        raise NotInForceError("no one policy is in force in every lane: ipvi policy activate")
    digest, run_id = str(digests.pop()), str(uuid.uuid4())
    await _send(
        settings, Topic.CLASSIFIER_COMMANDS, lambda lane: Redecide(lane=lane, digest=digest, run_id=run_id, by=by)
    )
    return digest


async def _kept(settings: CommonSettings, service: str) -> Sequence[str | None]:
    """The policy in force in each lane; None: none yet."""
    async with _reading(settings, service) as conn:
        found = {row.lane: row.kept for row in await conn.execute(select(lanes.c.lane, lanes.c.kept))}
    return [found.get(lane) for lane in range(settings.partitions)]


async def _status(settings: CommonSettings) -> list[str]:
    """The classifier's first, with its people."""
    said = []
    async with _reading(settings, CLASSIFIER) as conn:
        said += [f"{_line(CLASSIFIER, one)}, {one.offenders} offenders" for one in await with_people(conn)]
    for service in (one for one in COMMANDS if one != CLASSIFIER):
        async with _reading(settings, service) as conn:
            said += [_line(service, one) for one in await in_force(conn)]
    return said


def _line(service: str, one: InForce) -> str:
    return f"{service}: {one.id} {one.version} ({one.digest[:12]}): {one.lanes} lanes"


@asynccontextmanager
async def _reading(settings: CommonSettings, service: str) -> AsyncIterator[AsyncConnection]:
    """Raises `ConfigurationError` where its database cannot be read."""
    async with opened(settings, service) as database:
        try:
            async with database.read() as conn:
                yield conn
        except (SQLAlchemyError, OSError) as failed:
            raise ConfigurationError(f"the database of {service} cannot be read: {type(failed).__name__}") from None


async def _wait(settings: CommonSettings, digest: str) -> int:
    """How many are left once none has been decided for a while: those who failed, or lanes that stand still."""
    query = select(func.count()).where(offenders.c.policy != digest)
    async with opened(settings, CLASSIFIER) as database:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            async with database.read() as conn:
                left = total = await conn.scalar(query) or 0
            task = bar.add_task("deciding again", total=total)
            changed_at = time.monotonic()
            while left and time.monotonic() - changed_at < PATIENCE_S:
                await asyncio.sleep(0.2)
                async with database.read() as conn:
                    now = await conn.scalar(query) or 0
                if now != left:
                    left, changed_at = now, time.monotonic()
                    bar.update(task, completed=max(0, total - left))
            return left


async def _send(settings: CommonSettings, topic: Topic, command: Callable[[int], Data]) -> None:
    """One command to each lane. Raises `ConfigurationError` where no broker answers."""
    now, asked = datetime.now(UTC), uuid.uuid4()
    producer = AIOKafkaProducer(**settings.kafka.client(), enable_idempotence=True)
    try:
        await producer.start()
        for lane in range(settings.partitions):
            data = command(lane)
            event = Event(
                id=deterministic_id(data.TYPE, asked, lane),
                source=SOURCE,
                subject=str(lane),
                time=now,
                data=data,
                dataclassification=topic.classification,
            )
            message = encode(event)
            await producer.send_and_wait(
                str(topic), message.value, message.key, partition=lane, headers=list(message.headers)
            )
    except KafkaError as failed:
        where = settings.kafka
        raise ConfigurationError(f"Kafka at {where} does not answer: {type(failed).__name__}") from None
    finally:
        await producer.stop()
