"""`ipvi contract page`: the contract as pages to browse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from schemas.generate.site import site


def page_command(
    folder: Annotated[Path, typer.Argument(help="Where to write it; made if it is not there.", show_default=False)],
) -> None:
    """Write the contract to FOLDER: index.html, the AsyncAPI document, JSON Schemas and examples.

    Reads without a network, from a disk or any web server; it has no script and can publish nothing.

    Example:

        ipvi contract page public/contract
    """
    files = site()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    typer.echo(f"{folder / 'index.html'} and {len(files) - 1} files beside it")
