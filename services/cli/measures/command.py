"""The command: read everybody once, count, and write the tables down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.policy import Policy
from schemas.policy_file import load_policy
from services.cli.database import opened
from services.cli.measures.counting import Period, Tally
from services.cli.measures.outreach import outreach
from services.cli.measures.page import page
from services.cli.measures.plots import Plot, plots
from services.cli.measures.tables import Table
from services.cli.research import newest, people
from services.common.settings import CommonSettings, settings_or_error

HEADING = "Measures of the strategy"
DAY, MOMENT = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"


def measures_command(
    since: Annotated[
        datetime | None, typer.Option("--from", formats=[DAY], help="Notices and incidents from this day on (UTC).")
    ] = None,
    before: Annotated[
        datetime | None, typer.Option("--to", formats=[DAY], help="Notices and incidents before this day (UTC).")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=[DAY, MOMENT], help="End of observation (UTC); else the newest record there is."),
    ] = None,
    outreach_of: Annotated[
        str | None,
        typer.Option("--outreach", help="Measures of outreach instead, of one quarter: 2025-Q3.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for CSV, Markdown, plots and a page; else Markdown to the terminal.")
    ] = None,
) -> None:
    """Count what the strategy comes to: notified, arrested again, time to notice, sanctions, calls, harm.

    Reads the classifier's tables and nothing of any victim. docs/measures.md defines each number and names its source.
    With --outreach: counts that victim outreach has published, none of fewer than eleven women, each quarter once.

    Examples:

        ipvi measures

        ipvi measures --from 2025-01-01 --to 2026-01-01 --out measures-2025

        ipvi measures --outreach 2025-Q3
    """
    settings = settings_or_error(CommonSettings)
    if outreach_of is not None:
        published = asyncio.run(outreach(settings, outreach_of))
        said = f"Outreach to women whose case was opened in {outreach_of}, as it stood 30 days after its end."
        _told(out, "Measures of outreach", said, published)
        return
    policy = load_policy(settings.policy)
    period = Period(_utc(as_of) or datetime.max.replace(tzinfo=UTC), _utc(since), _utc(before))
    tally = asyncio.run(count(settings, policy, period, is_open=as_of is None))
    tables = tally.tables()
    said = covers(tally.period, policy)
    _told(out, HEADING, said, tables, list(plots(tally, tables)) if out is not None else [])


def _told(out: Path | None, heading: str, said: str, tables: Sequence[Table], drawn: Sequence[Plot] = ()) -> None:
    if out is None:
        typer.echo(f"{said}\n\n" + "\n".join(table.markdown() for table in tables))
        return
    write(out, heading, said, tables, drawn)
    typer.echo(f"{len(tables)} tables in {out}", err=True)


async def count(settings: CommonSettings, policy: Policy, period: Period, *, is_open: bool = False) -> Tally:
    """Everybody counted. `is_open`: observation ends with the newest record."""
    async with opened(settings, "classifier") as database:
        if is_open:
            period = Period(await newest(database) or datetime.now(UTC), period.since, period.before)
        tally = Tally(period, policy)
        async for person in people(database, policy):
            tally.add(person)
    return tally


def covers(period: Period, policy: Policy) -> str:
    """What the numbers are of."""
    since = f"from {period.since:{DAY}} " if period.since else ""
    before = f"before {period.before:{DAY}} " if period.before else ""
    until = f"{period.as_of:{MOMENT}}"
    return (
        f"Notices and incidents {since}{before}as known; observed until {until}. Policy {policy.id} {policy.version}."
    )


def write(out: Path, heading: str, said: str, tables: Sequence[Table], drawn: Sequence[Plot] = ()) -> None:
    """One CSV a table, all of them in `measures.md` and `index.html`, plots as SVG and PNG."""
    out.mkdir(parents=True, exist_ok=True)
    for table in tables:
        (out / f"{table.name}.csv").write_text(table.csv(), "utf-8")
    for plot in drawn:
        (out / f"{plot.name}.svg").write_bytes(plot.svg)
        (out / f"{plot.name}.png").write_bytes(plot.png)
    text = f"# {heading}\n\n{said}\n\n" + "\n".join(table.markdown() for table in tables)
    (out / "measures.md").write_text(text, "utf-8")
    (out / "index.html").write_text(page(heading, said, tables, drawn), "utf-8")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None else None
