"""`ipvi serve SERVICE` and `ipvi migrate`: one service, one process."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import typer

from schemas.partner_file import Partner
from services.cli.registry import DATABASES, PARTNERS, PRODUCERS, SERVICES
from services.cli.topics import create_topics
from services.common import logs
from services.common.database import database_url
from services.common.migrations import upgrade
from services.common.settings import CommonSettings, settings_or_error
from services.partners.app import partners_of
from services.partners.settings import PartnersSettings


class ServiceName(StrEnum):
    """The names of `registry.SERVICES`, `registry.PRODUCERS`, and of the partners' service."""

    INTAKE = "intake"

    CLASSIFIER = "classifier"
    NOTIFIER = "notifier"
    VICTIM_OUTREACH = "victim_outreach"
    PARTNERS = "partners"


def serve_command(
    service: Annotated[ServiceName, typer.Argument(help="Which service this process is.", show_default=False)],
) -> None:
    """Run one replica of one service until it is told to stop (SIGTERM).

    Reads its settings from the environment: KAFKA_BOOTSTRAP_SERVERS, DATABASE_URL, IPVI_POLICY, IPVI_REPLICA (a name that
    stays over restarts), IPVI_PARTITIONS, IPVI_TOKENS_FILE, IPVI_API_HOST, IPVI_API_PORT (0: no API).

    Exit codes: 0 stopped, 2 refused to start, with one line why (docs/runbook.md has a row for each code).
    """
    settings = settings_or_error(CommonSettings)
    logs.configure(service)
    part = SERVICES.get(service) or {**PRODUCERS, "partners": PARTNERS}[service]
    replica = part.replica(settings)
    # What is imported by now stays, and states in memory live long: to look through them for garbage at the pace that suits
    # a script takes a fifth of the processor's time.
    gc.freeze()
    gc.set_threshold(50_000, 20, 10)
    asyncio.run(replica.run())


def migrate_command() -> None:
    """Create the topics and bring every service's tables to the newest form, each partner's too.

    Safe to repeat, and to run twice at once.
    """
    settings = settings_or_error(CommonSettings)
    partners = partners_of(settings_or_error(PartnersSettings))
    create_topics(settings.kafka, settings.partitions, [each.topic for each in partners])
    asyncio.run(migrate_all(settings, partners=partners))


async def migrate_all(
    settings: CommonSettings, services: Iterable[str] = DATABASES, partners: Iterable[Partner] = ()
) -> None:
    """The tables of these services, and of each of these partners."""
    for name in services:
        await upgrade(database_url(settings, name), name)
    for partner in partners:
        await upgrade(database_url(settings, partner.service), "partners", partner.service)
