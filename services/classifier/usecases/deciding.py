"""The decision on one record: what an offender's standing was, what it is, and what the difference amounts to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson

from schemas.classification import Change, OffenderDecided, Outreach, ReviewCode
from schemas.commands import Adopt, Forget, OpenListed
from schemas.envelope import Data, Event, deterministic_id, from_json_line, pair_id
from schemas.incident import (
    CaseDisposed,
    IncidentExpunged,
    IncidentReported,
    IncidentRetracted,
    OffenderMerged,
)
from schemas.notification import NotificationServed, NotificationWithdrawn
from schemas.policy import Policy
from schemas.rejects import InvalidRecord
from schemas.reviews import ReviewCommand
from services.classifier.domain import Finding, Offender, Seal, court


@dataclass(frozen=True, slots=True)
class About:
    """What a record is about, as its decision says it."""

    incident_id: str | None = None
    expunged: bool = False
    """No id of the incident may leave any more but the opaque one of the pair."""
    agency: str | None = None
    merged_offender_id: str | None = None
    pair_id: str | None = None
    """Where the pair is known and the incident is not: it was expunged, and the order came by way of another record."""

    bulk: bool = False
    """One of many at once: what follows for him waits for a person."""
    purged: frozenset[str] = frozenset()
    """Suspicions that went for their age."""
    besides: bool = False
    """Not what the record is about, but what follows from it for another pair."""
    of_order: bool = False
    """Follows from an expunction: nothing may name its order."""

    @property
    def parts(self) -> tuple[str, ...]:
        """What sets the event apart from others of one record."""
        return (self.incident_id or "",) if self.besides else ()

    def pair(self, offender: Offender) -> str | None:
        return offender.pair(self.incident_id) if self.incident_id else self.pair_id

    def key(self, offender: Offender) -> str | None:
        """By what the record's events are found when the incident is expunged. The expunction's own must go out."""
        return None if self.expunged else self.pair(offender)

    @property
    def named(self) -> str | None:
        """The incident, where it may be named."""
        return None if self.expunged else self.incident_id

    def leaves(self, before: Offender) -> bool:
        """Whether an expunction ends something that others were told of, or that was kept."""
        if not self.expunged:
            return False
        told = self.pair(before)
        return self.incident_id in before.history.strands or any(
            one.pair_id == told for one in before.decisions.values()
        )


def about(data: Data, offender: Offender) -> About:
    """A court's word is about the first incident, in walk order, that its arrest was made for."""
    match data:
        case IncidentReported() | IncidentRetracted():
            return About(data.incident_id, agency=data.agency)
        case IncidentExpunged():
            return About(data.incident_id, agency=data.agency, expunged=True)
        case OpenListed() | ReviewCommand():
            return About(data.incident_id)
        case OffenderMerged():
            return About(merged_offender_id=data.merged_offender_id)
        case CaseDisposed():
            return next((About(each.incident_id) for each in _tried(data, offender)), About())
        case _:
            return About()


def _tried(data: CaseDisposed, offender: Offender) -> list[Finding]:
    found = [
        each
        for each in offender.assessment.findings.values()
        if each.arrest_id == data.arrest_id and any(offense.code == data.charge for offense in each.report.offenses)
    ]
    return sorted(found, key=lambda each: each.place)


def pair_of(data: Data) -> str | None:
    """The pair of the incident that a record names as its own, under the offender it names."""
    match data:
        case IncidentReported():
            return pair_id(data.incident_id, data.offender.offender_id)
        case Adopt():
            original = _original(data)
            return pair_of(original) if original is not None else None
        case Forget():
            return data.pair_id
        case _:
            incident_id, offender_id = getattr(data, "incident_id", None), getattr(data, "offender_id", None)
            return pair_id(incident_id, offender_id) if incident_id and offender_id else None


def _original(data: Adopt) -> Data | None:
    """None: a broken one."""
    try:
        return from_json_line(orjson.dumps(data.original)).data
    except InvalidRecord:
        return None


def about_of(data: Data, seal: Seal) -> str | None:
    """By what a record is found when an incident is expunged: the pair it names, or the sealed charge a court found on."""
    match data:
        case CaseDisposed():
            return court.sealed(court.matter(data.arrest_id, data.charge), seal)
        case Adopt() if (original := _original(data)) is not None:
            return about_of(original, seal)
        case _:
            return pair_of(data)


