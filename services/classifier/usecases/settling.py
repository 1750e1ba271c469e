"""What follows from a changed history: referrals, the decision, the current tier. Said by difference to what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.classification import OffenderDecided, ReviewCode, TierCurrent
from schemas.envelope import Data, Event, pair_id, referral_id
from schemas.policy import Policy
from schemas.referral import Referral, ReferralAmended, ReferralOpened, ReferralOutreach, ReferralWithdrawn
from schemas.topics import Topic
from services.classifier.domain import Decided, Finding, Fire, Offender, Referred, ReviewKey, assess
from services.classifier.usecases.deciding import About, about, decision, has_conflict, is_published, shared_tier
from services.common.service import Input, Outcome, Outgoing, caused_by

SOURCE = "/ipvi/classifier"

Seal = Callable[[str, str], str]
"""(offender, id) to a keyed hash, by which an id can be known again and not be read."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What decisions are made under."""

    policy: Policy
    fire: Fire
    seal: Seal


def settled(
    before: Offender, draft: Offender, event: Event[Data], given: Input, terms: Terms, *more: Outgoing
) -> Outcome[Offender]:
    """`draft` is `before` with the record `event` folded in; `more` is said besides."""
    if draft is before and not more:
        return Outcome(before, result="none")
    known = (before.history, before.assessment)
    assessment = assess(draft.offender_id, draft.history, terms.policy, terms.fire, known)
    standing = assessment.standing
    after = replace(draft, assessment=assessment, tier=standing.tier, since=standing.since)
    after = replace(after, reviews=_reviews(before, after, given.at))
    what = about(event.data, after)
    data = decision(before, after, event, given.event, given.at, terms.policy)
    wanted = dict(_wanted(before, after, terms.policy))
    current = _current(after, terms.policy)
    said = [
        *_referrals(before.referrals, wanted, after, what, given),
        *([_said(data, Topic.DECISIONS, what, what.key(after), given)] if is_published(before, after) else []),
        *_tier(before.current, current, given),
        *more,
    ]
    after = replace(after, referrals=wanted, current=current, decisions=_decisions(before, data, what, after))
    return Outcome(after, tuple(said), erase=_erased(before, what))


def _reviews(before: Offender, after: Offender, at: datetime) -> Mapping[ReviewKey, datetime]:
    """Open as long as their reason stands."""
    pending = ((handover, ReviewCode.MERGE_PENDING) for handover in after.pending)
    keys = {*after.assessment.standing.reviews, *pending}
    if keys == before.reviews.keys():
        return before.reviews
    return {key: before.reviews.get(key, at) for key in sorted(keys)}


def _decisions(before: Offender, data: OffenderDecided, what: About, after: Offender) -> Mapping[str, Decided]:
    kept = before.decisions
    if what.expunged:
        pair = what.pair(after)
        kept = {key: one for key, one in kept.items() if one.pair_id != pair}
    if not is_published(before, after):
        return kept
    place = max((one.place for one in kept.values()), default=0) + 1
    return {**kept, data.decision_id: Decided.of(data, place)}


def _erased(before: Offender, what: About) -> tuple[str, ...]:
    """Every pair under which something may have been said of an expunged incident, here or where it came from."""
    if not what.expunged or what.incident_id is None:
        return ()
    told_as = {strand.reported_as for strand in before.history.strands.get(what.incident_id, ())}
    return tuple(pair_id(what.incident_id, each) for each in sorted({before.offender_id, *before.absorbed, *told_as}))


# referrals -----------------------------------------------------------------------------------------------------------


def _wanted(before: Offender, after: Offender, policy: Policy) -> Iterator[tuple[str, ReferralOpened]]:
    """One for every partner of an incident that stands, whatever the tier, in walk order."""
    conflict = has_conflict(after)
    standing = after.assessment.standing
    for incident_id in standing.tiers:
        found = after.assessment.findings[incident_id]
        for person in found.referred:
            key = referral_id(after.pair(incident_id), person.victim_no)
            wanted = _referral(after, found, person, policy, key, conflict=conflict)
            known = before.referrals.get(key)
            yield key, known if known == wanted and known is not None else wanted


def _referral(
    offender: Offender, found: Finding, person: Referred, policy: Policy, key: str, *, conflict: bool
) -> ReferralOpened:
    report = found.report
    return ReferralOpened(
        referral_id=key,
        pair_id=offender.pair(report.incident_id),
        offender_id=offender.offender_id,
        victim_no=person.victim_no,
        victim_id=person.victim_id,
        incident_id=report.incident_id,
        agency=report.agency,
        tier=offender.assessment.standing.tiers[report.incident_id],
        policy=policy.ref,
        outreach=ReferralOutreach.LISTED if found.listed else ReferralOutreach.OPENED,
        purpose=person.purpose,
        mutual=found.mutual,
        homicide=person.homicide,
        conflict_of_interest=conflict,
        occurred_at=report.occurred_at,
        arrested_at=report.arrest.arrested_at if report.arrest else None,
        bulk=report.bulk,
    )


def _referrals(
    was: Mapping[str, ReferralOpened], now: Mapping[str, ReferralOpened], after: Offender, what: About, given: Input
) -> Iterator[Outgoing]:
    for key, one in was.items():
        if key not in now:
            ended = ReferralWithdrawn(
                referral_id=key, pair_id=one.pair_id, offender_id=one.offender_id, victim_no=one.victim_no
            )
            expunged = what.expunged and one.pair_id == what.pair(after)
            yield _said(ended, Topic.REFERRALS, what, None if expunged else one.pair_id, given, key)
    for key, one in now.items():
        known = was.get(key)
        if known is None:
            yield _said(one, Topic.REFERRALS, what, one.pair_id, given, key)
        elif known is not one:
            amended = ReferralAmended(**{name: getattr(one, name) for name in Referral.model_fields})
            yield _said(amended, Topic.REFERRALS, what, one.pair_id, given, key)


# current tier --------------------------------------------------------------------------------------------------------


def _current(after: Offender, policy: Policy) -> TierCurrent | None:
    tier = shared_tier(after)
    if tier is None or after.since is None:
        return None
    return TierCurrent(offender_id=after.offender_id, tier=tier, since=after.since, policy_version=policy.version)


def _tier(was: TierCurrent | None, now: TierCurrent | None, given: Input) -> Iterator[Outgoing]:
    """Partners learn the tier and nothing else: neither incident nor cause."""
    told = now or was
    if was != now and told is not None:
        event = caused_by(given, SOURCE, told, Topic.TIERS, told.offender_id, subject=told.offender_id)
        yield Outgoing(Topic.TIERS, replace(event, correlationid=None, causationid=None), tombstone=now is None)


def _said(
    data: OffenderDecided | ReferralOpened | ReferralAmended | ReferralWithdrawn,
    topic: Topic,
    what: About,
    key: str | None,
    given: Input,
    *parts: str,
) -> Outgoing:
    event = caused_by(given, SOURCE, data, topic, data.offender_id, *parts, subject=data.offender_id)
    correlation = what.correlation if what.incident_id else event.correlationid
    return Outgoing(topic, replace(event, correlationid=correlation), about=key)
