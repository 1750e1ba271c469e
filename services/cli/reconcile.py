"""`ipvi reconcile`: an agency's list of live incidents against the histories. An order to expunge may never arrive."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.incident import IncidentId, IncidentReported, IncidentRetracted, Ori
from services.classifier.store.tables import decisions, incidents
from services.cli.database import opened
from services.common import logs
from services.common.errors import ConfigurationError, IpviError
from services.common.settings import CommonSettings, settings_or_error
from services.intake.app import stream
from services.intake.domain import Feed, Unit
from services.intake.settings import IntakeSettings

SERVICE = "classifier"
SOURCE = "/intake/reconcile"
MOST_MISSING = 0.1
"""Share of an agency's known incidents that a whole list may lack; more is taken for a list that was cut short."""
ALWAYS = 5
"""So many may be missing from a list of any length."""

_IN_CHUNK = 400
_INCIDENT, _ORI = TypeAdapter(IncidentId), TypeAdapter(Ori)


class ListError(IpviError):
    """The list cannot be used; nothing was proposed or sent."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A report that stands here and that its agency no longer lists."""

    incident_id: str
    offender_id: str
    """As it was told: the retraction goes the same way."""
    revision: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it."""

    listed: int
    known: int
    unknown: int
    """Listed and not here: never reported, or taken back, or expunged."""
    later: int
    """Not listed, and reported or heard of since the list was written: it cannot be told whether they would be."""
    stale: Sequence[Stale]


def reconcile_command(
    file: Annotated[Path, typer.Argument(help="CSV with a column incident_id, or JSON lines.", show_default=False)],
    agency: Annotated[str, typer.Option("--agency", help="Whose list it is: its ORI.", show_default=False)],
    exported: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"],
            help="When the list was written (UTC): what was reported since is passed over.",
            show_default=False,
        ),
    ],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The list begins with this day (UTC).")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The list ends before this day (UTC).")
    ] = None,
    expect: Annotated[
        int | None, typer.Option(help="How many are missing, where they are more than a list may lack.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Send the retractions; else they are only shown.")] = False,
) -> None:
    """Compare an agency's list of the incidents that it still holds with the histories, and propose to retract the others.

    A retraction takes back what is known now: if the agency reports the incident again, with a higher revision, it stands.
    What was reported, or decided on here, since the list was written is passed over. An empty list, one that lacks more than
    a tenth of what is known, or one that names another agency's incident is a fault of the list, and nothing is proposed.

    Exit codes: 0 done, 2 the list or the broker cannot be used.

    Examples:

        ipvi reconcile live.csv --agency NC0990100 --exported 2026-03-02T06:00

        ipvi reconcile live.jsonl --agency NC0990100 --exported 2026-03-02 --since 2024-01-01 --apply
    """
    logs.quieten()
    settings = settings_or_error(CommonSettings)
    check_exported(exported)
    found = asyncio.run(compare(settings, read_list(file, agency), agency, exported, since, until))
    check(found, expect)
    for one in found.stale:
        typer.echo(f"{one.incident_id}\t{one.offender_id}\t{one.revision}")
    if apply:
        asyncio.run(retract(settings, agency, found.stale))
    said = "sent" if apply else "to be sent with --apply"
    typer.echo(
        f"{found.listed} listed, {found.known} known, {found.unknown} not known here, "
        f"{found.later} reported since and passed over, {len(found.stale)} retractions {said}",
        err=True,
    )


def read_list(file: Path, agency: str) -> set[str]:
    """Ids, each with the agency's ORI before the colon whether or not the list has it. Raises `ListError` by line."""
    try:
        _ORI.validate_python(agency)
    except ValidationError:
        raise ListError("--agency: an ORI has nine capital letters and digits") from None
    found = set()
    for line, each in _lines(file):
        whole = each if ":" in each else f"{agency}:{each}"
        try:
            _INCIDENT.validate_python(whole)
        except ValidationError:
            raise ListError(f"{file.name}:{line}: not an incident id") from None
        if not whole.startswith(f"{agency}:"):
            raise ListError(f"{file.name}:{line}: another agency's incident")
        found.add(whole)
    if not found:
        raise ListError(f"{file.name}: the list is empty: a fault of the export, not an agency without incidents")
    return found


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ListError(f"{file.name}: cannot be read as UTF-8 text") from None
    rows = text.splitlines()
    if rows and rows[0].lstrip().startswith(("{", '"{', "[")):
        yield from _json(file, rows)
        return
    table = csv.reader(rows)
    header = [name.strip().lower() for name in next(table, [])]
    if "incident_id" not in header:
        raise ListError(f"{file.name}:1: no column incident_id")
    column = header.index("incident_id")
    for line, row in enumerate(table, start=2):
        if any(cell.strip() for cell in row):
            if len(row) <= column or not row[column].strip():
                raise ListError(f"{file.name}:{line}: no incident_id")
            yield line, row[column].strip()


