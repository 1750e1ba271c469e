"""The state of one offender: his history, what it comes to, and what has been said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from schemas.classification import Change, OffenderDecided, Outreach, ReviewCode, Tier, TierCurrent
from schemas.envelope import pair_id
from schemas.policy import Policy
from schemas.referral import ReferralOpened
from services.classifier.domain.finding import Finding, as_one, find
from services.classifier.domain.history import History
from services.classifier.domain.ladder import Fire, Standing, walk
from services.classifier.domain.raising import raised

ReviewKey = tuple[str, ReviewCode]
"""What it is about (an incident, or a hand-over for `merge_pending`), and why."""


@dataclass(frozen=True, slots=True)
class Review:
    """An open review, and who works on it."""

    opened_at: datetime
    claimed_by: str | None = None
    concluded: tuple[tuple[str, str], ...] = ()
    """Who has found what, so far; it takes two who find the same to close it."""


ReferralKey = tuple[str, int]
"""Incident and victim."""

_pair_id = lru_cache(16_384)(pair_id)


@dataclass(frozen=True, slots=True)
class Move:
    """Where a history, or an incident of it, has gone; what comes late follows it there."""

    to: str
    handover_id: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the history comes to under the policy. Derived: never stored."""

    findings: Mapping[str, Finding] = field(default_factory=dict)
    """Incidents that stand."""
    standing: Standing = field(default_factory=Standing)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was published."""

    decision_id: str
    pair_id: str | None
    incident_id: str | None
    tier: Tier | None
    change: Change
    review: tuple[ReviewCode, ...]
    outreach: Outreach
    decided_at: datetime
    place: int
    """Rises with each decision on the offender."""

    @classmethod
    def of(cls, data: OffenderDecided, place: int) -> Decided:
        return cls(
            data.decision_id,
            data.pair_id,
            data.incident_id,
            data.tier,
            data.change,
            tuple(data.review),
            data.outreach,
            data.decided_at,
            place,
        )


@dataclass(frozen=True, slots=True)
class Erasure:
    """An expunction that was carried out. `proof_id` follows from source and id of the order, and from nothing else."""

    proof_id: str
    agency: str
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class Offender:
    """Everything kept of one offender. Immutable: each record makes a new one."""

    offender_id: str
    history: History = field(default_factory=History)
    alias: Move | None = None
    """Merged: this record is closed, and all that comes goes on."""
    moved: Mapping[str, Move] = field(default_factory=dict)
    """Split: sealed incident id, or arrest id with to whom, to where it went."""
    pending: frozenset[str] = frozenset()
    """Hand-overs of which more is to come."""
    absorbed: frozenset[str] = frozenset()
    """Other ids by whose way parts of the history came here."""
    tier: Tier | None = None
    since: datetime | None = None
    current: TierCurrent | None = None
    """As last published; None: nothing, or ended."""
    referrals: Mapping[ReferralKey, ReferralOpened] = field(default_factory=dict)
    """Live ones, as last said; their askings are below."""
    askings: Mapping[str, int] = field(default_factory=dict)
    """By pair for which a notice waits, when outreach was last asked for it."""
    last_asking: int = 0
    """Never falls, whatever is withdrawn or erased: a gate's word on what was asked before must not pass for an answer."""
    reviews: Mapping[ReviewKey, Review] = field(default_factory=dict)
    """Open ones."""
    decisions: Mapping[str, Decided] = field(default_factory=dict)
    policy: str | None = None
    """Digest of the policy he was last decided under."""
    wake_at: datetime | None = None
    """When the clock next has work; None: never, as things stand."""
    victim_of: frozenset[str] = frozenset()
    """Cases (opaque) in which he is another's victim."""
    erasures: Mapping[str, Erasure] = field(default_factory=dict)
    """Expunctions carried out, by proof."""
    assessment: Assessment = field(default_factory=Assessment)

    def pair(self, incident_id: str) -> str:
        """The identity of his part in the incident."""
        return _pair_id(incident_id, self.offender_id)


def assess(
    offender_id: str,
    history: History,
    policy: Policy,
    fire: Fire,
    known: tuple[History, Assessment] | None = None,
) -> Assessment:
    """Pure: the same history and policy give the same answer. `known` spares reading again what has not changed."""
    told = known if known is not None and history.words_are_those_of(known[0]) else None
    found = findings(offender_id, history, policy, told)
    if told is not None and found == told[1].findings:
        return told[1]
    standing = raised(history, walk(found.values(), policy, fire))
    if known is not None and Assessment(found, standing) == known[1]:
        return known[1]
    return Assessment(found, standing)


def findings(
    offender_id: str, history: History, policy: Policy, known: tuple[History, Assessment] | None = None
) -> dict[str, Finding]:
    """Every incident that stands, read. `known`: of a history with the same words of courts and people."""
    findings: dict[str, Finding] = {}
    noticed = history.noticed() if policy.violations.notice_terms_from_service else ()
    for incident_id, told in history.strands.items():
        if known is not None and known[0].strands.get(incident_id) is told:
            if incident_id in known[1].findings:
                findings[incident_id] = known[1].findings[incident_id]
            continue
        telling = history.standing(incident_id, offender_id)
        if telling is not None:
            findings[incident_id] = find(
                as_one(telling, policy), policy, history.disposed, listed=telling.listed, noticed=noticed
            )
    return findings
