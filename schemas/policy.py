"""What a county has decided: who comes on which list (`schemas.criteria`), and what each list brings.

A policy is a YAML file that a lieutenant can read and edit (`policies/*.yaml`); `schemas.policy_file` reads it. Every
service takes its part from the same file, so that one digest in a decision names everything that followed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from schemas.calendar import BusinessHours
from schemas.classification import PolicyRef, Tier
from schemas.criteria import Charges, Codes, Days, Gaps, Rule, Slug, Violations
from schemas.envelope import Data
from schemas.incident import Ori
from schemas.notification import Channel
from schemas.outreach import TaskKind, TaskOwner
from schemas.outreach_terms import OPTIONAL_OCCASIONS, OutreachTerms, TaskClock
from schemas.policy_notices import Notices


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise PydanticCustomError("zone", "not a time zone; write one like America/New_York")
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Hours = Annotated[int, Field(ge=0, le=24 * 365)]
FIVE_YEARS = 5 * 365 + 1
"""In days. What nobody has validated by then is purged (28 CFR 23.20(h))."""


class Task(Data):
    """One thing to be done for her."""

    kind: TaskKind
    owner: TaskOwner
    due_within_hours: Annotated[int, Field(ge=0, le=24 * 90)]
    """From the record that called for it; 0: at once."""
    clock: TaskClock = TaskClock.ELAPSED
    """Which hours count."""

    @property
    def within(self) -> timedelta:
        return timedelta(hours=self.due_within_hours)


class OffenderResponse(Data):
    """What he gets on this list."""

    channels: Annotated[list[Channel], Field(min_length=1)]
    """The first that fits is taken; `custody_visit` fits only while he is in jail."""


class Response(Data):
    """One list: what follows for him and for her."""

    offender: OffenderResponse | None
    """Null: no notice on this list."""
    victim: list[Task]


class Gate(Data):
    """What must have been done for her before he hears anything."""

    attempts: Annotated[int, Field(ge=1)]
    """So many attempts are enough where she was not reached ..."""
    attempt_channels: Annotated[int, Field(ge=1)]
    """... on so many channels ..."""
    attempts_over_hours: Hours
    """... with so many hours between the first and the last."""
    in_custody_attempts: Annotated[int, Field(ge=1)]
    """Enough while he is in jail."""
    cool_off_hours: Hours
    """Between the last attempt and the notice, unless he is in jail: a notice must not follow on a call to her."""
    hearing_margin_hours: Hours
    """How long before his hearing the wait ends while he is in jail, if a person on duty has taken her task."""
    safety_hold_hours: Annotated[int, Field(ge=1)]
    """How long a safety hold lasts unless renewed."""

    @property
    def attempts_over(self) -> timedelta:
        return timedelta(hours=self.attempts_over_hours)

    @property
    def cool_off(self) -> timedelta:
        return timedelta(hours=self.cool_off_hours)

    @property
    def hearing_margin(self) -> timedelta:
        return timedelta(hours=self.hearing_margin_hours)

    @property
    def safety_hold(self) -> timedelta:
        return timedelta(hours=self.safety_hold_hours)


OCCASIONS = frozenset(
    {
        TaskKind.IDENTIFY_VICTIM,
        TaskKind.ASK_RELATIONSHIP,
        TaskKind.FAMILY_LIAISON,
        TaskKind.CUSTODY_RELEASE,
        TaskKind.BEFORE_DELIVERY,
        TaskKind.AFTER_DELIVERY,
    }
)
"""Tasks that something other than a list calls for; each has its own row."""
HIGH_DANGER_CALL = Task(kind=TaskKind.HIGH_DANGER_CALL, owner=TaskOwner.SYSTEM_ADVOCATE, due_within_hours=0)
"""Where a policy has no row for it."""


class Policy(Data):
    """One county's policy. Equal content has an equal digest, whatever its file looks like."""

    id: Slug
    version: Annotated[str, Field(min_length=1, max_length=40)]
    title: str
    time_zone: TimeZone
    """Where a birthday begins."""
    agency_time_zones: Annotated[dict[Ori, TimeZone], Field(default_factory=dict)]
    """Agencies elsewhere, by ORI."""
    business_hours: BusinessHours = BusinessHours()
    adult_age: Annotated[int, Field(ge=10, le=30)]
    stale_after_days: Days
    """A report later than this after the incident is listed: nothing opens until a person opens it."""
    validate_d_after_days: Annotated[int, Field(ge=1, le=FIVE_YEARS)]
    """A D that no person has validated for so long is purged. Time lowers no other list."""
    codes: Codes
    charges: Charges
    violations: Violations
    gaps: Gaps
    rules: Annotated[list[Rule], Field(min_length=1)]
    tiers: dict[Tier, Response]
    no_tier: list[Task]
    """What is done for her where he is on no list: under age, or both were arrested."""
    occasions: list[Task]
    """The tasks that something other than a list calls for."""
    gate: Gate
    outreach: Annotated[OutreachTerms, Field(default_factory=OutreachTerms)]
    escalate_overdue_hours: Annotated[int, Field(ge=1)]
    releases_per_hour: Annotated[int, Field(ge=1)]
    """More notices than this at once are a history load or a fault of a feed: they wait for a person."""
    notices: Notices = Notices()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ids = [rule.id for rule in self.rules]
        repeated = sorted({each for each in ids if ids.count(each) > 1})
        if repeated:
            raise PydanticCustomError("rules", "two rules have the id {ids}", {"ids": ", ".join(repeated)})
        lists = sorted(set(Tier) - set(self.tiers))
        if lists:
            raise PydanticCustomError("tiers", "no response for list {lists}", {"lists": ", ".join(lists)})
        kinds = [task.kind for task in self.occasions]
        if len(kinds) != len(set(kinds)) or set(kinds) - OPTIONAL_OCCASIONS != OCCASIONS:
            raise PydanticCustomError(
                "occasions", "one row each is needed for {kinds}", {"kinds": ", ".join(sorted(OCCASIONS))}
            )
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical policy, time zones included."""
        return sha256(self.canonical()).hexdigest()

    @cached_property
    def ref(self) -> PolicyRef:
        """What a decision says of the policy it was made under."""
        return PolicyRef(id=self.id, version=self.version, digest=self.digest)

    @cached_property
    def on_occasion(self) -> Mapping[TaskKind, Task]:
        """The row of each occasion."""
        return {task.kind: task for task in (HIGH_DANGER_CALL, *self.occasions)}

    @cached_property
    def stale_after(self) -> timedelta:
        return timedelta(days=self.stale_after_days)

    @property
    def validate_d_after(self) -> timedelta:
        return timedelta(days=self.validate_d_after_days)

    @property
    def look_back(self) -> timedelta | None:
        days = self.charges.look_back_days
        return timedelta(days=days) if days is not None else None

    @property
    def escalate_overdue(self) -> timedelta:
        return timedelta(hours=self.escalate_overdue_hours)

    def zone(self, agency: str) -> ZoneInfo:
        """Where the agency is."""
        return ZoneInfo(self.agency_time_zones.get(agency, self.time_zone))

    def victim_tasks(self, tier: Tier | None) -> list[Task]:
        """What is done for her, by his list."""
        return self.no_tier if tier is None else self.tiers[tier].victim