def _json(file: Path, rows: Sequence[str]) -> Iterator[tuple[int, str]]:
    for line, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        try:
            each = json.loads(row)["incident_id"]
        except (ValueError, TypeError, KeyError):
            raise ListError(f"{file.name}:{line}: not a JSON object with incident_id") from None
        if not isinstance(each, str) or not each.strip():
            raise ListError(f"{file.name}:{line}: incident_id is not a text")
        yield line, each.strip()


def check_exported(exported: datetime) -> None:
    """Raises `ListError` for a time to come: nothing would be passed over."""
    if exported.replace(tzinfo=UTC) > datetime.now(UTC):
        raise ListError("--exported: that time is still to come (UTC)")


async def compare(
    settings: CommonSettings,
    listed: set[str],
    agency: str,
    exported: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Comparison:
    """With what stands in the histories, of that agency and that time alone. All times are UTC."""
    columns = incidents.c
    query = select(columns.incident_id, columns.reported_as, columns.revision).where(
        columns.incident_id.startswith(f"{agency}:", autoescape=True)
    )
    if since is not None:
        query = query.where(columns.occurred_at >= since.replace(tzinfo=UTC))
    if until is not None:
        query = query.where(columns.occurred_at < until.replace(tzinfo=UTC))
    async with opened(settings, SERVICE) as database, database.read() as conn:
        rows = (await conn.execute(query.order_by(columns.incident_id, columns.reported_as))).all()
        missing = sorted({row.incident_id for row in rows} - listed)
        later = await _later(conn, missing, exported.replace(tzinfo=UTC))
    covered = [row for row in rows if row.incident_id not in later]
    known = {row.incident_id for row in covered}
    stale = [Stale(row.incident_id, row.reported_as, row.revision) for row in covered if row.incident_id not in listed]
    return Comparison(len(listed), len(known), len(listed - known), len(later), stale)


async def _later(conn: AsyncConnection, incident_ids: Sequence[str], exported: datetime) -> set[str]:
    """Of these, what was reported since, by its agency's clock, or decided on here: a report may have lain there for days."""
    found: set[str] = set()
    for start in range(0, len(incident_ids), _IN_CHUNK):
        some = incident_ids[start : start + _IN_CHUNK]
        told = await conn.execute(
            select(incidents.c.incident_id, incidents.c.data).where(incidents.c.incident_id.in_(some))
        )
        found.update(row.incident_id for row in told if _reported_at(row.data) >= exported)
        decided = select(decisions.c.incident_id).where(
            decisions.c.incident_id.in_(some), decisions.c.decided_at >= exported
        )
        found.update((await conn.scalars(decided)).all())
    return found


def _reported_at(report: str) -> datetime:
    return IncidentReported.model_validate_json(report).reported_at


def check(found: Comparison, expect: int | None) -> None:
    """Raises `ListError` where the list lacks so much that it is more likely cut short."""
    missing = len({one.incident_id for one in found.stale})
    if expect is not None:
        if missing != expect:
            raise ListError(f"{missing} of {found.known} known incidents are missing, not the {expect} expected")
    elif missing > max(ALWAYS, MOST_MISSING * found.known):
        raise ListError(
            f"the list lacks {missing} of {found.known} known incidents, more than a list may: look at the export; "
            f"if it is right, --expect {missing}"
        )


async def retract(settings: CommonSettings, agency: str, stale: Sequence[Stale]) -> None:
    """Through intake's own way to the stream. The same proposal sent twice is one: ids follow from what it takes back."""
    if not stale:
        return
    now = datetime.now(UTC)
    async with stream(settings, Feed("reconcile", agency), IntakeSettings().terms()) as sink:
        await sink.take([Unit(line, (_retraction(one, agency, now),)) for line, one in enumerate(stale, start=1)])
        await sink.finish()


def _retraction(one: Stale, agency: str, now: datetime) -> Event[Data]:
    if not one.incident_id.startswith(f"{agency}:"):
        raise ConfigurationError("an incident of another agency")  # never, whatever was compared
    return Event(
        id=deterministic_id("reconcile", one.incident_id, one.offender_id, one.revision),
        source=SOURCE,
        subject=one.offender_id,
        time=now,
        data=IncidentRetracted(
            incident_id=one.incident_id, offender_id=one.offender_id, agency=agency, revision=one.revision
        ),
        dataclassification=Classification.RESTRICTED,
        correlationid=one.incident_id,
    )
