"""What follows from a changed history: referrals, the decision, the current tier."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.classification import OffenderDecided, Tier, TierCurrent
from schemas.commands import NotedVictim
from schemas.envelope import Data, Event, deterministic_id, pair_id, referral_id
from schemas.policy import Policy
from schemas.referral import ReferralOpened, ReferralPurpose, ReferralWithdrawn
from schemas.topics import Topic
from services.classifier.domain import (
    Assessment,
    Decided,
    Finding,
    History,
    Offender,
    ReferralKey,
    Standing,
    assess,
    court,
    history,
    lapses,
)
from services.classifier.terms import Terms
from services.classifier.usecases import referring
from services.classifier.usecases.deciding import About, about, decision, is_published, takes_over
from services.classifier.usecases.reviewing import ALSO, reviews
from services.common.service import Input, Outcome, Outgoing, Redaction, caused_by

SOURCE = "/ipvi/classifier"
TELLING = 6
"""How long an arrest's number must be to be looked for in dead letters that nobody could read: a shorter one is in many."""


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
    draft, words = tidied(draft, terms)
    digest = terms.policy.digest
    known = (before.history, before.assessment) if before.policy == digest else None
    assessment = assess(draft.offender_id, draft.history, terms.policy, terms.fire, known)
    standing = assessment.standing
    after = replace(
        draft,
        assessment=assessment,
        policy=digest,
        tier=standing.tier,
        since=standing.since,
        current=_current(draft.offender_id, standing, terms.policy),
        reviews=reviews(before, draft, assessment, given.at),
        wake_at=_wake_at(draft.history, assessment, terms.policy),
    )
    what = what or about(event.data, after)
    referrals = referring.wanted(before, after, terms.policy)
    after = referring.asking(before, after, referrals)
    gone = _gone(before, after, what)
    said = [
        *_referrals(before, after, referrals, what, gone.pairs, given, terms),
        *_tier(before, after, given),
        *more,
        *_victims(before.referrals, referrals, before.offender_id, given),
    ]
    told = list(_decisions(before, after, event, given, terms, what))
    decisions = {key: one for key, one in after.decisions.items() if one.pair_id not in gone.pairs}
    last = max((one.place for one in decisions.values()), default=0)
    for place, (data, one) in enumerate(told, start=last + 1):
        kept = Decided.of(data, place)
        decisions[data.decision_id] = replace(kept, pair_id=None) if one.expunged else kept
    first = [_said(given, Topic.DECISIONS, data, one, one.key(after), *one.parts) for data, one in told]
    return Outcome(
        replace(after, referrals=referrals, decisions=decisions if told or gone.pairs else after.decisions),
        (*first, *said),
        erase=(*gone.pairs, *words),
        redact=gone.redactions,
    )


def tidied(offender: Offender, terms: Terms) -> tuple[Offender, tuple[str, ...]]:
    """Without what a court has said of expunged matters, and by what each word is found that was passed on.

    While a hand-over goes on they may be another incident's too.
    """
    kept = offender.history if offender.pending else history.tidied(offender.history, terms.seal)
    if kept is offender.history:
        return offender, ()
    gone = (matter for _, matter in offender.history.records.keys() - kept.records.keys())
    return replace(offender, history=kept), tuple(sorted(court.sealed(each, terms.seal) for each in gone))


def _decisions(
    before: Offender, after: Offender, event: Event[Data], given: Input, terms: Terms, what: About
) -> Iterator[tuple[OffenderDecided, About]]:
    """The record's own, and one for every other pair that it opens, on which a person is to look, or whose charges it turns:
    each must be told.

    The first says what became of the tier; those after it keep it.
    """
    if not (is_published(before, after, given.event) or what.leaves(before) or takes_over(before, after, what)):
        return
    besides = list(_besides(before, after, what))
    turned = [incident_id for incident_id in _turned(before, after) if incident_id not in {what.incident_id, *besides}]
    others = [
        About(incident_id, bulk=what.bulk, besides=True, of_order=what.expunged) for incident_id in (*besides, *turned)
    ]
    if what.pair(after) is None and what.merged_offender_id is None and besides:
        what = replace(others.pop(0), besides=False)
    yield decision(before, after, event, given.event, given.at, terms.policy, what), what
    for one in others:
        yield decision(after, after, event, given.event, given.at, terms.policy, one, before), one


def _besides(before: Offender, after: Offender, what: About) -> Iterator[str]:
    """In walk order: incidents that qualify since another policy is in force, and those with a new review `also_victim`."""
    looked_at = {subject for subject, code in after.reviews.keys() - before.reviews.keys() if code is ALSO}
    for incident_id in after.assessment.standing.tiers:
        found, was = after.assessment.findings[incident_id], before.assessment.findings.get(incident_id)
        opens = found.qualifies and not found.listed and not (was is not None and was.qualifies)
        if incident_id != what.incident_id and (incident_id in looked_at or (opens and before.policy != after.policy)):
            yield incident_id


def _turned(before: Offender, after: Offender) -> Iterator[str]:
    """In walk order: incidents that qualify as before and are charged now, or no more, by other statutes, or off the ladder
    or on it. A court's word is on every incident of its arrest, another policy on all."""
    for incident_id in after.assessment.standing.tiers:
        found, was = after.assessment.findings[incident_id], before.assessment.findings.get(incident_id)
        if found is not was and was is not None and was.qualifies and found.qualifies and _told(found) != _told(was):
            yield incident_id


def _told(found: Finding) -> tuple[object, ...]:
    """What others know of an incident by the decision on it alone, and a record of another incident may change."""
    return found.charges > 0, found.statutes, found.on_ladder


