"""`ipvi partners`: check partner files, and see how it stands with each partner."""

from __future__ import annotations

import typer

from services.cli.partners.check import check_command
from services.cli.partners.status import status_command

app = typer.Typer(help="Check partner files, and see how it stands with each partner.", no_args_is_help=True)
app.command("check")(check_command)
app.command("status")(status_command)

__all__ = ["app"]