def decision(
    before: Offender,
    after: Offender,
    event: Event[Data],
    cause: Event[Data],
    at: datetime,
    policy: Policy,
    what: About | None = None,
    since: Offender | None = None,
) -> OffenderDecided:
    """Pure. `event` is the record of the history; `cause` the one that brought it, itself or a hand-over.

    `since`: what the reviews are newer than, if not `before`.
    """
    what = what or about(event.data, after)
    found = after.assessment.findings.get(what.incident_id or "")
    last = found or before.assessment.findings.get(what.incident_id or "")
    report = found.report if found is not None else None
    standing = after.assessment.standing
    return OffenderDecided(
        decision_id=deterministic_id("decision", cause.source, cause.id, after.offender_id, *what.parts),
        pair_id=what.pair(after),
        offender_id=after.offender_id,
        incident_id=what.named,
        tier=after.tier,
        previous_tier=before.tier,
        change=_change(before, after, what),
        rules=list(standing.rules),
        evidence=list(standing.evidence),
        review=raised(since or before, after),
        outreach=Outreach.OPENED if found is not None and found.qualifies and not found.listed else Outreach.NONE,
        mutual=found is not None and found.mutual,
        charged=found is not None and found.charges > 0,
        offender_informed=report.offender_informed if report is not None else None,
        statutes=list(found.statutes) if found is not None else [],
        arrested_at=report.arrest.arrested_at if report is not None and report.arrest is not None else None,
        conflict_of_interest=has_conflict(after),
        withdrawn_pair_ids=list(_withdrawn(before, after)),
        askings=dict(after.askings),
        merged_offender_id=what.merged_offender_id,
        merge_pending=bool(after.pending),
        challenged=after.history.challenged,
        raised_until=standing.raised_until,
        purged=bool(what.purged),
        tiers_served=list(after.history.tiers_served),
        policy=policy.ref,
        occurred_at=last.report.occurred_at if last is not None and not what.expunged else None,
        decided_at=at,
        agency=what.agency or (last.report.agency if last is not None else None),
        bulk=what.bulk or (report is not None and report.bulk),
    )


def _change(before: Offender, after: Offender, what: About) -> Change:
    """What was taken back before and is expunged now changes no tier, but must be told; so must a notice given."""
    found = change(before, after)
    told = what.leaves(before) or what.besides or _matters(before) != _matters(after) or takes_over(before, after, what)
    return Change.KEPT if found is Change.NONE and told else found


def takes_over(before: Offender, after: Offender, what: About) -> bool:
    """Whether he is known by one more record, though it brings nothing: the notifier asks what he was given under it."""
    ends = before.pending - after.pending
    return what.merged_offender_id not in (None, before.offender_id) and not ends


def _matters(offender: Offender) -> tuple[object, ...]:
    """What a decision says beside tier, incidents and reviews."""
    history, standing = offender.history, offender.assessment.standing
    return history.tiers_served, history.challenged, standing.raised_until, bool(offender.pending)


def change(before: Offender, after: Offender) -> Change:
    """What happened to the tier; `none` where the history is as it was."""
    if before.tier is after.tier:
        unchanged = (
            before.assessment.findings == after.assessment.findings and before.reviews.keys() == after.reviews.keys()
        )
        return Change.NONE if unchanged else Change.KEPT
    if before.tier is None:
        return Change.ENTERED
    if after.tier is None:
        return Change.REMOVED
    return Change.ESCALATED if after.tier.gravity > before.tier.gravity else Change.LOWERED


def is_published(before: Offender, after: Offender, cause: Event[Data]) -> bool:
    """Whether a qualifying incident, the tier, a review or what other routes go by has changed; or a notice was given that
    notifier does not know of.

    Of what it serves, or takes back, in the offender's own lane it need not be told.
    """
    served = before.history.tiers_served != after.history.tiers_served
    return (
        before.tier is not after.tier
        or (served and not isinstance(cause.data, NotificationServed | NotificationWithdrawn))
        or before.history.challenged is not after.history.challenged
        or before.assessment.standing.raised_until != after.assessment.standing.raised_until
        or before.reviews.keys() != after.reviews.keys()
        or bool(before.pending) is not bool(after.pending)
        or (has_conflict(before) is not has_conflict(after) and _has_partners(after))
        or any(one is not None and one.qualifies for pair in _changed(before, after) for one in pair)
    )


def raised(before: Offender, after: Offender) -> list[ReviewCode]:
    """Codes that are newly open, each once."""
    codes = {code for _, code in after.reviews.keys() - before.reviews.keys()}
    return [code for code in ReviewCode if code in codes]


def has_conflict(offender: Offender) -> bool:
    """It is the person who is a sworn officer or the like, whichever report said so."""
    return any(found.report.offender.conflict_of_interest for found in offender.assessment.findings.values())


def _has_partners(offender: Offender) -> bool:
    """Else nobody was told of him that it would be news to."""
    return any(found.qualifies for found in offender.assessment.findings.values())


def _changed(before: Offender, after: Offender) -> Iterator[tuple[Finding | None, Finding | None]]:
    was, now = before.assessment.findings, after.assessment.findings
    if was is now:
        return
    for incident_id in {**was, **now}:
        one, other = was.get(incident_id), now.get(incident_id)
        if one is not other and one != other:
            yield one, other


def _withdrawn(before: Offender, after: Offender) -> Iterator[str]:
    """Pairs that had a partner in them and have none now, in walk order."""
    ended = [one for one, other in _changed(before, after) if one and one.qualifies and not (other and other.qualifies)]
    for found in sorted(ended, key=lambda each: each.place):
        yield before.pair(found.incident_id)
