"""`ipvi policy diff`: whom another policy would move, before it counts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from schemas.classification import Tier
from schemas.policy import Policy
from services.classifier.policies import usable
from services.cli.policy.difference import Difference, difference
from services.intake.lines import Source


def diff_command(
    a: Annotated[str, typer.Argument(metavar="A", help="The policy as it is: id or file.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The policy as it would be.", show_default=False)],
    files: Annotated[list[Path], typer.Argument(help="CloudEvents lines, plain or gzip.", show_default=False)],
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = min(os.cpu_count() or 1, 8),
    moved: Annotated[Path | None, typer.Option(help="Write who would move: offender, from, to; tab-separated.")] = None,
) -> None:
    """Decide every history of FILES under A and under B, and say whom the change would move: from which list to which, how many
    notices would be new, how many cancelled, how many charges are in no row.

    Nothing is kept and nobody is told. Lines that `ipvi replay` would refuse are counted and passed over; custody and orders,
    by which no rule goes, are not read.

    Exit codes: 0 done, 2 a file or a policy cannot be used.

    Examples:

        ipvi policy diff high-point-seed high-point-practice incidents.jsonl

        ipvi policy diff policies/now.yaml policies/next.yaml history.jsonl.gz --moved moved.tsv
    """
    before, after = usable(a), usable(b)
    found = difference(before, after, [Source(path) for path in files], jobs=jobs, console=Console(stderr=True))
    for line in report(before, after, found):
        typer.echo(line)
    if moved is not None:
        rows = (f"{him}\t{_name(was)}\t{_name(now)}\n" for him, was, now in sorted(found.moved))
        moved.write_text("".join(rows))


def report(before: Policy, after: Policy, found: Difference) -> Iterator[str]:
    """Counts, the table of moves, the notices."""
    yield f"from {_edition(before)}"
    yield f"to   {_edition(after)}"
    yield f"{found.people:,} people, {found.incidents:,} incidents; {found.refused:,} lines passed over"
    yield ""
    columns: list[Tier | None] = [*Tier, None]
    yield "from \\ to" + "".join(f"{_name(tier):>11}" for tier in columns)
    for row in columns:
        yield f"{_name(row):9}" + "".join(f"{found.moves[row, column]:11,}" for column in columns)
    yield ""
    up = sum(count for (was, now), count in found.moves.items() if _gravity(now) > _gravity(was))
    down = sum(count for (was, now), count in found.moves.items() if _gravity(now) < _gravity(was))
    yield f"moved: {up + down:,} ({up:,} higher, {down:,} lower)"
    yield f"new notices: {_by_tier(found.new)}; for {found.listed:,} of them a person opens the incident first"
    yield f"cancelled notices: {_by_tier(found.cancelled)}"
    yield f"served, and a person decides what to tell him: {_by_tier(found.corrected)}"
    yield f"reviews no_rule: {found.gaps[0]:,}, then {found.gaps[1]:,}"


def _edition(policy: Policy) -> str:
    return f"{policy.id}, version {policy.version}, digest {policy.digest}"


def _name(tier: Tier | None) -> str:
    return tier or "none"


def _gravity(tier: Tier | None) -> int:
    return tier.gravity if tier else 0


def _by_tier(counts: Counter[Tier]) -> str:
    said = ", ".join(f"{tier} {counts[tier]:,}" for tier in Tier if counts[tier])
    return f"{counts.total():,}" + (f" ({said})" if said else "")
