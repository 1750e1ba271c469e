"""`ipvi partners status`: how it stands with each partner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

import typer
from confluent_kafka.admin import AdminClient

from schemas.partner_file import Partner
from services.cli.settled import ends, places
from services.common.database import Database, database_url
from services.common.settings import CommonSettings, settings_or_error
from services.partners.app import partners_of
from services.partners.rules import has_lapsed
from services.partners.settings import PartnersSettings
from services.partners.store import Standing, deliveries, standing
from services.partners.store.deliveries import Going


@dataclass(frozen=True, slots=True)
class Line(Standing):
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

    Reads IPVI_PARTNERS, KAFKA_BOOTSTRAP_SERVERS and the database as `ipvi serve partners` does.
    """
    settings = settings_or_error(CommonSettings)
    for line in asyncio.run(status(settings, partners_of(settings_or_error(PartnersSettings)))):
        typer.echo(json.dumps(asdict(line), default=str))


async def status(settings: CommonSettings, partners: Sequence[Partner]) -> list[Line]:
    """In the order of their ids."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers, "log_level": 0})
    return [await _line(settings, partner, admin) for partner in partners]


async def _line(settings: CommonSettings, partner: Partner, admin: AdminClient) -> Line:
    database = Database(database_url(settings, partner.service), partner.service, pool_size=1)
    try:
        async with database.read() as conn:
            now, at, going = await standing(conn), await places(conn), await deliveries.going(conn)
    finally:
        await database.close()
    topics = sorted({topic for topic, _ in at})
    last = ends(admin, topics, settings.partitions) if topics else {}
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
