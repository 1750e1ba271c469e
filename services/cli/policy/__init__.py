"""`ipvi policy`: check a policy before it counts, explain a tier, see whom another policy would move."""

from __future__ import annotations

import typer

from services.cli.policy.activate import activate_command, redecide_command, status_command
from services.cli.policy.check import check_command
from services.cli.policy.diff import diff_command
from services.cli.policy.explain import explain_command

app = typer.Typer(
    help="Check a policy, explain a tier, compare two policies, bring one into force.", no_args_is_help=True
)
app.command("check")(check_command)
app.command("explain")(explain_command)
app.command("diff")(diff_command)
app.command("activate")(activate_command)
app.command("redecide")(redecide_command)
app.command("status")(status_command)

__all__ = ["app"]
