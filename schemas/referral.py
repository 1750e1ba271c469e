"""One referral per victim and pair, whatever the tier: topic `ipvi.restricted.referrals.v1`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.classification import PolicyRef, Tier
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier, Ori


class ReferralOutreach(StrEnum):
    """`opened`: tasks open now. `listed`: kept in the queue until a person opens it (history load, late report)."""

    OPENED = "opened"
    LISTED = "listed"


class ReferralPurpose(StrEnum):
    """What victim_outreach is asked for."""

    OUTREACH = "outreach"
    ASK_RELATIONSHIP = "ask_relationship"
    """No partner link is known in a crime against the person: the agency asks, within 24 h."""


Asking = Annotated[int, Field(ge=1)]


class Referral(Data):
    """Common fields of opened and amended."""

    referral_id: str
    pair_id: str
    offender_id: Identifier
    victim_no: Annotated[int, Field(ge=1)]
    victim_id: Identifier | None
    """Null: not identified; the task is to identify her."""
    incident_id: str
    agency: Ori
    tier: Tier | None
    """The offender's tier after this incident, if any."""
    policy: PolicyRef
    outreach: ReferralOutreach
    purpose: ReferralPurpose = ReferralPurpose.OUTREACH
    mutual: bool = False
    """Both parties are victims here: they get different advocates."""
    homicide: bool = False
    """She was killed: one `family_liaison` task, no victim task."""
    conflict_of_interest: bool = False
    """He is a sworn officer or the like: the agency's own people are not to hold the tasks."""
    occurred_at: Timestamp
    arrested_at: Timestamp | None = None
    bulk: bool = False
    asking: Asking | None = None
    """On the last that one decision says of a pair, where a notice must wait for what changed: the gate's word answers it by
    this number (`OffenderDecided.askings`)."""

    @property
    def waits(self) -> bool:
        """Whether a notice must wait for her."""
        return self.outreach is ReferralOutreach.OPENED and self.purpose is ReferralPurpose.OUTREACH


@event_type("ipvi.referral.opened.v1")
class ReferralOpened(Referral):
    """A victim is to be reached."""


@event_type("ipvi.referral.amended.v1")
class ReferralAmended(Referral):
    """What is known of the referral has changed; replaces all fields."""


@event_type("ipvi.referral.withdrawn.v1")
class ReferralWithdrawn(Data):
    """The ground of the referral is gone (retracted, expunged, no longer a partner). Carries ids only."""

    referral_id: str
    pair_id: str
    offender_id: Identifier
    victim_no: Annotated[int, Field(ge=1)]
    expunged: bool = False
    """A court's order: what was said of the pair, whichever its referrals, is to be erased. Comes also where the referral
    was withdrawn before."""
    moved_to: Identifier | None = None
    """The offender under whom the same incident is referred now: this record was merged into his, or the incident split
    off to it. What is kept of her goes with it."""
    asking: Asking | None = None
    """As of the others: another victim of the pair is still waited for."""
