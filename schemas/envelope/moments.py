"""Moments as they are written: RFC 3339, always UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, PlainSerializer
from pydantic_core import PydanticCustomError


def rfc3339(moment: datetime) -> str:
    """UTC, `Z`, microseconds only where there are any: one spelling, so that canonical JSON is canonical."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def has_utc(moment: datetime) -> datetime:
    """Refuses a moment in the first or last hours of the calendar that has no form in UTC: nobody could write it down."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("datetime_range", "has no form in UTC") from None
    return moment


Timestamp = Annotated[
    AwareDatetime, AfterValidator(has_utc), PlainSerializer(rfc3339, return_type=str, when_used="json")
]
