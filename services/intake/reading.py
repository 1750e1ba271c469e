"""A file and its format to units."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.mapping import Kind, Mapping
from schemas.mapping_file import load_mapping
from services.common.errors import ConfigurationError
from services.intake.cloudevents import read_events
from services.intake.domain import Feed, Format, Unit
from services.intake.lines import Source
from services.intake.mapped import read_mapped
from services.intake.nibrs import read_nibrs, read_nibrs_xml
from services.intake.nibrs.events import ZoneOf


def feed_of(kind: Format, mapping: Mapping | None) -> Feed:
    """What a file of this format is counted as."""
    return Feed(mapping.name, mapping.agency) if mapping else Feed(str(kind))


def read_units(source: Source, kind: Format, zone_of: ZoneOf, mapping: Mapping | None = None) -> Iterator[Unit]:
    """The units of a file. `zone_of`: an agency's time zone by its ORI, for formats whose times have none.

    Raises `ConfigurationError` where the format needs a mapping of another kind; a roster has no units by itself, it is
    compared with the one before (`usecases.roster`).
    """
    match kind:
        case Format.NIBRS_FLAT:
            return read_nibrs(source, zone_of)
        case Format.NIBRS_XML:
            return read_nibrs_xml(source, zone_of)
        case Format.CLOUDEVENTS:
            return read_events(source)
        case _:
            return read_mapped(source, fitting(kind, mapping))


def fitting(kind: Format, mapping: Mapping | None) -> Mapping:
    """The mapping a format needs. Raises `ConfigurationError`."""
    if mapping is None and kind is Format.NOTICES:
        mapping = load_mapping("notices")  # bundled, so it is right
    if mapping is None:
        raise ConfigurationError(f"--format {kind} needs --mapping FILE")
    wanted = {Format.NOTICES: {Kind.NOTICES}, Format.ROSTER: {Kind.ROSTER}}.get(kind, set(Kind) - {Kind.ROSTER})
    if mapping.kind not in wanted:
        raise ConfigurationError(f"mapping {mapping.name} is of kind {mapping.kind}, which is not --format {kind}")
    return mapping
