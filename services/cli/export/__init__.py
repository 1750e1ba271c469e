"""`ipvi export`: the offender side for research, as Parquet, of nobody who could be told (`docs/measures.md`)."""

from services.cli.export.command import export_command

__all__ = ["export_command"]
