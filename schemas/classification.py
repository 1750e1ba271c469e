"""What the classifier decides: tiers, and why.

Topics `ipvi.internal.decisions.v1` (no victim in it) and `ipvi.shared.tiers.v1` (compacted).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier, Ori


class Tier(StrEnum):
    """The four lists, `A` the gravest (seed; Sumner 2015)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"

    @property
    def gravity(self) -> int:
        """4 for A down to 1 for D, so that tiers compare."""
        return "DCBA".index(self.value) + 1


class Change(StrEnum):
    """What an event did to the tier. `none`: the history is as it was, and nothing is published."""

    ENTERED = "entered"
    ESCALATED = "escalated"
    KEPT = "kept"
    LOWERED = "lowered"
    REMOVED = "removed"
    NONE = "none"


class ReviewCode(StrEnum):
    """Why a person should look; a queue people work."""

    NO_RULE = "no_rule"
    RELATIONSHIP_UNKNOWN = "relationship_unknown"
    RELATIONSHIP_MISSING = "relationship_missing"
    WEAPON_UNCHARGED = "weapon_uncharged"
    PROBABLE_CAUSE_UNCHARGED = "probable_cause_uncharged"
    CHARGE_LINK_UNKNOWN = "charge_link_unknown"
    CONFLICT_OF_INTEREST = "conflict_of_interest"
    MUTUAL = "mutual"
    JUVENILE = "juvenile"
    AGE_UNKNOWN = "age_unknown"
    MERGE_PENDING = "merge_pending"
    ALSO_VICTIM = "also_victim"
    ARRESTEE_UNMATCHED = "arrestee_unmatched"
    PARKED = "parked"


class Outreach(StrEnum):
    """Whether this decision's pair opens outreach; `none`: no intimate victim, or listed."""

    OPENED = "opened"
    NONE = "none"


class PolicyRef(Data):
    """The policy that was really used."""

    id: str
    version: str
    digest: str
    """SHA-256 of the canonical policy, time zones included."""


@event_type("ipvi.offender.decided.v1")
class OffenderDecided(Data):
    """One decision: the tier after one event. Holds nothing of any victim."""

    decision_id: str
    pair_id: str | None
    """Of incident and offender; null where the event names no incident (merge, split)."""
    offender_id: Identifier
    incident_id: str | None
    """Null in a decision caused by an expunction."""
    tier: Tier | None
    previous_tier: Tier | None
    change: Change
    rules: list[str]
    """Ids fired at the latest step whose highest tier is the tier."""
    evidence: list[str]
    """Qualifying on-ladder incidents, in walk order (`occurred_at`, then `incident_id`)."""
    review: list[ReviewCode]
    """Codes of the (incident, code) pairs newly raised by this event."""
    outreach: Outreach
    mutual: bool = False
    """Both were arrested: no notice until a person names the predominant aggressor."""
    charged: bool = False
    """Whether this incident carries a charge against an intimate partner."""
    offender_informed: bool | None = None
    """As reported: whether police spoke with him about this incident."""
    statutes: list[str] = []
    """Charged ones only."""
    arrested_at: Timestamp | None = None
    conflict_of_interest: bool = False
    withdrawn_pair_ids: list[str] = []
    """Pairs whose outreach and notices end by this decision."""
    askings: dict[str, Annotated[int, Field(ge=1)]] = {}
    """By pair for which a notice must wait, when outreach was last asked for it: a number that rises over all of the
    offender's. A gate's word counts once it answers that asking."""
    merged_offender_id: str | None = None
    merge_pending: bool = False
    """Part of his history is still on its way from another record: no notice may go to him before it is here."""
    challenged: bool = False
    """He or his counsel disputes the listing, and it is not answered: no notice may go to him."""
    raised_until: Timestamp | None = None
    """The tier is a person's raise above what the rules give, until then; null: it is the rules'."""
    purged: bool = False
    """What ended, ended for its age alone: nothing that was given is to be set right."""
    tiers_served: list[Tier] = []
    """Lists of which he has been given notice, before this system was there or under an id since merged too."""
    policy: PolicyRef
    occurred_at: Timestamp | None
    decided_at: Timestamp
    """Record time of the cause."""
    agency: Ori | None
    bulk: bool = False


@event_type("ipvi.policy.activated.v1")
class PolicyActivated(Data):
    """From here on a lane decides under this policy. Offenders keep their tier until they are decided again."""

    lane: Annotated[int, Field(ge=0)]
    policy: PolicyRef
    previous: PolicyRef | None
    by: str


@event_type("ipvi.tier.current.v1")
class TierCurrent(Data):
    """An offender's tier now: A, B or C, and nothing else."""

    offender_id: Identifier
    tier: Tier
    since: Timestamp
    """`occurred_at` of the step that first fired it."""
    policy_version: Annotated[str, Field(min_length=1)]


class TierEnded(Data):
    """What a tombstone of that topic stands for: he is on none of A, B and C."""

    TYPE = TierCurrent.TYPE

    offender_id: Identifier
