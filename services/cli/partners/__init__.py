"""`ipvi partners`: check partner files, start a consumer, and see how it stands with each partner."""

from __future__ import annotations

import typer

from services.cli.partners.check import check_command
from services.cli.partners.new import new_command
from services.cli.partners.replay import replay_command
from services.cli.partners.status import status_command
from services.cli.partners.trying import test_command

app = typer.Typer(help="Check partner files, start a consumer, see how it stands.", no_args_is_help=True)
app.command("check")(check_command)
app.command("new")(new_command)
app.command("replay")(replay_command)
app.command("test")(test_command)
app.command("status")(status_command)

__all__ = ["app"]
