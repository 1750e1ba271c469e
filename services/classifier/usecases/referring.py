"""Referrals: one for every partner of an incident that stands, whatever the tier; said by difference to what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

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
    gone_to: Callable[[str], str | None] = lambda _: None,
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
