"""How long a clock runs: hours as they pass, or hours the office is open. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.policy_notices import BusinessHours, Span, Weekday

_WEEKDAYS = list(Weekday)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One office's hours, in its time zone."""

    zone: ZoneInfo
    hours: BusinessHours

    def is_open(self, day: date) -> bool:
        return _WEEKDAYS[day.weekday()] in self.hours.days and day not in self.hours.holidays

    def window(self, day: date) -> tuple[datetime, datetime]:
        """When it opens and closes on that day, in UTC: a day on which the clocks change has its own length."""
        opens, closes = self.hours.window
        return self._moment(day, opens), self._moment(day, closes)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)


def after(start: datetime, span: Span, calendar: Calendar) -> datetime:
    """When `span` has run out, in UTC. Plain hours are hours as they pass: 72 h are 72 h, whatever the local clock does."""
    left = timedelta(hours=span.hours)
    if not span.business:
        return start.astimezone(UTC) + left
    day = start.astimezone(calendar.zone).date()
    while True:  # ends: some weekday is open, holidays are a finite list
        if calendar.is_open(day):
            opens, closes = calendar.window(day)
            since = max(opens, start)
            if since + left <= closes:
                return since + left
            left -= max(closes - since, timedelta(0))
        day += timedelta(days=1)
