"""Commands that are imported when they are called: none of them waits for the libraries of the others."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def group(places: Mapping[str, str | typer.Typer], **settings: Any) -> typer.Typer:
    """A group of commands by name, each a group or `module:attribute` of a group or a function; its help in that order."""

    class Lazy(TyperGroup):
        def __init__(self, **found: Any) -> None:
            super().__init__(**found)
            self.commands: Any = dict.fromkeys(places)  # what is listed, and proposed to whom mistypes

        def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
            return _command(cmd_name, places[cmd_name]) if cmd_name in places else None

    made = typer.Typer(cls=Lazy, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, **settings)

    @made.callback(help=settings.get("help"))
    def _group() -> None:
        """What typer takes for a group."""

    return made


def _command(name: str, place: str | typer.Typer) -> Any:
    found: Any = place
    if isinstance(place, str):
        module, _, attribute = place.partition(":")
        found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = name
    return command
