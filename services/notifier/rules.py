"""What a county's policy asks of notices, in the terms the notifier decides in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.classification import Tier
from schemas.notification import Channel

_NOT_IN_HAND = frozenset({Channel.MAIL, Channel.PHONE, Channel.CALL_IN})
_FALLBACK = Channel.LETTER_IN_HAND


@dataclass(frozen=True, slots=True)
class NoticePolicy:
    """Channels per tier, the preferred first; a tier that is not there calls for no notice."""

    channels: Mapping[Tier, Sequence[Channel]]

    def calls_for(self, tier: Tier | None) -> bool:
        return tier in self.channels

    def channel(self, tier: Tier, *, in_custody: bool, unannounced: bool) -> Channel:
        """How the notice is given: in custody at the jail, whatever the tier.

        D, and what he has not been told of by police, goes into his hand and never by mail or phone: anyone in the home
        could open or answer it (`DESIGN.md` 6, `DOMAIN.md` 3).
        """
        allowed = [
            channel
            for channel in self.channels.get(tier, ())
            if not ((tier is Tier.D or unannounced) and channel in _NOT_IN_HAND)
        ]
        if in_custody and Channel.CUSTODY_VISIT in allowed:
            return Channel.CUSTODY_VISIT
        return next((channel for channel in allowed if channel is not Channel.CUSTODY_VISIT), _FALLBACK)
