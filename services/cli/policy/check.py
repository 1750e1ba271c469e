"""`ipvi policy check`: everything that is wrong with a policy file, where, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from schemas.policy import Policy
from schemas.policy_file import PolicyError, load_source
from services.classifier.domain.examination import Examination, Gap, examine
from services.classifier.domain.reach import History
from services.classifier.policies import told

GOOD, REFUSED = 0, 2


def check_command(
    file: Annotated[str, typer.Argument(help="A policy file, or the id of one in policies/.", show_default=False)],
) -> None:
    """Read FILE, try every history that differs to it, and say what is wrong with it, line by line.

    Errors, for which no service would start with it: what cannot be read; a row that no history fires, or that decides
    nothing because another always leads higher; a list with rows on which no history ends. Warnings: a row that adds
    nothing, a list without rows, no written information in time. Then the gaps: incidents that no row covers, each with a
    shortest history that comes to it, and what the policy does with them.

    Exit codes: 0 it can be used, 2 it cannot.

    Examples:

        ipvi policy check high-point-seed

        ipvi policy check policies/our-county.yaml
    """
    try:
        source = load_source(file)
    except PolicyError as refused:
        for line in (str(refused), *refused.others):
            typer.echo(f"error: {line}", err=True)
        raise typer.Exit(REFUSED) from None
    found = examine(source.policy)
    for problem in found.errors:
        typer.echo(f"error: {told(source, problem)}", err=True)
    for problem in found.warnings:
        typer.echo(f"warning: {told(source, problem)}", err=True)
    for line in report(source.policy, found):
        typer.echo(line)
    raise typer.Exit(REFUSED if found.errors else GOOD)


def report(policy: Policy, found: Examination) -> Iterator[str]:
    """What the policy comes to: lists with a shortest way to each, and the gaps."""
    yield f"{policy.id}, version {policy.version}, {len(policy.rules)} rows, digest {policy.digest}"
    for tier, history in found.tiers:
        yield f"list {tier}: shortest way: {_way(history)}"
    if not found.errors:
        yield f"gaps: {len(found.gaps) or 'none'}" + (", each with a shortest history:" if found.gaps else "")
        for gap in found.gaps:
            yield f"  {_way(gap.history)}: {_outcome(gap, policy)}"


def _way(history: History) -> str:
    return ", then ".join(str(kind) for kind in history)


def _outcome(gap: Gap, policy: Policy) -> str:
    if gap.charged:
        tier = policy.gaps.charge_tier
        return f"no row; {f'list {tier} at least' if tier else 'his list stays'}, review no_rule"
    return "no row; his list stays" + (", review no_rule" if policy.gaps.review_suspicions else ", nobody is asked")
