"""Who is on duty, and the alerts that call them: topic `ipvi.internal.duty-alerts.v1`. An alert names nobody."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.envelope import Data, event_type


class DutyRole(StrEnum):
    """Whom a clock calls. Who fills a role, and when, stands in the county's roster file."""

    NOTICE_DESK = "notice_desk"
    NOTICE_SUPERVISOR = "notice_supervisor"
    COORDINATOR = "coordinator"
    PROSECUTOR = "prosecutor"


@event_type("ipvi.duty.alerted.v1")
class DutyAlerted(Data):
    """Somebody on duty is to sign in. No name, tier, place or offender: a telephone may lie in anybody's sight."""

    alert_id: str
    role: DutyRole
    escalation: Annotated[int, Field(ge=1)]
    """1 the first time; rises until somebody has taken the task."""
