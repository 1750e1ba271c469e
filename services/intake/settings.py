"""What intake reads from its environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.common.settings import CommonSettings
from services.intake.domain import RejectLimit


class IntakeSettings(CommonSettings):
    """`IPVI_REJECT_LIMIT` and `IPVI_REJECT_AFTER` beside what every service reads."""

    reject_limit: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of refused units above which a source is paused; 1 never pauses."""
    reject_after: Annotated[int, Field(ge=1)] = 100
    """Units to read before that is judged."""

    @property
    def limit(self) -> RejectLimit:
        return RejectLimit(self.reject_limit, self.reject_after)
