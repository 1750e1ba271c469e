"""What a county sets for its work with victims: clocks, how long statements hold, who is called when on duty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.commands import Role
from schemas.envelope import Data
from schemas.outreach import TaskKind, TaskOwner

Days = Annotated[int, Field(ge=1, le=365 * 5)]
Minutes = Annotated[int, Field(ge=1, le=24 * 60)]


class TaskClock(StrEnum):
    """Which hours count until a task is due."""

    ELAPSED = "elapsed"
    """All of them: nights, holidays, and the hour a daylight-saving change takes or gives."""
    BUSINESS = "business"
    """Those of `business_hours`."""


LADDERS: Mapping[TaskOwner, list[Role]] = {
    TaskOwner.AGENCY: [Role.OFFICER, Role.COORDINATOR, Role.OUTREACH_SUPERVISOR],
    TaskOwner.SYSTEM_ADVOCATE: [Role.ADVOCATE, Role.OUTREACH_SUPERVISOR],
    TaskOwner.COMMUNITY_ADVOCATE: [Role.COMMUNITY_ADVOCATE, Role.OUTREACH_SUPERVISOR],
}


class OutreachTerms(Data):
    """Beside tasks and gate. Every setting has a default, so that an older policy goes on."""

    safe_contact_days: Days = 30
    """How long what she said of safe contact holds, unless she named a day."""
    consent_days: Days = 180
    """The longest a consent may run."""
    stop_after_attempts: Annotated[int, Field(ge=1, le=100)] = 6
    """So many attempts on one task without reaching her end it."""
    alert_every_minutes: Minutes = 15
    """How often whoever is on duty is told of a task that nobody has taken."""
    escalate_after_minutes: Minutes = 60
    """After which the next in `duty` is told."""
    duty: Annotated[dict[TaskOwner, list[Role]], Field(default_factory=lambda: dict(LADDERS))]
    """By the task's owner: who is called first, and who next."""

    @model_validator(mode="after")
    def _somebody_is_called(self) -> Self:
        lacking = sorted(owner for owner in TaskOwner if not self.duty.get(owner))
        if lacking:
            raise PydanticCustomError("duty", "nobody is named for {owners}", {"owners": ", ".join(lacking)})
        return self

    @property
    def alert_every(self) -> timedelta:
        return timedelta(minutes=self.alert_every_minutes)

    @property
    def escalate_after(self) -> timedelta:
        return timedelta(minutes=self.escalate_after_minutes)

    @property
    def safe_contact(self) -> timedelta:
        return timedelta(days=self.safe_contact_days)

    @property
    def consent(self) -> timedelta:
        return timedelta(days=self.consent_days)


OPTIONAL_OCCASIONS = frozenset({TaskKind.HIGH_DANGER_CALL, TaskKind.EARLIER_PARTNER})
"""Rows a policy may leave out: the first then has its default, the second is not opened."""