def _wake_at(history: History, assessment: Assessment, policy: Policy) -> datetime | None:
    """When a raise ends, or a suspicion that nobody has validated is to go."""
    moments = [one.data.until for one in history.acts("raise")]
    moments += lapses(history, assessment.findings.values(), assessment.standing, policy).values()
    return min(moments, default=None)


def _victims(
    was: Mapping[ReferralKey, ReferralOpened], now: Mapping[ReferralKey, ReferralOpened], him: str, given: Input
) -> Iterator[Outgoing]:
    """To the lane of each partner, should she be known as an offender herself: that she was hurt, never by whom."""
    if was is now:
        return
    before, after = _partners(was, him), _partners(now, him)
    for person in sorted(before ^ after):
        data = NotedVictim(
            offender_id=person, case=deterministic_id("victim-of", him, person), withdrawn=person not in after
        )
        event = caused_by(given, SOURCE, data, Topic.CLASSIFIER_COMMANDS, him, person, subject=person)
        event = replace(event, correlationid=None, causationid=None)
        yield Outgoing(Topic.CLASSIFIER_COMMANDS, event, other_lane=True)


def _partners(referrals: Mapping[ReferralKey, ReferralOpened], him: str) -> set[str]:
    return {
        one.victim_id
        for one in referrals.values()
        if one.victim_id and one.victim_id != him and one.purpose is ReferralPurpose.OUTREACH
    }


def _referrals(
    before: Offender,
    after: Offender,
    referrals: Mapping[ReferralKey, ReferralOpened],
    what: About,
    erase: Collection[str],
    given: Input,
    terms: Terms,
) -> Iterator[Outgoing]:
    """The last word on an expunged pair has to go out: it is not among what is erased. There is one in any case.

    What is purged for its age ends no help she has: nothing is said of her.
    """
    told = list(
        referring.differences(before.referrals, referrals, lambda incident_id: _moved_to(after, incident_id, terms))
    )
    if what.purged:
        told = [data for data in told if not isinstance(data, ReferralWithdrawn)]
    own = what.pair(before) if what.leaves(before) else None
    if own is not None and not any(data.pair_id == own for data in told):
        told.append(
            ReferralWithdrawn(referral_id=referral_id(own, 1), pair_id=own, offender_id=before.offender_id, victim_no=1)
        )
    for data in referring.numbered(told, before, after):
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


def _tier(before: Offender, after: Offender, given: Input) -> Iterator[Outgoing]:
    """Of the tier nothing else is told: neither incident nor cause. It bears the opaque pair of the incident that gave it,
    whose time it tells, so that all who keep it find it when that is expunged; said once more where another gives the same."""
    was, now = before.current, after.current
    told = now or was
    if told is not None and (was != now or _since_pair(before) != _since_pair(after)):
        event = caused_by(given, SOURCE, told, Topic.TIERS, told.offender_id, subject=told.offender_id)
        pair = _since_pair(after) if now is not None else None
        event = replace(event, correlationid=pair, causationid=None)
        yield Outgoing(Topic.TIERS, event, pair, tombstone=now is None)


def _since_pair(offender: Offender) -> str | None:
    since_by = offender.assessment.standing.since_by
    return offender.pair(since_by) if since_by is not None else None


def _said(given: Input, topic: Topic, data: Data, what: About, key: str | None, *parts: str) -> Outgoing:
    """The incident is named by its opaque pair alone: a header outlives the rows that an expunction finds.

    Of an expunction not even the agency's own id of the order is passed on, which may hold the incident's number.
    """
    offender_id: str = getattr(data, "offender_id")  # noqa: B009 (every event said here has one)
    event = caused_by(given, SOURCE, data, topic, offender_id, *parts, subject=offender_id)
    correlation = pair_id(what.incident_id, offender_id) if what.incident_id else what.pair_id
    causation = None if what.expunged or what.of_order else event.causationid
    return Outgoing(topic, replace(event, correlationid=correlation, causationid=causation), about=key)


@dataclass(frozen=True, slots=True)
class Gone:
    """What must be erased: whatever is about these pairs, and every other mention of the incidents."""

    pairs: tuple[str, ...]
    redactions: tuple[Redaction, ...]


def _gone(before: Offender, after: Offender, what: About) -> Gone:
    """Every pair under which something may have been said of what is expunged, here or where it came from."""
    gone = {*what.purged, *({what.incident_id} if what.expunged and what.incident_id else set[str]())}
    if after.history.expunged is not before.history.expunged:
        gone |= before.history.strands.keys() - after.history.strands.keys()
    names = {incident_id: names_of(before, incident_id) for incident_id in gone}
    pairs = {pair_id(incident_id, name) for incident_id, told in names.items() for name in told}
    own = {what.pair_id} if what.expunged and what.pair_id else set[str]()
    arrests = court.arrests(before.history.matters(gone))
    if arrests:
        arrests -= court.arrests(after.history.matters())
    return Gone(
        tuple(sorted(pairs | own)),
        (
            *(Redaction(tuple(sorted(names[incident_id])), incident_id) for incident_id in sorted(gone)),
            *(Redaction((), arrest) for arrest in sorted(arrests) if len(arrest) >= TELLING),
        ),
    )


def names_of(offender: Offender, incident_id: str) -> set[str]:
    """Every offender id under which something may have been said of the incident."""
    told_as = {strand.reported_as for strand in offender.history.strands.get(incident_id, ())}
    return {offender.offender_id, *offender.absorbed, *told_as}
