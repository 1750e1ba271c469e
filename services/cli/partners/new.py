"""`ipvi partners new`: a consumer to start from, in a folder of the partner's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.partner_file import Partner, load_partner
from services.cli.partners.scaffold import PINNED, project
from services.common.errors import ConfigurationError
from services.common.settings import settings_or_error
from services.partners.settings import PartnersSettings


def new_command(
    name: Annotated[str, typer.Argument(help="Id of the partner.", show_default=False)],
    file: Annotated[Path | None, typer.Option(help="Its partner file; else the one in IPVI_PARTNERS.")] = None,
    into: Annotated[Path | None, typer.Option(help="Folder to make; else NAME here.", show_default=False)] = None,
    models_only: Annotated[
        bool, typer.Option("--models-only", help="Write events.py alone: the file names other fields now.")
    ] = False,
) -> None:
    """Write a consumer for NAME: typed models of exactly what its file allows, handlers to fill in, a test that passes.

    It is the partner's: it imports nothing of ours and runs with the partner's own credentials. Nothing that is there is
    overwritten, but for events.py with --models-only.

    Example:

        ipvi partners new district-attorney --file deploy/partners/district-attorney.yaml
    """
    partner = load_partner(file or _file_of(name))
    if partner.id != name:
        raise ConfigurationError(f"{file}: is of {partner.id}, not of {name}")
    folder = into or Path(name)
    for path in write(partner, folder, models_only=models_only):
        typer.echo(str(path))


def write(partner: Partner, folder: Path, *, models_only: bool = False) -> list[Path]:
    """The files that were written. Raises `ConfigurationError`."""
    if partner.delivery.kind not in PINNED:
        raise ConfigurationError(
            f"delivery {partner.delivery.kind} needs no consumer: docs/partners.md says how to read it"
        )
    files = project(partner)
    if models_only:
        files = {path: text for path, text in files.items() if path.endswith("/events.py")}
    elif folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder}: is not empty; name another folder with --into, or remove it")
    written = []
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        written.append(target)
    return written


def _file_of(name: str) -> Path:
    folder = settings_or_error(PartnersSettings).partners
    if folder is None:
        raise ConfigurationError("name its partner file with --file, or the folder of them with IPVI_PARTNERS")
    found = [path for path in (folder / f"{name}.yaml", folder / f"{name}.yml") if path.is_file()]
    if not found:
        raise ConfigurationError(f"{folder}: no {name}.yaml there; write it first (docs/partners.md)")
    return found[0]
