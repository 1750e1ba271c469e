"""`ipvi measures`: what the strategy comes to, counted (`docs/measures.md` has each definition and its source)."""

from services.cli.measures.command import measures_command

__all__ = ["measures_command"]
