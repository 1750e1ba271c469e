"""`ipvi reads`: the read-access log, for an audit; and the end of what has been kept for long enough."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import orjson
import typer
from sqlalchemy import delete, select

from services.cli.database import opened
from services.cli.serve import ServiceName
from services.common.reads import RETENTION
from services.common.settings import CommonSettings, settings_or_error
from services.common.tables import reads

app = typer.Typer(help="Who was shown which record, when and for what.", no_args_is_help=True)
Service = Annotated[ServiceName, typer.Option("--service", help="Whose.", show_default=False)]


@app.command("list")
def list_command(
    service: Service,
    person: Annotated[str | None, typer.Option(help="Only what this person was shown.", show_default=False)] = None,
    record: Annotated[str | None, typer.Option(help="Only who was shown this record.", show_default=False)] = None,
    days: Annotated[int, typer.Option(min=1, help="So far back.")] = 365,
) -> None:
    """JSON lines, oldest first: when, who, by which route, kind and id of the record, purpose."""
    asyncio.run(_say(settings_or_error(CommonSettings), str(service), person, record, timedelta(days=days)))


@app.command("purge")
def purge_command(
    service: Service,
    days: Annotated[
        int, typer.Option("--days", min=RETENTION.days, help="Delete what is older; a year at the least.")
    ] = RETENTION.days,
) -> None:
    """Delete what has been kept for long enough, and say how much. The database refuses to delete anything younger."""
    gone = asyncio.run(_purge(settings_or_error(CommonSettings), str(service), timedelta(days=days)))
    typer.echo(f"{gone} rows deleted")


async def _say(settings: CommonSettings, service: str, person: str | None, record: str | None, back: timedelta) -> None:
    query = select(reads).where(reads.c.at >= datetime.now(UTC) - back).order_by(reads.c.at, reads.c.seq)
    if person is not None:
        query = query.where(reads.c.person == person)
    if record is not None:
        query = query.where(reads.c.record == record)
    async with opened(settings, service) as database, database.read() as conn, conn.stream(query) as rows:
        async for row in rows:
            line = {str(name): value for name, value in row._mapping.items() if name != "seq"}
            typer.echo(orjson.dumps(line, option=orjson.OPT_UTC_Z).decode())


async def _purge(settings: CommonSettings, service: str, age: timedelta) -> int:
    async with opened(settings, service) as database, database.write() as conn:
        return (await conn.execute(delete(reads).where(reads.c.at < datetime.now(UTC) - age))).rowcount
