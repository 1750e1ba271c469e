"""What a county's policy asks of notices, in the terms the notifier decides in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from schemas.calendar import BusinessHours
from schemas.classification import Tier
from schemas.notification import Channel
from schemas.policy import Policy
from schemas.policy_notices import Notices
from services.common.calendar import Calendar
from services.notifier.domain import Notice, Wording

_NOT_IN_HAND = frozenset({Channel.MAIL, Channel.PHONE, Channel.CALL_IN})
_FALLBACK = Channel.LETTER_IN_HAND
_LEAST_SHARE = 3
"""Releases an hour that one lane may always make: so many at once are chance, and no history load."""


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """Channels per tier, the preferred first; a tier that is not there calls for no notice."""

    channels: Mapping[Tier, Sequence[Channel]]
    releases_per_hour: int
    """Of one lane; what would be more waits for a person (`DOMAIN.md` 6.10)."""
    notices: Notices = field(default_factory=Notices)
    zone: str = "UTC"
    agency_zones: Mapping[str, str] = field(default_factory=dict)
    wordings: Callable[[Notice], Wording | None] = lambda _: None
    """The county's template for a notice; None: there are no letters."""
    hours: BusinessHours = field(default_factory=BusinessHours)
    digest: str | None = None
    earlier: Callable[[str], NoticePolicy] | None = None
    """By digest, those that were in force in some lane; None: there were none."""

    def then(self, digest: str | None) -> NoticePolicy:
        """That under which a clock began to run: another policy in force gives nobody more time, and takes none away."""
        return self if digest in (None, self.digest) or self.earlier is None else self.earlier(digest)

    def calendar(self, agency: str | None) -> Calendar:
        """Office hours where the agency is."""
        return Calendar(ZoneInfo(self.agency_zones.get(agency or "", self.zone)), self.hours)

    @property
    def again(self) -> timedelta:
        """How long after a call the next is made."""
        return timedelta(hours=self.notices.repeat_hours)

    def wording(self, notice: Notice) -> Wording | None:
        """What it is made from now. Where the policy does not ask for signatures, any may be used."""
        found = self.wordings(notice)
        return found if found is None or self.notices.signed_templates_only else replace(found, signed=True)

    def calls_for(self, tier: Tier | None) -> bool:
        return tier in self.channels

    def channel(self, tier: Tier, *, in_custody: bool, unannounced: bool) -> Channel:
        """How the notice is given: in custody at the jail, whatever the tier.

        D, and what he has not been told of by police, goes into his hand and never by mail or phone: anyone in the home
        could open or answer it (`DESIGN.md` 6, `DOMAIN.md` 3).
        """
        if in_custody:
            return Channel.CUSTODY_VISIT
        shut = {Channel.CUSTODY_VISIT} | (_NOT_IN_HAND if tier is Tier.D or unannounced else set())
        return next((channel for channel in self.channels.get(tier, ()) if channel not in shut), _FALLBACK)


def notice_policy(policy: Policy, lanes: int) -> NoticePolicy:
    """The notifier's part of a county's policy. A lane sees only its own releases, so each has a share of the limit."""
    return NoticePolicy(
        channels={tier: response.offender.channels for tier, response in policy.tiers.items() if response.offender},
        releases_per_hour=max(_LEAST_SHARE, math.ceil(policy.releases_per_hour / lanes)),
        notices=policy.notices,
        zone=policy.time_zone,
        agency_zones=policy.agency_time_zones,
        hours=policy.business_hours,
        digest=policy.digest,
    )
