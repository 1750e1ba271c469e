"""One HTML page that needs nothing but itself: no address of any other place, no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from services.cli.measures.plots import Plot
from services.cli.measures.tables import Table

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse}th,td{padding:.2rem .8rem;border-bottom:1px solid #ccc;text-align:right}"
    "th:first-child,td:first-child{text-align:left}figure{margin:1rem 0}svg{max-width:100%;height:auto}"
)


def page(heading: str, said: str, tables: Sequence[Table], plots: Sequence[Plot] = ()) -> str:
    """`said`: of what, and until when."""
    drawn = {plot.name: plot for plot in plots}
    parts = [_section(table, drawn.get(table.name)) for table in tables]
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(heading)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n<h1>{escape(heading)}</h1>\n<p>{escape(said)}</p>\n"
        f"{''.join(parts)}</body>\n</html>\n"
    )


def _section(table: Table, plot: Plot | None) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in table.rows)
    note = f"<p>{escape(table.note)}</p>\n" if table.note else ""
    return (
        f"<h2>{escape(table.title)}</h2>\n<table><thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody></table>\n"
        f"{note}{_figure(plot) if plot else ''}"
    )


def _figure(plot: Plot) -> str:
    """The picture itself, in the page."""
    svg = plot.svg.decode()
    svg = svg[svg.index("<svg ") :].replace("<svg ", f'<svg role="img" aria-label="{escape(plot.says)}" ', 1)
    return f"<figure>{svg}</figure>\n"
