"""`ipvi policy`: check a policy before it counts, explain a tier, see whom another policy would move."""

from __future__ import annotations

import typer

from services.cli.policy.check import check_command
from services.cli.policy.diff import diff_command
from services.cli.policy.explain import explain_command

app = typer.Typer(help="Check a policy, explain a tier, compare two policies.", no_args_is_help=True)
app.command("check")(check_command)
app.command("explain")(explain_command)
app.command("diff")(diff_command)

__all__ = ["app"]
