"""When a task is due. Elapsed hours are hours, whatever the clocks on the wall do; business hours are the county's."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from schemas import policy as terms
from schemas.outreach_terms import TaskClock
from services.common.calendar import Calendar


def due(cause: datetime, task: terms.Task, policy: terms.Policy) -> datetime:
    """`cause`: when what called for it was recorded."""
    if task.clock is TaskClock.ELAPSED:
        return cause + task.within
    return Calendar(ZoneInfo(policy.time_zone), policy.business_hours).after(cause, task.within)
