"""`ipvi partners replay`: deliver again what a partner has lost, or what was given up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from schemas.partner_file import Partner
from services.cli.partners.parts import tables_of
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings, settings_or_error
from services.partners.app import partners_of
from services.partners.settings import PartnersSettings
from services.partners.store import deliveries


def replay_command(
    name: Annotated[str, typer.Argument(help="Id of the partner.", show_default=False)],
    since: Annotated[str | None, typer.Option("--from", help="First moment, RFC 3339.", show_default=False)] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Moment before which; else now.", show_default=False)
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Dead letters alone.")] = False,
    enable: Annotated[bool, typer.Option("--enable", help="Deliver again, after its server said 410.")] = False,
) -> None:
    """Deliver again to NAME what was first to be delivered between --from and --to, under the same ids and in order.

    What was expunged meanwhile is not said again. Without --from, --dead means all of them. The sender of
    `ipvi serve partners` does the work; this command only says what is to be done.

    A partner with a topic replays by itself: it sets its group's offsets back to a time.

    Exit codes: 0 done, 2 nothing was done, with one line why.

    Example:

        ipvi partners replay district-attorney --from 2026-03-01T00:00:00Z
    """
    partner = find_partner(name)
    if partner.delivery.kind == "topic":
        raise ConfigurationError(
            f"{name} reads a topic, and replays by itself: stop its consumer, then kafka-consumer-groups.sh --group "
            f"ipvi.partner.{name}.consumer --topic {partner.topic} --reset-offsets --to-datetime T --execute"
        )
    if since is None and not (dead or enable):
        raise ConfigurationError("say from when with --from, or --dead, or --enable")
    start = moment(since, "--from") if since is not None else datetime.min.replace(tzinfo=UTC)
    end = moment(until, "--to") if until is not None else None
    if end is not None and end <= start:
        raise ConfigurationError("--to: is not after --from")
    settings = settings_or_error(CommonSettings)
    wanted = None if since is None and not dead else (start, end)
    typer.echo(f"{asyncio.run(_replay(settings, partner, wanted, dead=dead, enable=enable))} to be delivered again")


async def _replay(
    settings: CommonSettings,
    partner: Partner,
    wanted: tuple[datetime, datetime | None] | None,
    *,
    dead: bool,
    enable: bool,
) -> int:
    async with tables_of(settings, partner) as database, database.write() as conn:
        if enable:
            await deliveries.enable(conn)
        if wanted is None:
            return 0
        return await deliveries.replay(conn, datetime.now(UTC), *wanted, dead_only=dead)


def find_partner(name: str) -> Partner:
    """Of IPVI_PARTNERS. Raises `ConfigurationError`."""
    for partner in partners_of(settings_or_error(PartnersSettings)):
        if partner.id == name:
            return partner
    raise ConfigurationError(f"IPVI_PARTNERS has no usable file of {name}; ipvi partners check says why")


def moment(text: str, name: str) -> datetime:
    """Raises `ConfigurationError`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{name}: is no time; write 2026-03-01T00:00:00Z") from None
    if found.tzinfo is None:
        raise ConfigurationError(f"{name}: has no zone; write 2026-03-01T00:00:00Z")
    return found.astimezone(UTC)
