"""A county's terms: how many people, how long, how many agencies, and since when it has this system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from services.cli.simulate.records import AGENCIES

UNTIL: Final = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class County:
    """`offenders` or `incidents` bounds it; the other is None.

    Of the last `live_days` before `until` this system was there; what is older was loaded as history (`bulk`).
    """

    seed: int = 1
    offenders: int | None = 1_000
    incidents: int | None = None
    years: float = 10.0
    agency_count: int = 5
    until: datetime = UNTIL
    live_days: float = 365.0

    @property
    def agencies(self) -> tuple[str, ...]:
        """The first is a city's police, the second the sheriff, who runs the jail."""
        return AGENCIES[: self.agency_count]

    @property
    def sheriff(self) -> str:
        return self.agencies[min(1, self.agency_count - 1)]

    @property
    def since(self) -> datetime:
        return self.until - timedelta(days=365.25 * self.years)

    @property
    def live_from(self) -> datetime:
        return self.until - timedelta(days=self.live_days)
