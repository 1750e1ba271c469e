"""Each event as one partner may see it, before its filter.

Lists that it is not shown do not exist for it: every view is made from what is shown before and after, never from the
event's own word for the difference; and what leaves that unchanged is no event. So whatever happens on D alone, nobody but
law enforcement with D in its file can tell (`docs/decisions/0045`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from schemas.classification import OffenderDecided, Tier, TierCurrent
from schemas.envelope import Data, pair_id
from schemas.notification import (
    Notification,
    NotificationCancelled,
    NotificationCorrected,
    NotificationFailed,
    NotificationPrepared,
    NotificationServed,
    NotificationWithdrawn,
)
from schemas.partner import NoticeState, PartnerDecided, PartnerEvent, PartnerNotification, PartnerTier
from services.common.citations import is_citation
from services.partners.domain import Offender, Pair
from services.partners.rules.terms import Terms

NOTICE_STATES: Mapping[type[Data], NoticeState] = {
    NotificationPrepared: NoticeState.WAITING,
    NotificationServed: NoticeState.SERVED,
    NotificationFailed: NoticeState.FAILED,
    NotificationCancelled: NoticeState.CANCELLED,
    NotificationCorrected: NoticeState.CORRECTED,
    NotificationWithdrawn: NoticeState.CANCELLED,
}
"""Held and released are missing: when a notice may go out tells when somebody reached her."""


@dataclass(frozen=True, slots=True)
class View:
    """`event`: all that may be sent. `pair_id`: what it is about, for us alone; `mentions`: other pairs it names, each with the
    partner's pseudonym of its incident.

    `digest`: of what it says of the incident. `corrects`: the partner was told otherwise before, so its filter has no say.
    """

    event: PartnerEvent
    pair_id: str | None
    mentions: Mapping[str, str] = field(default_factory=dict)
    digest: str | None = None
    corrects: bool = False


def of_decision(terms: Terms, offender: Offender, decision: OffenderDecided, at: datetime) -> View | None:
    """None: nothing that this partner may know has changed. `offender`: with this decision learned."""
    if not terms.is_told_of(conflict=offender.conflict):
        return None
    previous, tier = terms.shown(decision.previous_tier), terms.shown(decision.tier)
    incident = _incident(terms, offender, decision)
    if previous is tier and not (incident.is_news and (tier is not None or incident.was_told)):
        return None  # of whoever is on no list it is shown, it is told nothing new
    evidence = list(_evidence(terms, offender, decision))
    seal = terms.pseudonyms.of_kind
    pair = incident.pair
    values: dict[str, Any] = {
        "decision_id": seal("decision", decision.decision_id),
        "offender_id": seal("offender", decision.offender_id),
        "pair_id": seal("pair", pair.pair_id) if pair is not None else None,
        "incident_id": pair.incident if pair is not None else None,
        "incident_number": decision.incident_id if pair is not None else None,
        "tier": tier,
        "previous_tier": previous,
        "change": terms.change(previous, tier),
        "rules": decision.rules if tier is not None else [],
        "evidence": [pseudonym for pseudonym, _ in evidence],
        **incident.facts,
        "decided_at": at,
        "bulk": decision.bulk,
        "policy_id": decision.policy.id,
        "policy_version": decision.policy.version,
    }
    return View(
        terms.whole(PartnerDecided, values),
        pair.pair_id if pair is not None else None,
        {each: pseudonym for pseudonym, each in evidence if pair is None or each != pair.pair_id},
        incident.digest,
        corrects=(incident.is_news and incident.was_told) or terms.has_left(offender.told, tier),
    )


@dataclass(frozen=True, slots=True)
class _Incident:
    """`pair` None: this partner may not know of it. `stands` false: only named, as it was told of it before."""

    pair: Pair | None
    facts: Mapping[str, Any]
    stands: bool = False

    @property
    def digest(self) -> str | None:
        if not self.stands:
            return None
        return hashlib.sha256(orjson.dumps(self.facts, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def was_told(self) -> bool:
        return self.pair is not None and self.pair.shown is not None

    @property
    def is_news(self) -> bool:
        return self.stands and self.pair is not None and self.pair.shown != self.digest


_NO_FACTS = {"charged": False, "statutes": [], "arrested_at": None, "occurred_at": None, "agency": None}


def stands(terms: Terms, decision: OffenderDecided) -> bool:
    """Whether the partner may know of the decision's own incident: on the ladder and charged, or D may be shown.

    What happened under 18, and where it is not settled who is whose victim, is off the ladder.
    """
    return decision.incident_id in decision.evidence and (decision.charged or terms.partner.sees_d)


def _incident(terms: Terms, offender: Offender, decision: OffenderDecided) -> _Incident:
    """What does not stand is named where it was told before, so that its end is understood."""
    pair = offender.pairs.get(decision.pair_id or "")
    if pair is None or decision.incident_id is None:
        return _Incident(None, _NO_FACTS)
    if not stands(terms, decision):
        known = pair.shown is not None
        return _Incident(pair if known else None, {**_NO_FACTS, "agency": pair.agency if known else None})
    facts = {
        "charged": decision.charged,
        "statutes": list(filter(is_citation, decision.statutes)),
        "arrested_at": decision.arrested_at,
        "occurred_at": decision.occurred_at,
        "agency": pair.agency,
    }
    return _Incident(pair, facts, stands=True)


def _evidence(terms: Terms, offender: Offender, decision: OffenderDecided) -> Iterator[tuple[str, str]]:
    """The partner's pseudonym of each incident that it may know of, and its pair."""
    by_incident = {pair.incident: pair for pair in offender.pairs.values()}
    for incident_id in decision.evidence:
        pseudonym = terms.pseudonyms.of_kind("incident", incident_id)
        pair = by_incident.get(pseudonym)
        if terms.partner.sees_d or (pair is not None and (pair.charged or pair.shown is not None)):
            yield pseudonym, pair.pair_id if pair is not None else pair_id(incident_id, offender.offender_id)


