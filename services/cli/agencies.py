"""`ipvi agencies`: how each agency's feeds stand, and taking from a paused one again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from services.cli.database import NO_INTAKE_TABLES, opened
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings, settings_or_error
from services.intake.app import silence
from services.intake.store.feeds import AgencyFeed, agency_feeds
from services.intake.store.feeds import resume as resume_feed

app = typer.Typer(help="Agencies' feeds: heard when, how much, refused what; paused ones.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def agencies_command(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")] = False,
) -> None:
    """Each feed of each agency: when it was last heard (no events is not no violence), today against a normal day, what was
    refused and why, how often the relationship is unknown, history loads, and whether it is paused or at fault.

    Exit codes: 0 all well, 1 some feed is silent for a day (or as long as
    its folder in IPVI_FEEDS_FILE says), paused or at fault, 2 not usable.
    """
    if context.invoked_subcommand is not None:
        return
    settings, now, quiet = settings_or_error(CommonSettings), datetime.now(UTC), silence()
    found = asyncio.run(_feeds(settings, now))
    alarms = [_alarm(feed, is_silent=now - feed.last_heard > quiet.after(feed.agency, feed.feed)) for feed in found]
    if json:
        for feed in found:
            typer.echo(orjson.dumps(feed).decode())
    else:
        Console().print(_table(found, alarms))
    raise typer.Exit(1 if any(alarms) else 0)


@app.command("resume")
def resume_command(
    agency: Annotated[str, typer.Argument(help="ORI, or - where records do not say whose they are.")],
    feed: Annotated[str, typer.Argument(help="Format, or name of the mapping.")],
    accept_short: Annotated[
        bool, typer.Option("--accept-short", help="The next roster is right, however few are in it.")
    ] = False,
) -> None:
    """Take from a feed again that was paused for its rejects; with --accept-short believe its next roster. Of one that is
    paused for expunctions, all that come today (UTC) are carried out: ask first who ordered them.

    Exit codes: 0 done, 2 there is no such feed.
    """
    if not asyncio.run(_resume(settings_or_error(CommonSettings), (agency, feed), accept_short)):
        raise ConfigurationError(f"no feed {feed} of agency {agency}; `ipvi agencies` lists them")
    typer.echo(f"{feed} of {agency}: resumed")


def _alarm(feed: AgencyFeed, *, is_silent: bool) -> str:
    """Why a person should look; empty where all is well."""
    found = []
    if feed.paused_at is not None:
        found.append(f"paused for {feed.paused_for}")
    if feed.fault is not None:
        found.append(feed.fault)
    if feed.volume is not None:
        found.append(f"{feed.volume} volume")
    if is_silent:
        found.append("silent")
    return ", ".join(found)


def _table(found: list[AgencyFeed], alarms: list[str]) -> Table:
    table = Table(
        "agency", "feed", "last heard", "today", "normal day", "rejected", "relationship unknown", "bulk", "alarm"
    )
    for feed, alarm in zip(found, alarms, strict=True):
        reasons = ", ".join(f"{code} {count}" for code, count in sorted(feed.reasons.items()))
        share = feed.without_relationship
        table.add_row(
            feed.agency,
            feed.feed,
            f"{feed.last_heard:%Y-%m-%d %H:%M}Z",
            f"{feed.today['events']:,}",
            f"{feed.normal:,.1f}" if feed.normal is not None else "",
            reasons,
            f"{share:.0%}" if share is not None else "",
            f"{feed.bulk:,}",
            alarm,
        )
    return table


async def _feeds(settings: CommonSettings, now: datetime) -> list[AgencyFeed]:
    async with opened(settings, "intake", NO_INTAKE_TABLES) as database, database.read() as conn:
        return await agency_feeds(conn, now)


async def _resume(settings: CommonSettings, key: tuple[str, str], accept_short: bool) -> bool:
    async with opened(settings, "intake", NO_INTAKE_TABLES) as database, database.write() as conn:
        return await resume_feed(conn, key, datetime.now(UTC), accept_short=accept_short)
