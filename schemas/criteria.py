"""Who comes on which list: facts, rows over them, and what counts. The part of a policy that decides.

Where the sources of the model disagree (`DOMAIN.md` 1.2), each reading is a setting here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from schemas.classification import Tier
from schemas.envelope import Data
from schemas.incident import Disposition, ProhibitedBehavior
from schemas.nibrs import ForceCode, OffenseCode, RelationshipCode

Days = Annotated[int, Field(ge=1, le=365 * 100)]
Count = Annotated[int, Field(ge=0, le=99)]
InOrder = PlainSerializer(sorted, when_used="json")
"""A set has no order of its own; its JSON must, for the digest."""
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
Statute = Annotated[str, Field(min_length=2, max_length=40, pattern=r"^[0-9A-Za-z][0-9A-Za-z.()-]*$")]
"""As `50B-4.1`: it covers what is charged under it and under its parts, `G.S. 50B-4.1(a)`, and not `50B-4.10`."""
Reason = Annotated[str, Field(min_length=1, max_length=200)]

GAP = "gap"
"""Stands among a decision's rules where no row covers the charge and the policy names a list for that."""


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
    INCIDENTS = "incidents"
    """Incidents so far, charged or not, this one included."""
    CONVICTIONS = "convictions"
    """Charges so far that ended in a conviction, this one included; one arrest is one."""
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
    FELONY_HERE = "felony_here"
    """An offence charged in this incident is a felony of the policy's lists."""

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
    source: Reason
    """Where the row comes from: whom to ask, what to read."""
    when: Annotated[dict[Fact, Bound | bool], Field(min_length=1)]

    @model_validator(mode="after")
    def _kinds_match(self) -> Self:
        if self.id == GAP:
            raise PydanticCustomError("rules", "no row may be called gap: decisions use the word; take another")
        for fact, condition in self.when.items():
            if fact.is_count is isinstance(condition, bool):
                raise PydanticCustomError(
                    "condition",
                    "{fact} is {kind}",
                    {"fact": fact.value, "kind": "a number: say at_least or at_most" if fact.is_count else "yes or no"},
                )
        return self


class ChargeUnit(StrEnum):
    """What one charge is. In each, what one arrest was made for is charged once."""

    INCIDENT = "incident"
    """However many counts."""
    CHARGE = "charge"
    """Every charged offence: three counts are three."""
    ARREST = "arrest"
    """As `incident`, and he was arrested or summoned; a charge without that is a suspicion."""
    CONVICTION = "conviction"
    """As `incident`, and he was convicted of it; until then it is a suspicion."""


class Charges(Data):
    """What counts as a charge."""

    unit: ChargeUnit
    dispositions: Annotated[frozenset[Disposition], Field(min_length=1), InOrder]
    """A charge with one of these counts; with none of them it is as if he had not been charged."""
    look_back_days: Days | None
    """What is longer ago than this does not count at a later incident; null: all counts. It lowers no list."""

    @model_validator(mode="after")
    def _can_count(self) -> Self:
        if self.unit is ChargeUnit.CONVICTION and Disposition.CONVICTED not in self.dispositions:
            raise PydanticCustomError("charges", "the unit conviction needs convicted in dispositions; add it")
        return self


class Violations(Data):
    """What counts as prohibited behaviour. An incident with any of it is one violation."""

    behavior: Annotated[frozenset[ProhibitedBehavior], InOrder]
    """As the agency reports it, charged or not."""
    charged_offenses: Annotated[frozenset[OffenseCode], InOrder]
    """A charge of one of these against a partner is a violation too."""
    statutes: Annotated[frozenset[Statute], InOrder]
    """So is a charge under one of these: NIBRS has no code for the breach of an order."""
    notice_terms_from_service: bool
    """Whether what happens after a notice was served to him breaches its terms (`notice_terms`)."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.notice_terms_from_service and ProhibitedBehavior.NOTICE_TERMS not in self.behavior:
            raise PydanticCustomError(
                "violations", "notice_terms_from_service needs notice_terms in behavior; add it, or write false"
            )
        return self


class Gaps(Data):
    """What becomes of an incident that no row covers. His list is never lowered by it."""

    charge_tier: Tier | None
    """A charge puts him on this list at least; null: on none. Either way a person looks (review `no_rule`)."""
    review_suspicions: bool
    """Whether a suspicion that no row covers is put before a person too."""


class Codes(Data):
    """NIBRS codes the rules and reviews go by."""

    intimate: Annotated[frozenset[RelationshipCode], Field(min_length=1), InOrder]
    child_in_common: bool
    """Whether a child in common makes a partner, whatever the code."""
    weapon_force: Annotated[frozenset[ForceCode], InOrder]
    strangulation_force: Annotated[frozenset[ForceCode], InOrder]
    homicide: Annotated[frozenset[OffenseCode], InOrder]
    felony: Annotated[frozenset[OffenseCode], InOrder]
    felony_statutes: Annotated[frozenset[Statute], InOrder]
    """NIBRS does not tell felonies from misdemeanours; statutes do."""
    fatal: Annotated[frozenset[OffenseCode], InOrder]
    """Offences after which her family is to be met, and nobody may ask for her."""
