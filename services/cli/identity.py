"""`ipvi identity`: which records are one person. Questions, a person's word on them, the model, and how it all stands."""

from __future__ import annotations

import asyncio
import getpass
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import typer

from services.cli.database import NO_INTAKE_TABLES, opened
from services.common import guard
from services.common.database import Database
from services.common.desk import Reply, Standing
from services.common.errors import IpviError
from services.common.paging import Page
from services.common.reads import Purpose, Read, SqlReadLog
from services.common.seal import NOBODYS
from services.common.settings import settings_or_error
from services.intake.domain import Terms
from services.intake.linkage.rules import Answer, Reason
from services.intake.settings import IntakeSettings
from services.intake.store import identities, linkage
from services.intake.store.linkage import OPEN
from services.intake.usecases import judging
from services.intake.usecases.linking import link_numbers, score_new, train_model

app = typer.Typer(help="Which records are one person: questions, links, splits, the model.", no_args_is_help=True)
CandidateArgument = Annotated[str, typer.Argument(help="Its id, as `ipvi identity candidates` lists it.")]
ReasonOption = Annotated[Reason, typer.Option("--reason", help="By what it is known.", show_default=False)]
ByOption = Annotated[
    str | None, typer.Option("--by", help="Who says so; else whoever is logged in.", show_default=False)
]


class RefusedError(IpviError):
    """A person's word was not taken; nothing has changed."""


@app.command("candidates")
def candidates_command(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, the oldest first.")] = 100,
    records: Annotated[
        bool, typer.Option("--records", help="With both records, names and all; that is written to the read log.")
    ] = False,
) -> None:
    """The questions that are open, one JSON object a line."""
    asyncio.run(_candidates(limit, records))


@app.command("link")
def link_command(candidate: CandidateArgument, reason: ReasonOption, by: ByOption = None) -> None:
    """These two records are one person: they are merged, and his history is decided again."""
    asyncio.run(_decide(candidate, Answer.SAME, reason, by))


@app.command("separate")
def separate_command(candidate: CandidateArgument, reason: ReasonOption, by: ByOption = None) -> None:
    """These two records are two people: never asked again on the same evidence; what was one is split."""
    asyncio.run(_decide(candidate, Answer.DIFFERENT, reason, by))


@app.command("split")
def split_command(
    offender_id: Annotated[str, typer.Argument(help="Under which both go now.")],
    reason: ReasonOption,
    merged: Annotated[str | None, typer.Option("--merged", help="The id that was merged wrongly.")] = None,
    incident: Annotated[list[str] | None, typer.Option("--incident", help="An incident that is another's.")] = None,
    by: ByOption = None,
) -> None:
    """Undo a wrong link: what came under --merged, or these incidents, are another man's. Both are decided again."""

    async def work(database: Database, terms: Terms) -> None:
        now = datetime.now(UTC)
        _tell(await judging.split(database, terms, offender_id, merged, incident or [], _form(reason, by), now))

    asyncio.run(_with(work))


@app.command("train")
def train_command(by: ByOption = None) -> None:
    """Train the model on all records there are. Everything is scored again with it; what a person has decided stays.

    Exit codes: 0 done, 2 there are too few records to learn from.
    """

    async def work(database: Database, terms: Terms) -> None:
        version = await train_model(database, datetime.now(UTC), by or getpass.getuser())
        async with database.read() as conn:
            found = await linkage.newest_model(conn)
        assert found is not None
        typer.echo(f"model {version}: digest {found[1].digest}, trained on {found[1].records:,} records")

    asyncio.run(_with(work))


@app.command("compare")
def compare_command() -> None:
    """Compare now what is new, as the running service does by itself; what follows goes out with its outbox."""

    async def work(database: Database, terms: Terms) -> None:
        while await link_numbers(database, terms, datetime.now(UTC)):
            pass
        await score_new(database, terms)

    asyncio.run(_with(work))
    status_command()


@app.command("status")
def status_command() -> None:
    """How the linkage stands: records, what is still to be compared, questions and links by kind, the model. JSON."""

    async def work(database: Database, terms: Terms) -> None:
        async with database.read() as conn:
            typer.echo(orjson.dumps(await linkage.standing(conn), option=orjson.OPT_INDENT_2).decode())

    asyncio.run(_with(work))


async def _candidates(limit: int, records: bool) -> None:
    async with _database() as (database, _), database.read() as conn:
        found = (await linkage.listed(conn, Page(limit), {OPEN})).items
        for each in found:
            line: dict[str, Any] = {
                "candidate_id": each.candidate_id, "probability": each.probability, "shared": each.shared,
                "contradiction": each.contradiction, "raised_at": each.raised_at,
            }  # fmt: skip
            if records:
                reads = [
                    Read(getpass.getuser(), "ipvi identity candidates", kind, name, Purpose.CASE_WORK)
                    for kind, name in (
                        ("candidate", each.candidate_id), ("identity_record", each.one), ("identity_record", each.other),
                    )
                ]  # fmt: skip
                await SqlReadLog(database).write(reads)
                rows = sorted((await identities.by_id(conn, (each.one, each.other))).values(), key=lambda row: row[0])
                names = (
                    "offender_id",
                    "agency",
                    "state_number",
                    "fbi_number",
                    "own_number",
                    "name",
                    "birth_date",
                    "sex",
                )
                line["records"] = [{name: getattr(known, name) for name in names} for _, known in rows]
            typer.echo(orjson.dumps(line).decode())


async def _decide(candidate: str, word: Answer, reason: Reason, by: str | None) -> None:
    async with _database() as (database, terms):
        _tell(await judging.decide(database, terms, candidate, word, _form(reason, by), datetime.now(UTC)))


def _form(reason: Reason, by: str | None) -> judging.Form:
    return judging.Form(by or getpass.getuser(), reason, uuid.uuid4().hex)


def _tell(reply: Reply) -> None:
    """Raises `RefusedError` with the code of docs/api.md."""
    if reply.standing is not Standing.APPLIED:
        raise RefusedError(f"refused: {reply.code}")
    typer.echo("done; it goes out with intake's outbox")


async def _with(work: Callable[[Database, Terms], Awaitable[None]]) -> None:
    async with _database() as (database, terms):
        await work(database, terms)


@asynccontextmanager
async def _database() -> AsyncIterator[tuple[Database, Terms]]:
    settings = settings_or_error(IntakeSettings)
    async with opened(settings, "intake", NO_INTAKE_TABLES, pool_size=2) as database:
        terms = settings.terms()
        await guard.check_key(database, terms.seal(NOBODYS), only_look=True)
        yield database, terms
