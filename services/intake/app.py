"""Composition root: a file and its format to units, and units to where they go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from enum import StrEnum

from services.intake.cloudevents import read_events
from services.intake.domain import Unit
from services.intake.lines import Source
from services.intake.nibrs import read_nibrs
from services.intake.nibrs.events import ZoneOf
from services.intake.settings import IntakeSettings
from services.intake.sinks import KafkaSink, kafka_sink


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


def stream(settings: IntakeSettings) -> AbstractAsyncContextManager[KafkaSink]:
    """The stream of these settings, to be entered."""
    return kafka_sink(settings.kafka_bootstrap_servers)
