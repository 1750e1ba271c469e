"""When a task is due. Elapsed hours are hours, whatever the clocks on the wall do; business hours are the county's."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from schemas import policy as terms
from schemas.advocacy import Weekday
from schemas.outreach_terms import OutreachTerms, TaskClock

_LONGEST = timedelta(days=365 * 3)
"""Holidays without end must not be a loop without end; then elapsed hours count."""


def due(cause: datetime, task: terms.Task, policy: terms.Policy) -> datetime:
    """`cause`: when what called for it was recorded."""
    if task.clock is TaskClock.ELAPSED or not task.within:
        return cause + task.within
    return _after_business(cause, task.within, policy.outreach, ZoneInfo(policy.time_zone))


def _after_business(cause: datetime, left: timedelta, terms: OutreachTerms, zone: tzinfo) -> datetime:
    """Day by day; a day's hours are as long as they are in UTC, so a change of the clocks within them counts."""
    hours = terms.business_hours
    start, end = time.fromisoformat(hours.start), time.fromisoformat(hours.end)
    day = cause.astimezone(zone).date()
    last = day + _LONGEST
    while day < last:
        if list(Weekday)[day.weekday()] in hours.days and day not in terms.holidays:
            opens = max(cause, datetime.combine(day, start, zone).astimezone(cause.tzinfo))
            closes = datetime.combine(day, end, zone).astimezone(cause.tzinfo)
            if closes - opens >= left:
                return opens + left
            left -= max(closes - opens, timedelta())
        day += timedelta(days=1)
    return cause + left
