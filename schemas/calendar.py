"""Days of the week and the hours an office is open."""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from schemas.envelope import Data

_InOrder = PlainSerializer(sorted, when_used="json")


class Weekday(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of the day, by the county's or the agency's clock."""


class BusinessHours(Data):
    """When the office is open, in the agency's time zone. Counts for clocks that ask for business hours alone."""

    days: Annotated[frozenset[Weekday], Field(min_length=1), _InOrder] = frozenset(
        {Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI}
    )
    opens: Clock = "08:00"
    closes: Clock = "17:00"
    holidays: Annotated[frozenset[date], Field(max_length=500), _InOrder] = frozenset()
    """Days on which it is shut, as YYYY-MM-DD in quotes."""

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        if self.opens >= self.closes:
            raise PydanticCustomError("business_hours", "must open before it closes")
        return self

    @property
    def window(self) -> tuple[time, time]:
        return time.fromisoformat(self.opens), time.fromisoformat(self.closes)
