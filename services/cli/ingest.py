"""`ipvi ingest`: a file of incidents to the stream, or to CloudEvents lines with no broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.mapping import Mapping
from schemas.mapping_file import MappingError, load_mapping
from schemas.policy_file import PolicyError, load_policy
from services.common import logs
from services.common.errors import ConfigurationError, IpviError
from services.common.settings import CommonSettings, settings_or_error
from services.intake.app import MAPPED, Format, feed_of, fitting, read_units, stream, take_roster
from services.intake.checking import OPERATOR, checked
from services.intake.domain import AsOf, Feed, FeedPausedError, IngestSummary, Reject, SourcePausedError
from services.intake.lines import Source
from services.intake.nibrs.events import ZoneOf
from services.intake.settings import IntakeSettings
from services.intake.sinks import LinesSink
from services.intake.usecases import Sink, ingest

DONE, FAILED, PAUSED = 0, 2, 3
_AT_ONCE = 1_000
"""Units in one transaction: nothing else waits here, and larger batches cost every service less."""
STDOUT = "-"
ROSTER_MEND = "send it again whole, or, if it is right, first `ipvi agencies resume AGENCY FEED --accept-short`"

FileArgument = Annotated[Path, typer.Argument(help="The file to read, plain or gzip.", show_default=False)]
FormatOption = Annotated[
    Format,
    typer.Option(
        "--format",
        help="nibrs-flat, nibrs-xml: an FBI NIBRS submission. cloudevents: one JSON event a line. csv: a table (CSV or JSON "
        "rows) of incidents, calls, orders or dispositions, read by --mapping. notices: notices served before this system. "
        "roster: who is held in a jail now, compared with the snapshot before.",
    ),
]
MappingOption = Annotated[
    str | None,
    typer.Option("--mapping", help="How a table is read: a name in deploy/mappings, or a file (docs/intake.md)."),
]
OutOption = Annotated[
    str | None,
    typer.Option("--out", help="Write CloudEvents lines to this file (- is standard output); no broker is needed."),
]
AsOfOption = Annotated[
    AsOf,
    typer.Option("--as-of", help="Record time: the broker's (now), or the time each incident was reported (reported)."),
]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--time-zone", help="Of times without one (NIBRS), as Pacific/Honolulu; else the policy's zones hold."
    ),
]
PolicyOption = Annotated[
    str | None,
    typer.Option("--policy", help="Id or file of the policy whose time zones hold; else that of IPVI_POLICY."),
]


def ingest_command(
    file: FileArgument,
    format: FormatOption,
    out: OutOption = None,
    as_of: AsOfOption = AsOf.NOW,
    time_zone: ZoneOption = None,
    policy: PolicyOption = None,
    mapping: MappingOption = None,
) -> None:
    """Read a file of incidents into the stream. Safe to stop at any time and to run again from the start.

    What cannot be read is refused line by line (or NIBRS incident by incident), told on standard error as file, line,
    code, field and mend, and kept on the rejects topic; the rest goes on. docs/rejects.md explains each code.

    Exit codes: 0 done (with or without rejects), 2 the file, the options or the broker are not usable, 3 paused, since
    more than the share IPVI_REJECT_LIMIT (0.5) of at least IPVI_REJECT_AFTER (100) units was refused.

    Examples:

        ipvi ingest --format cloudevents incidents.jsonl

        ipvi ingest --format nibrs-flat --out - 2025-01.txt.gz | head

        ipvi ingest --format csv --mapping broward charges.csv
    """
    raise typer.Exit(run(file, format, out, as_of, time_zone, policy, mapping))


def run(
    file: Path,
    kind: Format,
    out: str | None,
    as_of: AsOf,
    time_zone: str | None,
    policy: str | None,
    mapping: str | None = None,
) -> int:
    """Returns the exit code. Errors are one line on standard error."""
    # Foreign texts can quote what a record held, and a broker's absence is told in one line of ours.
    logs.quieten()
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        settings, source = settings_or_error(IntakeSettings), Source(file)
        feed = _Feed(source, kind, _zone_of(time_zone, policy or settings.policy), _mapping(kind, mapping))
        summary = asyncio.run(_ingest(feed, out, as_of, settings, console))
    except (SourcePausedError, FeedPausedError) as paused:
        return _say(console, str(paused), PAUSED)
    except BrokenPipeError:
        # Whoever read our output has enough; a second complaint at exit is kept from him.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except IpviError as failed:
        return _say(console, str(failed), FAILED)
    return _say(console, f"{file.name}: {summary}", DONE)


def ingest_file(
    file: Path,
    kind: Format,
    as_of: AsOf,
    time_zone: str | None,
    settings: CommonSettings,
    console: Console,
    mapping: str | None = None,
) -> IngestSummary:
    """Feed one file to the stream of `settings`. Raises `IpviError`, `SourcePausedError` among them."""
    logs.quieten()
    own = settings_or_error(IntakeSettings).model_copy(
        update=settings.model_dump(include=set(CommonSettings.model_fields))
    )
    feed = _Feed(Source(file), kind, _zone_of(time_zone, settings.policy), _mapping(kind, mapping))
    return asyncio.run(_ingest(feed, None, as_of, own, console))


@dataclass(frozen=True, slots=True)
class _Feed:
    """A file and how it is read."""

    source: Source
    kind: Format
    zone_of: ZoneOf
    mapping: Mapping | None


async def _ingest(
    feed: _Feed, out: str | None, as_of: AsOf, settings: IntakeSettings, console: Console
) -> IngestSummary:
    def tell(reject: Reject) -> None:
        console.print(str(reject), markup=False)

    if feed.kind is Format.ROSTER:
        return await _roster(feed, out, settings, console)
    async with _sink(out, settings, feed_of(feed.kind, feed.mapping), as_of) as sink:
        with _progress(feed.source, feed.kind, console) as progress:
            units = read_units(feed.source, feed.kind, feed.zone_of, feed.mapping)
            return await ingest(
                (checked(unit, OPERATOR, datetime.now(UTC), feed.source.name) for unit in units),
                sink,
                name=feed.source.name,
                limit=settings.limit,
                on_reject=tell,
                progress=progress,
                at_once=_AT_ONCE,
            )


async def _roster(feed: _Feed, out: str | None, settings: IntakeSettings, console: Console) -> IngestSummary:
    """A snapshot says something only against the one before, which the database knows."""
    if out is not None or feed.mapping is None:
        raise ConfigurationError("--format roster has no --out: what has changed is known from the snapshot before")
    faults: list[str] = []
    async with stream(settings, feed_of(feed.kind, feed.mapping), settings.terms()) as sink:
        summary = await take_roster(
            feed.source.path,
            feed.mapping,
            sink,
            on_fault=faults.append,
            on_reject=lambda reject: console.print(str(reject), markup=False),
        )
    for fault in faults:
        console.print(f"{feed.source.name}: {fault}: nobody counts as released by it; {ROSTER_MEND}", markup=False)
    return summary


@asynccontextmanager
async def _sink(out: str | None, settings: IntakeSettings, feed: Feed, as_of: AsOf) -> AsyncIterator[Sink]:
    if out is None:
        terms = replace(
            settings.terms(), expunctions=None
        )  # whoever gives the command is the person whose word it takes
        async with stream(settings, feed, terms, as_of) as kafka:
            yield kafka
    elif out == STDOUT:
        yield LinesSink(sys.stdout.buffer, as_of)
        sys.stdout.buffer.flush()
    else:
        async with _whole_file(Path(out), as_of) as lines:
            yield lines


@asynccontextmanager
async def _whole_file(path: Path, as_of: AsOf) -> AsyncIterator[LinesSink]:
    """A file that is there when it is whole, and not before."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield LinesSink(file, as_of)
        part.replace(path)
    except OSError as failed:
        raise ConfigurationError(f"{path}: {failed.strerror or 'cannot be written'}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def _progress(source: Source, kind: Format, console: Console) -> Iterator[Callable[[IngestSummary], None] | None]:
    """A bar, where somebody looks."""
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(source.name, total=source.size * kind.passes)

        def show(summary: IngestSummary) -> None:
            if summary.units % 64 == 0:
                bar.update(task, completed=source.read, description=f"{source.name}: {summary.units:,} units")

        yield show


def _zone_of(time_zone: str | None, policy: str) -> ZoneOf:
    """The zone given, else those of the policy, by agency."""
    try:
        if time_zone is None:
            return load_policy(policy).zone
        zone = ZoneInfo(time_zone)
    except PolicyError as wrong:
        raise ConfigurationError(str(wrong)) from None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError("--time-zone: no such time zone; give a name such as America/New_York") from None
    return lambda _: zone


def _mapping(kind: Format, named: str | None) -> Mapping | None:
    """Raises `ConfigurationError`."""
    if kind not in MAPPED:
        if named is not None:
            raise ConfigurationError(f"--format {kind} needs no --mapping")
        return None
    try:
        return fitting(kind, load_mapping(named) if named is not None else None)
    except MappingError as wrong:
        raise ConfigurationError(str(wrong)) from None


def _say(console: Console, text: str, code: int) -> int:
    console.print(text, markup=False)
    return code
