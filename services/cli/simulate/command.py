"""`ipvi simulate`: writes a made-up county."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import orjson
import typer

from services.cli.simulate.county import UNTIL, County
from services.cli.simulate.feed import Format, feed
from services.cli.simulate.history import Life
from services.common.errors import ConfigurationError

STDOUT: Final = "-"
DEFAULT_OFFENDERS: Final = 1_000
_EARLIEST: Final = datetime(1980, 1, 1)
_UNTIL: Final = UNTIL.replace(tzinfo=None)


def simulate_command(
    seed: Annotated[int, typer.Option(help="Another seed, another county; the same seed, the same bytes.")] = 1,
    offenders: Annotated[
        int | None, typer.Option(min=1, help=f"How many people; {DEFAULT_OFFENDERS:,} if nothing is given.")
    ] = None,
    incidents: Annotated[int | None, typer.Option(min=1, help="How many incidents, in place of --offenders.")] = None,
    years: Annotated[float, typer.Option(min=0.05, max=60, help="How long before the end it begins.")] = 10.0,
    agencies: Annotated[int, typer.Option(min=1, max=99, help="City police, the sheriff, small towns.")] = 5,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Its end, UTC.")] = _UNTIL,
    live_days: Annotated[
        float,
        typer.Option(min=0, help="Days before the end since when this system was there; before, all is bulk history."),
    ] = 365.0,
    format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="cloudevents: everything, one event a line. incidents: the same without names and contacts, for ipvi replay. "
            "nibrs-flat: the incidents as NIBRS submissions. roster: who is in jail at the end. notices: those given before. "
            "dispositions, orders: the court's export, what became of each charge and what binds him.",
        ),
    ] = Format.CLOUDEVENTS,
    out: Annotated[str, typer.Option(help="File (gzip if it ends in .gz), or - for standard output.")] = STDOUT,
    truth: Annotated[
        Path | None,
        typer.Option(help="Write here who is behind which offender id, and which incidents are one: JSON lines."),
    ] = None,
) -> None:
    """Write a made-up county: agencies, offenders, victims, years of incidents, jail and court. Nobody in it is real.

    Late, corrected, retracted and doubled reports, twins, namesakes, juveniles and mutual arrests are in it. Of any size: it is
    put in order on disk (SQLite's temporary folder, about as much as the output), memory stays flat.

    Exit codes: 0 done, 2 a file or an option cannot be used.

    Examples:

        ipvi simulate --offenders 200 --out county.jsonl

        ipvi simulate --seed 7 --incidents 1000000 --years 20 --live-days 0 --out history.jsonl.gz --truth truth.jsonl

        ipvi simulate --format incidents --out incidents.jsonl && ipvi replay incidents.jsonl
    """
    if offenders is not None and incidents is not None:
        raise ConfigurationError("give --offenders or --incidents, not both")
    if until < _EARLIEST:
        raise ConfigurationError(f"--until: not before {_EARLIEST:%Y}, for nobody in the county is old enough")
    county = County(
        seed=seed,
        offenders=offenders if offenders is not None or incidents is not None else DEFAULT_OFFENDERS,
        incidents=incidents,
        years=years,
        agency_count=agencies,
        until=until.replace(tzinfo=UTC),
        live_days=live_days,
    )
    try:
        with ExitStack() as stack:
            file = stack.enter_context(_opened(out))
            told = stack.enter_context(truth.open("wb")) if truth is not None else None
            for line in feed(county, format, lambda life: told and told.write(b"".join(truths(life)))):
                file.write(line)
    except BrokenPipeError:
        # Whoever read our output has enough; a second complaint at exit is kept from him.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as failed:
        raise ConfigurationError(f"{failed.filename or out}: {failed.strerror or 'cannot be written'}") from None


def truths(life: Life) -> Iterator[bytes]:
    """`{"offender_id", "person", "agency"}` of each id, and `{"incident_id", "same_as"}` of what two agencies told."""
    for one in life.known:
        told = {"offender_id": one.offender_id, "person": one.person, "agency": one.identifiers.agency}
        yield orjson.dumps(told) + b"\n"
    for first, other in life.same:
        yield orjson.dumps({"incident_id": other, "same_as": first}) + b"\n"


@contextmanager
def _opened(out: str) -> Iterator[BinaryIO]:
    """gzip without a time in it, so that the same county is the same bytes."""
    if out == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with Path(out).open("wb") as file:
        if not out.endswith(".gz"):
            yield file
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=5) as packed:
            yield packed  # type: ignore[misc]  # it writes bytes, which is all that is asked of it
