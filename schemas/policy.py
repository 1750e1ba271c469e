"""What a county has decided: who comes on which list, and what each list brings for him and for her.

A policy is a YAML file that a lieutenant can read and edit (`policies/*.yaml`); `schemas.policy_file` reads it. Every
service takes its part from the same file, so that one digest in a decision names everything that followed from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from schemas.classification import PolicyRef, Tier
from schemas.envelope import Data
from schemas.incident import Disposition, Ori
from schemas.nibrs import ForceCode, OffenseCode, RelationshipCode
from schemas.notification import Channel
from schemas.outreach import TaskKind, TaskOwner


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise PydanticCustomError("zone", "not a time zone; write one like America/New_York")
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Hours = Annotated[int, Field(ge=0, le=24 * 365)]
Days = Annotated[int, Field(ge=1, le=365 * 100)]
Count = Annotated[int, Field(ge=0, le=1000)]
_InOrder = PlainSerializer(sorted, when_used="json")
"""A set has no order of its own; its JSON must, for the digest."""
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]


class Fact(StrEnum):
    """What a rule may ask about one step of an offender's history: that incident, and all up to it."""

    CHARGES = "charges"
    """Charges so far, this one included."""
    PREVIOUS_CHARGES = "previous_charges"
    """Charges before this incident."""
    VIOLATIONS = "violations"
    """Incidents with prohibited behaviour so far, this one included."""
    SUSPICIONS = "suspicions"
    """Incidents without a charge so far, this one included."""
    CHARGED_HERE = "charged_here"
    """This incident adds a charge."""
    SUSPECTED_HERE = "suspected_here"
    """This incident carries no charge."""
    VIOLATION_HERE = "violation_here"
    """This incident shows prohibited behaviour, charged or not."""
    WEAPON_HERE = "weapon_here"
    """An offence charged in this incident was done with a weapon of the policy's list."""
    STRANGULATION_HERE = "strangulation_here"
    """An offence charged in this incident was strangulation."""
    HOMICIDE_HERE = "homicide_here"
    """An offence charged in this incident was homicide."""

    @property
    def is_count(self) -> bool:
        """Whether it is a number; else it is yes or no."""
        return not self.value.endswith("_here")


class Bound(Data):
    """Limits of a number; both included."""

    at_least: Count | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise PydanticCustomError("bound", "say at_least, at_most or both")
        return self


class Rule(Data):
    """One row: where every line of `when` is so, the incident puts him on the list. For *or*, write two rows."""

    id: Slug
    tier: Tier
    when: Annotated[dict[Fact, Bound | bool], Field(min_length=1)]

    @model_validator(mode="after")
    def _kinds_match(self) -> Self:
        for fact, condition in self.when.items():
            if fact.is_count is isinstance(condition, bool):
                raise PydanticCustomError(
                    "condition",
                    "{fact} is {kind}",
                    {"fact": fact.value, "kind": "a number: say at_least or at_most" if fact.is_count else "yes or no"},
                )
        return self


class ChargeUnit(StrEnum):
    """What one charge is."""

    INCIDENT = "incident"
    """However many counts."""
    COUNT = "count"
    """Every charged offence."""


class Charges(Data):
    """What counts as a charge."""

    unit: ChargeUnit
    dispositions: Annotated[frozenset[Disposition], Field(min_length=1), _InOrder]
    """A charge with one of these counts; with none of them it is as if he had not been charged."""
    look_back_days: Days | None
    """Charges, violations and suspicions longer ago than this do not count at a later incident; null: all count."""


class Codes(Data):
    """NIBRS codes the rules and reviews go by."""

    intimate: Annotated[frozenset[RelationshipCode], Field(min_length=1), _InOrder]
    child_in_common: bool
    """Whether a child in common makes a partner, whatever the code."""
    weapon_force: Annotated[frozenset[ForceCode], _InOrder]
    strangulation_force: Annotated[frozenset[ForceCode], _InOrder]
    homicide: Annotated[frozenset[OffenseCode], _InOrder]
    fatal: Annotated[frozenset[OffenseCode], _InOrder]
    """Offences after which her family is to be met, and nobody may ask for her."""


class Task(Data):
    """One thing to be done for her."""

    kind: TaskKind
    owner: TaskOwner
    due_within_hours: Annotated[int, Field(ge=1, le=24 * 90)]
    """From the record that called for it."""

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


class Policy(Data):
    """One county's policy. Equal content has an equal digest, whatever its file looks like."""

    id: Slug
    version: Annotated[str, Field(min_length=1, max_length=40)]
    title: str
    time_zone: TimeZone
    """Where a birthday begins."""
    agency_time_zones: Annotated[dict[Ori, TimeZone], Field(default_factory=dict)]
    """Agencies elsewhere, by ORI."""
    adult_age: Annotated[int, Field(ge=10, le=30)]
    stale_after_days: Days
    """A report later than this after the incident is listed: nothing opens until a person opens it."""
    validate_d_after_days: Annotated[int, Field(ge=1, le=1826)] = 1825
    """A suspicion that keeps him on list D, and that no person has validated for so long, is purged (28 CFR 23.20(h))."""
    codes: Codes
    charges: Charges
    rules: Annotated[list[Rule], Field(min_length=1)]
    tiers: dict[Tier, Response]
    no_tier: list[Task]
    """What is done for her where he is on no list: under age, or both were arrested."""
    occasions: list[Task]
    """The tasks that something other than a list calls for."""
    gate: Gate
    escalate_overdue_hours: Annotated[int, Field(ge=1)]
    releases_per_hour: Annotated[int, Field(ge=1)]
    """More notices than this at once are a history load or a fault of a feed: they wait for a person."""

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
        if len(kinds) != len(OCCASIONS) or set(kinds) != OCCASIONS:
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
        return {task.kind: task for task in self.occasions}

    @property
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
