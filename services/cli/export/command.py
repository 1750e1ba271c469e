"""The command: read everybody once, stage what may be told, release what nobody can be told by."""

from __future__ import annotations

import asyncio
import csv
import secrets
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from schemas.policy import Policy
from schemas.policy_file import load_policy
from services.cli.database import opened
from services.cli.export.anonymity import K, Told, release
from services.cli.export.data_use import DataUse, load_data_use
from services.cli.export.rows import TABLES, Terms, keyed, rows
from services.cli.research import people
from services.common.errors import IpviError
from services.common.settings import CommonSettings, settings_or_error

KEY_BYTES = 32


class ExportError(IpviError):
    """Nothing was exported."""


def export_command(
    out: Annotated[Path, typer.Argument(help="Folder to write to; new or empty.", show_default=False)],
    data_use: Annotated[
        Path, typer.Option("--data-use", help="YAML: recipient, purpose, need, expires, tiers.", show_default=False)
    ],
    key: Annotated[
        Path | None, typer.Option(help="Key of the pseudonyms, 32 bytes or more; else one that nobody keeps.")
    ] = None,
) -> None:
    """Write the offender side for research as Parquet: persons, incidents, decisions, notices. Nothing of any victim.

    No name, number, date or address of an incident is in it; a person is told of only as one of eleven or more who are
    alike. Two exports do not bear the same pseudonyms unless they are given the same key. docs/measures.md has the columns.

    Exit codes: 0 done, 2 the data-use file, the key or the folder cannot be used.

    Examples:

        ipvi export study-2026 --data-use university.yaml

        head -c 32 /dev/urandom > study.key; ipvi export study-2026 --data-use university.yaml --key study.key
    """
    settings = settings_or_error(CommonSettings)
    policy = load_policy(settings.policy)
    agreed = load_data_use(data_use, datetime.now(UTC).date())
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ExportError(f"{out}: there is something here already; name a new folder")
    pseudonym = keyed(_key(key) if key is not None else secrets.token_bytes(KEY_BYTES))
    told = asyncio.run(export(settings, out, Terms(policy, frozenset(agreed.tiers), pseudonym)))
    (out / "manifest.json").write_bytes(manifest(agreed, policy, told))
    typer.echo(f"{sum(told.levels)} persons in {out}, {_few(told.withheld)} withheld", err=True)


async def export(settings: CommonSettings, out: Path, terms: Terms) -> Told:
    """Staged beside nobody else's eyes, in a folder that is gone at the end."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ipvi-export-") as folder:
        staged = Path(folder)
        async with opened(settings, "classifier") as database:
            with ExitStack() as files:
                writers = {}
                for name in TABLES:
                    file = files.enter_context((staged / f"{name}.csv").open("w", encoding="utf-8", newline=""))
                    writers[name] = csv.writer(file, lineterminator="\n")
                async for person in people(database, terms.policy):
                    for name, made in (rows(person, terms) or {}).items():
                        writers[name].writerows(made)
        return await asyncio.to_thread(release, staged, out)


def manifest(agreed: DataUse, policy: Policy, told: Told) -> bytes:
    """What the recipient agreed to, and how much was told of how many."""
    return orjson.dumps(
        {
            "data_use": agreed.model_dump(mode="json"),
            "policy": policy.ref.model_dump(mode="json"),
            "k": K,
            "persons_by_level": [_few(count) for count in told.levels],
            "persons_withheld": _few(told.withheld),
            "rows": told.rows,
        },
        option=orjson.OPT_INDENT_2,
    )


def _few(count: int) -> str:
    return str(count) if count == 0 or count >= K else f"under {K}"


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes()
    except OSError as failed:
        raise ExportError(f"{path}: the key cannot be read ({type(failed).__name__})") from None
    if len(key) < KEY_BYTES:
        raise ExportError(f"{path}: a key has {KEY_BYTES} bytes or more")
    return key
