"""`ipvi partners status`: how it stands with each partner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

import typer
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.partner_file import Partner, load_partners
from services.cli.partners.parts import tables_of
from services.cli.settled import ends, places
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings, settings_or_error
from services.partners.rules import has_lapsed
from services.partners.settings import PartnersSettings
from services.partners.store import Counts, counts, deliveries
from services.partners.store.deliveries import Going


@dataclass(frozen=True, slots=True)
class Line(Counts):
    """One partner. `behind_by`: records of its inputs that its lanes have not worked.

    `deliveries`: by webhook or file, how it goes; None: its topic is the delivery.
    """

    partner: str
    expires: date
    lapsed: bool
    behind_by: int
    delivery: str
    deliveries: Going | None


def status_command() -> None:
    """One JSON line a partner: when it lapses, what was sent, what was taken back and is not confirmed, how far behind.

    Reads IPVI_PARTNERS, KAFKA_BOOTSTRAP_SERVERS and the database as `ipvi serve partners` does. Of a partner whose file or
    tables cannot be used there is a line on standard error; the others are told all the same.

    Exit codes: 0 all told, 2 of one nothing could be told.
    """
    folder = settings_or_error(PartnersSettings).partners
    if folder is None:
        raise ConfigurationError("IPVI_PARTNERS names no folder of partner files (docs/partners.md)")
    partners, faults = load_partners(folder)
    told, untold = asyncio.run(status(settings_or_error(CommonSettings), partners))
    for line in told:
        typer.echo(json.dumps(asdict(line), default=str))
    for why in [*map(str, faults.values()), *untold]:
        typer.echo(f"ipvi: {why}", err=True)
    if faults or untold:
        raise typer.Exit(2)


async def status(settings: CommonSettings, partners: Sequence[Partner]) -> tuple[list[Line], list[str]]:
    """In the order of their ids; and why of some there is nothing to tell."""
    admin = AdminClient(settings.kafka.admin())
    told, untold = [], []
    for partner in partners:
        try:
            told.append(await _line(settings, partner, admin))
        except ConfigurationError as failed:
            untold.append(str(failed))
    return told, untold


async def _line(settings: CommonSettings, partner: Partner, admin: AdminClient) -> Line:
    async with tables_of(settings, partner) as database, database.read() as conn:
        now, at, going = await counts(conn), await places(conn), await deliveries.going(conn)
    topics = sorted({topic for topic, _ in at})
    try:
        last = ends(admin, topics, settings.partitions) if topics else {}
    except KafkaException:
        raise ConfigurationError(
            f"{partner.id}: Kafka at {settings.kafka} does not say how long its topics are"
        ) from None
    behind = sum(max(0, end - at[place][0]) for place, end in last.items() if place in at)
    lapsed = now.clock is not None and has_lapsed(partner, now.clock)
    kind = partner.delivery.kind
    return Line(
        **asdict(now),
        partner=partner.id,
        expires=partner.expires,
        lapsed=lapsed,
        behind_by=behind,
        delivery=kind,
        deliveries=going if kind != "topic" else None,
    )
