"""What follows from a changed history: referrals, the decision, the current tier."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.classification import ReviewCode, Tier, TierCurrent
from schemas.envelope import Data, Event, pair_id, referral_id
from schemas.policy import Policy
from schemas.referral import ReferralOpened, ReferralWithdrawn
from schemas.topics import Topic
from services.classifier.domain import (
    Assessment,
    Decided,
    Fire,
    Offender,
    ReferralKey,
    ReviewKey,
    Seal,
    Standing,
    assess,
)
from services.classifier.usecases import referring
from services.classifier.usecases.deciding import About, about, decision, is_published
from services.common.service import Input, Outcome, Outgoing, Redaction, caused_by

SOURCE = "/ipvi/classifier"


@dataclass(frozen=True, slots=True)
class Terms:
    """What decisions are made under."""

    policy: Policy
    fire: Fire
    seal: Seal


def settled(
    before: Offender,
    draft: Offender,
    event: Event[Data],
    given: Input,
    terms: Terms,
    *more: Outgoing,
    what: About | None = None,
) -> Outcome[Offender]:
    """`draft` is `before` with the record `event` folded in; `more` is said besides. `what`: unless it is `event`'s own."""
    if draft is before and not more and what is None:
        return Outcome(before, result="none")
    known = (before.history, before.assessment)
    assessment = assess(draft.offender_id, draft.history, terms.policy, terms.fire, known)
    standing = assessment.standing
    after = replace(
        draft,
        assessment=assessment,
        tier=standing.tier,
        since=standing.since,
        current=_current(draft.offender_id, standing, terms.policy),
        reviews=_reviews(before, draft, assessment, given.at),
    )
    what = what or about(event.data, after)
    referrals = referring.wanted(before, after, terms.policy)
    gone = _gone(before, after, what)
    erase = gone.pairs
    said = [
        *_referrals(before, after, referrals, what, erase, given, terms),
        *_tier(before.current, after.current, given),
        *more,
    ]
    decisions = {key: one for key, one in after.decisions.items() if one.pair_id not in erase}
    if is_published(before, after, given.event) or what.leaves(before):
        data = decision(before, after, event, given.event, given.at, terms.policy, what)
        said.insert(0, _said(given, Topic.DECISIONS, data, what, what.key(after)))
        place = max((one.place for one in decisions.values()), default=0) + 1
        told = Decided.of(data, place)
        decisions = {**decisions, data.decision_id: replace(told, pair_id=None) if what.expunged else told}
    return Outcome(
        replace(after, referrals=referrals, decisions=decisions), tuple(said), erase=erase, redact=gone.redactions
    )


def _reviews(before: Offender, draft: Offender, assessment: Assessment, at: datetime) -> Mapping[ReviewKey, datetime]:
    """Open as long as their reason stands."""
    keys = {*assessment.standing.reviews, *((handover, ReviewCode.MERGE_PENDING) for handover in draft.pending)}
    if keys == before.reviews.keys():
        return before.reviews
    return {key: before.reviews.get(key, at) for key in sorted(keys)}


def _referrals(
    before: Offender,
    after: Offender,
    referrals: Mapping[ReferralKey, ReferralOpened],
    what: About,
    erase: Collection[str],
    given: Input,
    terms: Terms,
) -> Iterator[Outgoing]:
    """The last word on an expunged pair has to go out: it is not among what is erased. There is one in any case."""
    told = list(
        referring.differences(before.referrals, referrals, lambda incident_id: _moved_to(after, incident_id, terms))
    )
    own = what.pair(before) if what.leaves(before) else None
    if own is not None and not any(data.pair_id == own for data in told):
        told.append(
            ReferralWithdrawn(referral_id=referral_id(own, 1), pair_id=own, offender_id=before.offender_id, victim_no=1)
        )
    for data in told:
        if data.pair_id not in erase:
            yield _said(given, Topic.REFERRALS, data, what, data.pair_id, data.referral_id)
        elif isinstance(data, ReferralWithdrawn):
            last = data.model_copy(update={"expunged": True})
            yield _said(given, Topic.REFERRALS, last, what, None, data.referral_id)


def _moved_to(after: Offender, incident_id: str, terms: Terms) -> str | None:
    """Whose the incident is now, where it is another's."""
    move = after.moved.get(terms.seal(incident_id), after.alias) if after.moved else after.alias
    return move.to if move is not None else None


def _current(offender_id: str, standing: Standing, policy: Policy) -> TierCurrent | None:
    """As partners are told it: D stays with law enforcement (28 CFR 23.20)."""
    if standing.tier is None or standing.tier is Tier.D or standing.since is None:
        return None
    return TierCurrent(offender_id=offender_id, tier=standing.tier, since=standing.since, policy_version=policy.version)


def _tier(was: TierCurrent | None, now: TierCurrent | None, given: Input) -> Iterator[Outgoing]:
    """Partners learn the tier and nothing else: neither incident nor cause."""
    told = now or was
    if was != now and told is not None:
        event = caused_by(given, SOURCE, told, Topic.TIERS, told.offender_id, subject=told.offender_id)
        yield Outgoing(Topic.TIERS, replace(event, correlationid=None, causationid=None), tombstone=now is None)


def _said(given: Input, topic: Topic, data: Data, what: About, key: str | None, *parts: str) -> Outgoing:
    """The incident is named by its opaque pair alone: a header outlives the rows that an expunction finds.

    Of an expunction not even the agency's own id of the order is passed on, which may hold the incident's number.
    """
    offender_id: str = getattr(data, "offender_id")  # noqa: B009 (every event said here has one)
    event = caused_by(given, SOURCE, data, topic, offender_id, *parts, subject=offender_id)
    correlation = pair_id(what.incident_id, offender_id) if what.incident_id else what.pair_id
    causation = None if what.expunged else event.causationid
    return Outgoing(topic, replace(event, correlationid=correlation, causationid=causation), about=key)


@dataclass(frozen=True, slots=True)
class Gone:
    """What must be erased: whatever is about these pairs, and every other mention of the incidents."""

    pairs: tuple[str, ...]
    redactions: tuple[Redaction, ...]


def _gone(before: Offender, after: Offender, what: About) -> Gone:
    """Every pair under which something may have been said of what is expunged, here or where it came from."""
    gone = {what.incident_id} if what.expunged and what.incident_id else set[str]()
    if after.history.expunged is not before.history.expunged:
        gone |= before.history.strands.keys() - after.history.strands.keys()
    names = {incident_id: names_of(before, incident_id) for incident_id in gone}
    pairs = {pair_id(incident_id, name) for incident_id, told in names.items() for name in told}
    own = {what.pair_id} if what.expunged and what.pair_id else set[str]()
    return Gone(
        tuple(sorted(pairs | own)),
        tuple(Redaction(tuple(sorted(names[incident_id])), incident_id) for incident_id in sorted(gone)),
    )


def names_of(offender: Offender, incident_id: str) -> set[str]:
    """Every offender id under which something may have been said of the incident."""
    told_as = {strand.reported_as for strand in offender.history.strands.get(incident_id, ())}
    return {offender.offender_id, *offender.absorbed, *told_as}
