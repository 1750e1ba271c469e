"""`ipvi partners check`: everything that is wrong with partner files, where, and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.partner_file import Partner, PartnerFileError, load_partner

GOOD, REFUSED = 0, 2


def check_command(
    files: Annotated[list[Path], typer.Argument(help="Partner files.", show_default=False)],
) -> None:
    """Read FILES, and say of each what its partner will be sent, or what is wrong, line by line.

    Exit codes: 0 all can be used, 2 one cannot.

    Example:

        ipvi partners check deploy/partners/*.yaml
    """
    refused = False
    for path in files:
        try:
            partner = load_partner(path)
            if partner.id != path.stem:
                raise PartnerFileError(f"{path}: id is {partner.id}; call the file {partner.id}.yaml")
        except PartnerFileError as fault:
            refused = True
            for line in (str(fault), *fault.others):
                typer.echo(f"error: {line}", err=True)
        else:
            for line in told(partner):
                typer.echo(line)
    raise typer.Exit(REFUSED if refused else GOOD)


def told(partner: Partner) -> list[str]:
    """What it will be sent, and until when."""
    lines = [
        f"{partner.id}: {partner.kind}, lists {', '.join(partner.tiers)}, until {partner.expires}, {partner.topic}"
    ]
    for asked in partner.events:
        where = "".join(f", where {name} is {' or '.join(map(_shown, of))}" for name, of in asked.where.items())
        lines.append(f"  {asked.event}: {', '.join(asked.fields)}{where}")
    return lines


def _shown(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value
