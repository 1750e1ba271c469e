"""How she may be reached now. Of two profiles of one woman the stricter holds; permissions run out, prohibitions do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from schemas.advocacy import ContactSafety
from schemas.calendar import Weekday
from schemas.outreach import AttemptOutcome, ContactChannel
from services.victim_outreach.domain import Attempt, HoursEntry, Profile

SEEN_AT_HOME = frozenset({ContactChannel.VOICEMAIL, ContactChannel.TEXT, ContactChannel.EMAIL, ContactChannel.MAIL})
"""Ways that leave something for others to find: shut until she has said that they are safe (`DESIGN.md` 6)."""
SENT = frozenset({ContactChannel.TEXT, ContactChannel.EMAIL})
"""Ways a message can take by itself."""
NOT_SHE = frozenset({AttemptOutcome.WRONG_CONTACT, AttemptOutcome.OTHER_PERSON})
"""What shuts a way until she is asked of that way anew."""
_STRICTEST_FIRST = (ContactSafety.UNSAFE, ContactSafety.UNKNOWN, ContactSafety.SAFE)


class Use(StrEnum):
    """What whoever sees no more than this may do with a way to reach her."""

    OPEN = "open"
    """At some hour of the day."""
    SHUT = "shut"
    ASK_FIRST = "ask_first"
    """Nobody has asked her of it whose records these are: what others were told may forbid it."""


class Known(StrEnum):
    """What she said of a way, as far as it may be seen."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"
    """She was asked; or what she allowed has run out."""
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class SafeContact:
    """What all of her profiles, and what was found out since, come to."""

    no_contact: bool
    channels: Mapping[ContactChannel, ContactSafety]
    hours: tuple[tuple[HoursEntry, ...], ...]
    """Of each profile that names any; a moment must fall within those of each."""
    asked: frozenset[ContactChannel]
    """Ways she was asked of, or that were found to be another's."""

    def permits(self, channel: ContactChannel, at: datetime, zone: tzinfo) -> bool:
        """Whether she may be reached this way at this moment."""
        return self.is_open(channel) and all(within(hours, at, zone) for hours in self.hours)

    def is_open(self, channel: ContactChannel) -> bool:
        """Whether she may be reached this way at some time of the day."""
        if self.no_contact:
            return False
        safety = self.channels[channel]
        return safety is ContactSafety.SAFE or (safety is ContactSafety.UNKNOWN and channel not in SEEN_AT_HOME)

    def known(self, channel: ContactChannel) -> Known:
        return Known(self.channels[channel]) if channel in self.asked else Known.NOT_ASKED

    def use(self, channel: ContactChannel) -> Use:
        """What to tell a reader who may not see all there is of her: what nobody asked her of is not open."""
        if not self.is_open(channel):
            return Use.SHUT
        return Use.OPEN if channel in self.asked else Use.ASK_FIRST


def safe_contact(profiles: Iterable[Profile], attempts: Iterable[Attempt], now: datetime) -> SafeContact:
    """`attempts`: on whichever task of hers. A wrong number, or somebody else there, shuts a way until she is asked of it."""
    known, tried = list(profiles), list(attempts)
    valid = [profile for profile in known if now < profile.valid_until]
    return SafeContact(
        no_contact=any(profile.no_contact for profile in known),
        channels={channel: _strictest(channel, known, valid, tried) for channel in ContactChannel},
        hours=tuple(profile.hours for profile in valid if profile.hours),
        asked=frozenset(
            channel
            for channel in ContactChannel
            if any(profile.names(channel) for profile in known) or _is_anothers(channel, known, tried)
        ),
    )


def looser(theirs: SafeContact, hers: SafeContact) -> tuple[ContactChannel, ...]:
    """Ways that who knows `theirs` may take, and that are shut, or not open at every such hour, by `hers`."""
    later = not set(hers.hours) <= set(theirs.hours)
    ways = (channel for channel in ContactChannel if theirs.use(channel) is not Use.SHUT)
    return tuple(channel for channel in ways if later or hers.use(channel) is Use.SHUT)


def _is_anothers(channel: ContactChannel, known: Sequence[Profile], tried: Sequence[Attempt]) -> bool:
    asked_at = max((profile.recorded_at for profile in known if profile.names(channel)), default=None)
    return any(
        attempt.channel is channel
        and attempt.outcome in NOT_SHE
        and (asked_at is None or attempt.recorded_at > asked_at)
        for attempt in tried
    )


def _strictest(
    channel: ContactChannel, known: Sequence[Profile], valid: Sequence[Profile], tried: Sequence[Attempt]
) -> ContactSafety:
    if _is_anothers(channel, known, tried) or any(profile.says(channel) is ContactSafety.UNSAFE for profile in known):
        return ContactSafety.UNSAFE
    said = {profile.says(channel) for profile in valid}
    return next((safety for safety in _STRICTEST_FIRST if safety in said), ContactSafety.UNKNOWN)


def address_of(profiles: Iterable[Profile], channel: ContactChannel, now: datetime) -> str | None:
    """Where a message may go: where she said last, while that holds. Never where police found her."""
    said = [one for one in profiles if now < one.valid_until and one.says(channel) is ContactSafety.SAFE]
    told = [(one.recorded_at, address) for one in said if (address := one.address(channel)) is not None]
    return max(told)[1] if told else None


def within(hours: Iterable[HoursEntry], at: datetime, zone: tzinfo) -> bool:
    """Whether a moment falls into safe hours. A span that ends before it starts runs past midnight."""
    local = at.astimezone(zone)
    clock = f"{local:%H:%M}"
    today, yesterday = _day(local), _day(local - timedelta(days=1))
    for days, start, end in hours:
        if start < end:
            if today in days and start <= clock < end:
                return True
        elif (today in days and clock >= start) or (yesterday in days and clock < end):
            return True
    return False


def _day(local: datetime) -> Weekday:
    return list(Weekday)[local.weekday()]
