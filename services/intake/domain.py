"""What a reader hands over, unit by unit, and how the units are counted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from dataclasses import field as kept
from enum import StrEnum
from typing import Final

from schemas.envelope import Data, Event
from schemas.rejects import MENDS, RejectCode
from services.common.errors import IpviError
from services.common.seal import Seal
from services.intake.identity import Sighting
from services.intake.people import Facts

_ORI_OF_SOURCE: Final = re.compile(r"/agencies/([A-Z0-9]{9})(?:/|$)")


class AsOf(StrEnum):
    """Whence an event's record time comes."""

    NOW = "now"
    """From the broker's time stamp: no `recordedtime` is written, since an answer cannot be in what it answers."""
    REPORTED = "reported"
    """From the time the incident was reported: demos, training, back-testing."""


class Format(StrEnum):
    """What kinds of files can be read."""

    NIBRS_FLAT = "nibrs-flat"
    NIBRS_XML = "nibrs-xml"
    CLOUDEVENTS = "cloudevents"
    CSV = "csv"
    NOTICES = "notices"
    ROSTER = "roster"

    @property
    def passes(self) -> int:
        """How often a file is read from its start to its end."""
        return 1 if self in (Format.CLOUDEVENTS, Format.NOTICES, Format.ROSTER) else 2


MAPPED = (Format.CSV, Format.NOTICES, Format.ROSTER)
"""Formats that a mapping file explains."""


class InputError(IpviError):
    """The input cannot be read."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a unit was refused.

    `raw` is what came, for the dead letter alone: it is in no text made from this. `size` is its length in bytes, which
    is more than `raw` has where a line was too long to be kept.
    """

    file: str
    line: int
    code: RejectCode
    field: str | None
    raw: bytes = kept(repr=False)
    size: int

    @property
    def mend(self) -> str:
        return MENDS[self.code]

    def __str__(self) -> str:
        where = f" in {self.field}" if self.field else ""
        return f"{self.file}:{self.line}: {self.code}{where}: {self.mend}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A line of events, or one NIBRS incident, arrest report or zero report.

    Neither events nor a reject: no known offender.
    """

    line: int
    events: tuple[Event[Data], ...] = ()
    reject: Reject | None = None
    facts: tuple[Facts, ...] = ()
    """What came with the events that they have no room for: names, where to reach people."""
    sightings: tuple[Sighting, ...] = ()
    """What the record knows its offenders by, for the linkage."""


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """Units by what became of them: `units` = `with_events` + `rejected` + `no_offender`, always.

    `events` counts those of the feed; the records of people that follow from them are not counted.
    """

    units: int = 0
    events: int = 0
    rejected: int = 0
    no_offender: int = 0

    @property
    def with_events(self) -> int:
        return self.units - self.rejected - self.no_offender

    def plus(self, unit: Unit) -> IngestSummary:
        return replace(
            self,
            units=self.units + 1,
            events=self.events + len(unit.events),
            rejected=self.rejected + (unit.reject is not None),
            no_offender=self.no_offender + (unit.reject is None and not unit.events),
        )

    def __str__(self) -> str:
        return (
            f"{self.units:,} units: {self.with_events:,} with events ({self.events:,} events), "
            f"{self.rejected:,} rejected, {self.no_offender:,} without a known offender"
        )


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """More than `ratio` of the units refused, once `after` units are read: the source is at fault, and is paused."""

    ratio: float = 0.5
    after: int = 100

    def passed(self, so_far: IngestSummary) -> bool:
        return so_far.units >= self.after and so_far.rejected > self.ratio * so_far.units


NOBODYS: Final = "-"
"""In place of an ORI where a record does not say whose it is."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One way in. `name`: format or mapping; `agency`: whose it is where a record does not say (a reject never does)."""

    name: str
    agency: str = NOBODYS

    def agency_of(self, unit: Unit) -> str:
        """ORI of the agency whose record it is."""
        for event in unit.events:
            given = getattr(event.data, "agency", None) or _ORI_OF_SOURCE.match(event.source)
            if given:
                return given if isinstance(given, str) else given[1]
        return self.agency


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms intake takes: how much may be refused and expunged, and the seal of what was expunged."""

    seal: Seal
    limit: RejectLimit = RejectLimit()
    expunctions: int | None = None
    """How many an agency's feed may have in a day without a person's word; None: any number."""


class SourcePausedError(IpviError):
    """Too many of this source's units were refused."""

    def __init__(self, file: str, so_far: IngestSummary, limit: RejectLimit) -> None:
        self.so_far = so_far
        super().__init__(
            f"{file}: paused, {so_far.rejected} of {so_far.units} units rejected (limit {limit.ratio:g}); "
            "mend the file and ingest it again from its start, or set IPVI_REJECT_LIMIT=1 to go on regardless"
        )


class FeedPausedError(IpviError):
    """A feed is paused until a person resumes it."""

    def __init__(self, agency: str, feed: str, *, expunges: bool = False) -> None:
        self.agency, self.feed, self.expunges = agency, feed, expunges
        super().__init__(
            f"feed {feed} of agency {agency} is paused, too much of it was refused or is to be expunged: `ipvi agencies` says "
            f"which; look at the rejects, mend the source, or ask who ordered it, then `ipvi agencies resume {agency} {feed}`"
        )
