"""What was told of one offender's victims, and what is done for them: the rows a case file is made of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from schemas.classification import Tier
from schemas.commands import OverrideReason, Role
from schemas.outreach import (
    AnnulReason,
    AttemptOutcome,
    ContactChannel,
    GateState,
    TaskCancelReason,
    TaskKind,
    TaskOwner,
    TaskState,
)
from schemas.referral import ReferralOutreach, ReferralPurpose
from services.common.versions import version_of

_FOR_GOOD = (TaskCancelReason.BY_PERSON, TaskCancelReason.HER_WORD, TaskCancelReason.ATTEMPTS_EXHAUSTED)

TaskKey = tuple[str, TaskKind, str]
"""Case, kind, and what it is about: a referral's opening, a booking's release, a notice's delivery."""


@dataclass(frozen=True, slots=True)
class Referral:
    """One victim of one incident. Withdrawn, it keeps its ids and nothing of the incident."""

    referral_id: str
    pair_id: str
    case_id: str
    victim_no: int
    victim_id: str | None
    incident_id: str | None
    occurred_at: datetime | None
    tier: Tier | None
    gravest: Tier | None
    """The gravest tier since it was opened: a corrected tier takes no task away from her."""
    outreach: ReferralOutreach
    purpose: ReferralPurpose
    mutual: bool
    homicide: bool
    conflict_of_interest: bool
    withdrawn: bool = False
    opening: int = 0
    """How often it was opened: anew after a withdrawal, or when another victim is named."""
    place: int = 0
    """Order of opening among the offender's referrals; 0 = never opened."""
    opened_at: datetime | None = None
    """By the lane's clock, as all acts of people are: only what comes after can have been done for it."""
    moved_to: str | None = None
    """Withdrawn here, since it is another offender's now."""
    moved_as: str | None = None
    """Its id over there. It cannot be made again here: what names the incident is gone."""
    clocks_from: datetime | None = None
    """Record time from which its tasks are due: of its opening, or of a graver tier."""
    policy: str | None = None
    """Digest of the policy in force then: what it calls for, that one says."""
    told_of: datetime | None = None
    """Beginning of the round of which she was told while the incident was another record's of his: of that she need not hear
    again."""
    bulk: bool = False
    """Part of a history load."""
    to_be_called: bool = False
    """A screen had opened a call for her under another record of his, and nobody had made it."""

    @property
    def live(self) -> bool:
        """Whether it calls for tasks."""
        return self.outreach is ReferralOutreach.OPENED and not self.withdrawn

    @property
    def listed(self) -> bool:
        """Whether it waits until a person opens it."""
        return self.outreach is ReferralOutreach.LISTED and not self.withdrawn

    @property
    def gated(self) -> bool:
        """Whether a notice to him waits for her."""
        return self.live and self.purpose is ReferralPurpose.OUTREACH


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done for her. Its due time never changes: sooner clocks mean a successor."""

    task_id: str
    case_id: str
    referral_id: str
    pair_id: str
    victim_no: int
    victim_id: str | None
    kind: TaskKind
    about: str
    owner: TaskOwner
    opened_at: datetime
    due_at: datetime
    state: TaskState = TaskState.OPEN
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    escalation: int = 0
    """0 = not overdue; then how often it was raised."""
    ended_at: datetime | None = None
    cancel_reason: TaskCancelReason | None = None
    duty: Role | None = None
    """Whoever is on duty in this role was last told of it."""
    alerts: int = 0
    alerted_at: datetime | None = None
    given_back_at: datetime | None = None
    """When the last who had it gave it back."""

    @property
    def version(self) -> str:
        """What a person saw of it; that somebody was paged since makes it no other task."""
        return version_of(replace(self, duty=None, alerts=0, alerted_at=None))

    @property
    def key(self) -> TaskKey:
        return (self.case_id, self.kind, self.about)

    @property
    def unfinished(self) -> bool:
        return self.state not in (TaskState.COMPLETED, TaskState.CANCELLED)

    @property
    def stands(self) -> bool:
        """Whether the need it was opened for is taken care of: it is open, done, dropped by a person, or stopped."""
        return self.state is not TaskState.CANCELLED or self.cancel_reason in _FOR_GOOD


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to reach her, as the person who made it says."""

    task_id: str
    number: int
    case_id: str
    kind: TaskKind
    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: datetime
    recorded_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ToldAttempt(Attempt):
    """One made with another offender. It says something of the way that was tried; he waits for none of it."""

    from_case_id: str
    victim_id: str


@dataclass(frozen=True, slots=True)
class AnnulledAttempt(Attempt):
    """One that was recorded by mistake. Nothing rests on it any more."""

    annulled_at: datetime
    annulled_by: str
    reason: AnnulReason


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether notices of a pair may go out. `ended`: nobody of the pair is referred any more; it stays shut.

    `answers`: the last asking of which all that was said of the pair is worked here.
    """

    pair_id: str
    state: GateState = GateState.SHUT
    version: int = 1
    ended: bool = False
    answers: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """A safety hold: nothing goes to him. In force until a tick or a person ends it."""

    hold_id: str
    by: str
    until: datetime
    ended_at: datetime | None = None
    alerts: int = 0
    """How often somebody was to be told that it ends, whatever became of that; it only rises."""
    alerted_at: datetime | None = None
    """When last. None: its end is not near."""


@dataclass(frozen=True, slots=True)
class Override:
    """One person's word to open a pair's gate; it takes two."""

    pair_id: str
    by: str
    role: Role
    reason: OverrideReason
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Custody:
    """Where he stands with the jail, as last told."""

    booking_id: str
    held: bool
    hearing_at: datetime | None


@dataclass(frozen=True, slots=True)
class Release:
    """His last release from jail. `recorded_at` is when it was first told here."""

    booking_id: str
    released_at: datetime
    recorded_at: datetime
    facility: str | None = None


@dataclass(frozen=True, slots=True)
class Victim:
    """One victim as police hold her. Not shown by `repr`: it must reach no log."""

    place: int
    victim_no: int
    incident_id: str | None
    victim_id: str | None
    name: str | None = field(repr=False)
    birth_date: date | None = field(repr=False)
    contact: tuple[str, ...] = field(repr=False)
    language: str | None = field(repr=False)
    substitute_address: str | None = field(repr=False)
    lethality_screen: str | None = field(repr=False)
    screened_at: datetime | None = None
    """When this screen was first told here."""
    asked_at: datetime | None = None
    """When she was asked, as the agency says or first told it; None: not known."""


def graver(one: Tier | None, other: Tier | None) -> Tier | None:
    """The graver of two tiers; any is graver than none."""
    return max((tier for tier in (one, other) if tier), key=lambda tier: tier.gravity, default=None)
