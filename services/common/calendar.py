"""When so many business hours have passed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schemas.calendar import BusinessHours, Weekday

_WEEKDAYS = list(Weekday)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One office's hours, in its time zone."""

    zone: ZoneInfo
    hours: BusinessHours

    def after(self, start: datetime, left: timedelta) -> datetime:
        """The moment, in UTC, by which the office has been open for `left` since `start`."""
        day = start.astimezone(self.zone).date()
        while left:  # ends: some weekday is open, holidays are a finite list
            if self._is_open(day):
                opens, closes = self._window(day)
                since = max(opens, start)
                if since + left <= closes:
                    return (since + left).astimezone(UTC)
                left -= max(closes - since, timedelta(0))
            day += timedelta(days=1)
        return start.astimezone(UTC)

    def _is_open(self, day: date) -> bool:
        return _WEEKDAYS[day.weekday()] in self.hours.days and day not in self.hours.holidays

    def _window(self, day: date) -> tuple[datetime, datetime]:
        """When it opens and closes on that day, in UTC: a day on which the clocks change has its own length."""
        opens, closes = self.hours.window
        return self._moment(day, opens), self._moment(day, closes)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)
