"""What all services are asked alike: the clock, acts of people, what is set aside, policies."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from schemas.envelope import Data
from schemas.incident import Identifier

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Role(StrEnum):
    """What a person may do; from the token file, later from the identity provider."""

    COORDINATOR = "coordinator"
    OFFICER = "officer"
    COMMUNITY_ADVOCATE = "community_advocate"
    """Of a confidential provider (VAWA, FVPSA, VOCA)."""
    ADVOCATE = "advocate"
    """Of the agency's or the prosecutor's: what she learns is discoverable."""
    OUTREACH_SUPERVISOR = "outreach_supervisor"
    OPERATOR = "operator"
    LAW_ENFORCEMENT = "law_enforcement"
    """Looks an offender up from a records system; is told every tier."""
    PROSECUTOR = "prosecutor"
    """Takes what is referred for enforcement, works reviews, and sees an offender's levers."""
    DISPATCH = "dispatch"
    """Looks an offender up from computer-aided dispatch; is told A, B and C."""
    PARTNER = "partner"
    """A partner's own system: confirms what it was told to take back, and asks what it was sent."""
    AGENCY = "agency"
    """An agency's own system: sends that agency's records to intake, and asks what became of them."""
    RECORDS = "records"
    """Records clerk or analyst: decides at intake which records are one person."""


class Tick(Data):
    """The clock's word for one lane and period; the time is the record's."""

    lane: Annotated[int, Field(ge=0)]
    period: Annotated[int, Field(ge=0)]
    """Number of the period since the epoch; older or equal ones are ignored."""


class PersonCommand(Data):
    """An act of a person."""

    offender_id: Identifier
    by: Annotated[str, Field(min_length=1, max_length=120)]
    role: Role
    expects: Annotated[str | None, Field(max_length=64)] = None
    """Version of the record the person saw: if it has changed since, the act is refused as `stale`."""


class RetryParked(PersonCommand):
    """Decide again what was set aside for this offender because deciding it had failed three times; after the fix."""


class ActivatePolicy(Data):
    """From this record on the lane decides under this policy."""

    lane: Annotated[int, Field(ge=0)]
    policy: dict[str, Any]
    """The whole policy, as JSON."""
    digest: str
    by: Annotated[str, Field(min_length=1, max_length=120)]
