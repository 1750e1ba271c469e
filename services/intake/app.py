"""Composition root: a file and its format to units, and units to where they go."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from services.intake.cloudevents import read_events
from services.intake.domain import Unit
from services.intake.lines import Source
from services.intake.nibrs import read_nibrs
from services.intake.nibrs.events import ZoneOf
from services.intake.sinks import stream

__all__ = ["Format", "read_units", "stream"]


class Format(StrEnum):
    """What kinds of files can be read."""

    NIBRS_FLAT = "nibrs-flat"
    CLOUDEVENTS = "cloudevents"

    @property
    def passes(self) -> int:
        """How often a file is read from its start to its end."""
        return 2 if self is Format.NIBRS_FLAT else 1


def read_units(source: Source, kind: Format, zone_of: ZoneOf) -> Iterator[Unit]:
    """The units of a file. `zone_of`: an agency's time zone by its ORI, for formats whose times have none."""
    if kind is Format.NIBRS_FLAT:
        return read_nibrs(source, zone_of)
    return read_events(source)
