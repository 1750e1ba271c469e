"""Referrals: one for every partner of an incident that stands, whatever the tier; said by difference to what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from schemas.envelope import referral_id
from schemas.policy import Policy
from schemas.referral import Referral, ReferralAmended, ReferralOpened, ReferralOutreach, ReferralWithdrawn
from services.classifier.domain import Finding, Offender, ReferralKey, Referred
from services.classifier.usecases.deciding import has_conflict

Said = ReferralOpened | ReferralAmended | ReferralWithdrawn


def wanted(before: Offender, after: Offender, policy: Policy) -> Mapping[ReferralKey, ReferralOpened]:
    """In walk order. What has not changed is the same object as before."""
    conflict = has_conflict(after)
    fresh = conflict is not has_conflict(before)
    was, now = before.assessment, after.assessment
    referrals: dict[ReferralKey, ReferralOpened] = {}
    for incident_id, tier in now.standing.tiers.items():
        found = now.findings[incident_id]
        changed = fresh or was.findings.get(incident_id) is not found or was.standing.tiers.get(incident_id) is not tier
        for person in found.referred:
            key = (incident_id, person.victim_no)
            known = before.referrals.get(key)
            if known is None or changed or known.policy.digest != policy.digest:
                made = _referral(after, found, person, policy, conflict=conflict)
                known = known if known == made and known is not None else made
            referrals[key] = known
    return referrals


def differences(
    was: Mapping[ReferralKey, ReferralOpened],
    now: Mapping[ReferralKey, ReferralOpened],
    gone_to: Callable[[str], str | None],
) -> Iterator[Said]:
    """What is to be said, so that who heard the one knows the other. `gone_to`: incident to whose it is now."""
    for key, one in was.items():
        if key not in now:
            yield ReferralWithdrawn(
                referral_id=one.referral_id,
                pair_id=one.pair_id,
                offender_id=one.offender_id,
                victim_no=one.victim_no,
                moved_to=gone_to(one.incident_id),
            )
    for key, one in now.items():
        known = was.get(key)
        if known is None:
            yield one
        elif known is not one:
            yield ReferralAmended(**{name: getattr(one, name) for name in Referral.model_fields})


_OF_THE_GATE = ("victim_id", "outreach", "purpose", "homicide", "tier", "occurred_at")
"""What a gate rests on, of a referral: where only the rest changes, no notice waits for it."""


def asking(before: Offender, after: Offender, now: Mapping[ReferralKey, ReferralOpened]) -> Offender:
    """`after`, with a new number for every pair for which a notice waits and of which something changes for the gate."""
    was = before.referrals
    changed = {one.pair_id for key, one in was.items() if key not in now}
    changed |= {one.pair_id for key, one in now.items() if _is_news(was.get(key), one)}
    number = before.last_asking + 1
    askings = {
        one.pair_id: number if one.pair_id in changed else before.askings[one.pair_id]
        for one in now.values()
        if one.waits and (one.pair_id in changed or one.pair_id in before.askings)
    }
    last = number if number in askings.values() else before.last_asking
    return replace(after, askings=askings, last_asking=last)


def _is_news(was: ReferralOpened | None, now: ReferralOpened) -> bool:
    return was is not now and (was is None or any(getattr(was, name) != getattr(now, name) for name in _OF_THE_GATE))


def numbered(told: Sequence[Said], before: Offender, after: Offender) -> list[Said]:
    """The last that is said of a pair carries its new number: who has worked that one has worked all."""
    new = {pair: number for pair, number in after.askings.items() if before.askings.get(pair) != number}
    last = {one.pair_id: place for place, one in enumerate(told)}
    return [
        one.model_copy(update={"asking": new[one.pair_id]})
        if one.pair_id in new and last[one.pair_id] == place
        else one
        for place, one in enumerate(told)
    ]


def _referral(
    offender: Offender, found: Finding, person: Referred, policy: Policy, *, conflict: bool
) -> ReferralOpened:
    report = found.report
    pair = offender.pair(report.incident_id)
    return ReferralOpened(
        referral_id=referral_id(pair, person.victim_no),
        pair_id=pair,
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
