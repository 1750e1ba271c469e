"""Pictures of the tables. The same numbers give the same bytes: no date, no random ids, one set of fonts."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.cli.measures.counting import ALL, MONTHS, Tally, again_by
from services.cli.measures.tables import Table

if TYPE_CHECKING:  # takes seconds to load: not for every command
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "ipvi",
    "svg.fonttype": "none",  # text that a screen reader reads
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "axes.spines.top": False,
    "axes.spines.right": False,
}
LINES = ("solid", "dashed", "dashdot", "dotted", (0, (1, 1)))
"""Told apart without colour, too."""


@dataclass(frozen=True, slots=True)
class Plot:
    """`says` is what it shows, in words."""

    name: str
    says: str
    svg: bytes
    png: bytes


def plots(tally: Tally, tables: Sequence[Table]) -> Iterator[Plot]:
    """Those that have anything to show."""
    import matplotlib as mpl

    named = {table.name: table for table in tables}
    with mpl.rc_context(STYLE):
        if any(tally.spells.values()):
            yield _plot("reoffence", "Share arrested again by days since notice (Kaplan-Meier), by list", _again, tally)
        if named["calls"].rows:
            yield _plot("calls", "Incidents and arrests, month by month", _calls, named["calls"])
        if named["elements"].rows:
            yield _plot(
                "elements", "Share arrested again within 12 months, by how notice was given", _bars, named["elements"]
            )


def _plot(name: str, says: str, draw: object, given: object) -> Plot:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    assert callable(draw)
    draw(axes, given)
    axes.set_title(says, fontsize="medium")
    return Plot(name, says, _bytes(figure, "svg"), _bytes(figure, "png"))


def _bytes(figure: Figure, kind: str) -> bytes:
    made = io.BytesIO()
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    figure.savefig(made, format=kind, dpi=150, metadata=metadata)
    return made.getvalue()


def _again(axes: Axes, tally: Tally) -> None:
    last = MONTHS[12].days
    known = sorted(((group, spells) for group, spells in tally.spells.items() if spells), key=_all_last)
    for (group, spells), line in zip(known, LINES, strict=False):
        days = sorted({one.length for one in spells if one.arrest is not None and one.length <= MONTHS[12]})
        shares = [0.0, *(again_by(spells, day) or 0.0 for day in days)]
        at = [0.0, *(day.total_seconds() / 86_400 for day in days)]
        axes.step([*at, last], [*shares, shares[-1]], where="post", linestyle=line, label=f"{group} ({len(spells)})")
    axes.set(xlabel="days since notice", ylabel="share arrested again", xlim=(0, last), ylim=(0, None))
    axes.legend(title="list (persons)", frameon=False)


def _all_last(item: tuple[str, object]) -> tuple[bool, str]:
    return item[0] == ALL, item[0]


def _calls(axes: Axes, table: Table) -> None:
    months = [row[0] for row in table.rows]
    axes.plot(months, [int(row[1]) for row in table.rows], linestyle="solid", label="incidents")
    axes.plot(months, [int(row[3]) for row in table.rows], linestyle="dashed", label="arrests")
    axes.set_xticks(range(0, len(months), max(1, len(months) // 12)))
    axes.tick_params(axis="x", rotation=45)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)


def _bars(axes: Axes, table: Table) -> None:
    rows = [row for row in table.rows if row[3] == "12" and row[6]]
    names = [f"{tier} {element}\n({followed} persons)" for tier, element, _, _, followed, _, _ in rows]
    axes.barh(names, [float(row[6]) for row in rows])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="share arrested again within 12 months")