def of_tier(terms: Terms, offender: Offender) -> Mapping[str, Any] | None:
    """The list he is on now, as this partner is shown it, and as `Offender.tier` has it; None: on none.

    Topics have no order among them: until the decision that puts him there has come nobody knows whether other routes apply
    to him by now, and to the partner he is where he was.
    """
    found = offender.tier
    if found is None or not terms.is_told_of(conflict=offender.conflict) or terms.shown(Tier(found["tier"])) is None:
        return None
    if found["tier"] != offender.decided:
        return offender.tier_sent
    return found if terms.matches(of_tier_shown(terms, offender, found)) else None


def of_tier_shown(terms: Terms, offender: Offender, tier: Mapping[str, Any] | None) -> PartnerTier:
    """The event that says so."""
    now = None
    if tier is not None:
        now = TierCurrent.model_validate_json(orjson.dumps({k: tier[k] for k in TierCurrent.model_fields if k in tier}))
    return terms.whole(
        PartnerTier,
        {
            "offender_id": terms.pseudonyms.of_kind("offender", offender.offender_id),
            "tier": now.tier if now is not None else None,
            "since": now.since if now is not None else None,
            "policy_version": now.policy_version if now is not None else None,
        },
    )


def of_notification(terms: Terms, offender: Offender, data: Notification) -> View | None:
    """None: nothing that this partner may know."""
    state, tier = NOTICE_STATES.get(type(data)), terms.shown(data.tier)
    if state is None or tier is None or not terms.is_told_of(conflict=offender.conflict):
        return None
    pair = offender.pairs.get(data.pair_id)
    known = pair is not None and (pair.shown is not None or pair.charged or terms.partner.sees_d)
    seal = terms.pseudonyms.of_kind
    if isinstance(data, NotificationWithdrawn) and data.mistake is not None:
        state = NoticeState.WAITING
    told = state in (NoticeState.SERVED, NoticeState.FAILED)
    values = {
        "notification_id": seal("notification", data.notification_id),
        "offender_id": seal("offender", data.offender_id),
        "pair_id": seal("pair", data.pair_id) if pair is not None and pair.shown is not None else None,
        "tier": tier,
        "state": state,
        "channel": data.channel if told else None,
        "served_at": data.served_at if isinstance(data, NotificationServed) else None,
        "proof": data.proof if isinstance(data, NotificationServed) else None,
        "failure": data.reason if isinstance(data, NotificationFailed) else None,
        "agency": pair.agency if pair is not None and known else None,
    }
    corrects = isinstance(data, NotificationWithdrawn) and bool(offender.sent_about({data.pair_id}))
    return View(terms.whole(PartnerNotification, values), data.pair_id, corrects=corrects)
