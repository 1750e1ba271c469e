"""`ipvi policy`: check a policy before it counts, explain a tier, see whom another policy would move."""

from __future__ import annotations

from services.cli import lazy

_HERE = "services.cli.policy"

app = lazy.group(
    {
        "check": f"{_HERE}.check:check_command",
        "explain": f"{_HERE}.explain:explain_command",
        "diff": f"{_HERE}.diff:diff_command",
        "activate": f"{_HERE}.activate:activate_command",
        "redecide": f"{_HERE}.activate:redecide_command",
        "status": f"{_HERE}.activate:status_command",
    },
    help="Check a policy, explain a tier, compare two policies, bring one into force.",
)

__all__ = ["app"]
