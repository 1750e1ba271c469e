"""What advocates record around a case. Nothing of it leaves this service; what is free text or an address is in no `repr`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from schemas.advocacy import (
    ConsentRecipient,
    ConsentScope,
    ContactSafety,
    MessageOutcome,
    MessageText,
    ScreenResult,
)
from schemas.classification import Tier
from schemas.outreach import CaseCloseReason, ContactChannel, TaskOwner

ChannelEntry = tuple[ContactChannel, ContactSafety, str | None]
"""Channel, what she said of it, and where."""
HoursEntry = tuple[tuple[str, ...], str, str]
"""Days of the week, start, end."""


@dataclass(frozen=True, slots=True)
class Case:
    """One victim of one offender, over all incidents. Opened by the first referral, closed by a person."""

    case_id: str
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    close_reason: CaseCloseReason | None = None
    openings: int = 1


@dataclass(frozen=True, slots=True)
class Closing:
    """A closed case, as told to another lane. Of what else there is of her over there it says nothing."""

    case: Case
    tiers: Mapping[str, Tier | None]
    """The gravest of each referral that it was closed with and that is still here, by its id over there."""
    moved: tuple[str, ...]
    """Ids of those that have gone there before."""
    late: bool
    """Closed on a page that was open still when she had gone: then what was open there of these is meant."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How she may be reached, as she last told people of one owner. Its permissions run out, its prohibitions do not."""

    case_id: str
    owner: TaskOwner
    version: int
    channels: tuple[ChannelEntry, ...] = field(repr=False)
    hours: tuple[HoursEntry, ...] = field(repr=False)
    no_contact: bool
    instructions: str | None = field(repr=False)
    language: str | None
    valid_until: datetime
    recorded_at: datetime
    by: str

    def says(self, channel: ContactChannel) -> ContactSafety:
        """What she said of this way; of a way nobody asked about nothing is known."""
        return next(
            (ContactSafety(safety) for one, safety, _ in self.channels if one == channel), ContactSafety.UNKNOWN
        )

    def names(self, channel: ContactChannel) -> bool:
        """Whether she was asked of this way."""
        return any(one == channel for one, _, _ in self.channels)

    def address(self, channel: ContactChannel) -> str | None:
        return next((address for one, _, address in self.channels if one == channel), None)


def _stricter(older: Profile, newer: Profile) -> Profile:
    """Of two profiles of one case and owner, the later, with what either forbids."""
    forbidden = {entry[0]: entry for entry in older.channels if entry[1] == ContactSafety.UNSAFE}
    channels = [entry for entry in newer.channels if entry[0] not in forbidden]
    both = replace(
        newer,
        channels=(*channels, *forbidden.values()),
        no_contact=older.no_contact or newer.no_contact,
        version=max(older.version, newer.version),
    )
    known = any(replace(both, version=one.version) == one for one in (older, newer))
    return both if known else replace(both, version=both.version + 1)


def with_profiles(
    known: Mapping[tuple[str, TaskOwner], Profile], told: Iterable[Profile]
) -> Mapping[tuple[str, TaskOwner], Profile]:
    """Beside those that are known; of two of one case and owner the stricter."""
    profiles = dict(known)
    for one in told:
        key = (one.case_id, one.owner)
        other = profiles.get(key)
        profiles[key] = one if other is None else _stricter(*sorted((one, other), key=lambda each: each.recorded_at))
    return profiles


@dataclass(frozen=True, slots=True)
class ToldProfile(Profile):
    """One that is kept with another offender. `case_id`: as hers with him would be, had she this id alone."""

    from_case_id: str
    victim_id: str


@dataclass(frozen=True, slots=True)
class Screen:
    """One lethality screen an advocate did."""

    case_id: str
    number: int
    owner: TaskOwner
    answers: tuple[str, ...] = field(repr=False)
    believed: bool
    result: ScreenResult
    recorded_at: datetime
    by: str


def with_screens(known: Mapping[tuple[str, int], Screen], told: Iterable[Screen]) -> Mapping[tuple[str, int], Screen]:
    """Beside those that are known, numbered on; what says the same of the same moment by the same person, once."""
    screens = dict(known)
    for one in told:
        hers = [each for each in screens.values() if each.case_id == one.case_id]
        if not any(replace(one, number=each.number) == each for each in hers):
            number = 1 + max((each.number for each in hers), default=0)
            screens[one.case_id, number] = replace(one, number=number)
    return screens


@dataclass(frozen=True, slots=True)
class Consent:
    """One thing she allowed in writing to be told, to whom, until when."""

    consent_id: str
    case_id: str
    owner: TaskOwner
    scope: ConsentScope
    recipient: ConsentRecipient
    named: str = field(repr=False)
    given_at: datetime
    until: datetime
    by: str
    revoked_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.until


@dataclass(frozen=True, slots=True)
class Link:
    """A person's word that two victim ids are one woman."""

    victim_id: str
    other_victim_id: str
    linked_at: datetime
    by: str
    ended_at: datetime | None = None
    ended_by: str | None = None

    @property
    def holds(self) -> bool:
        return self.ended_at is None

    @property
    def said_at(self) -> datetime:
        """When the last word on it was given; the same in every lane it was told to."""
        return self.ended_at or self.linked_at


def last_word(links: Iterable[Link]) -> Link:
    """Of what lanes keep of one pair, what was said last; that they are two, if both at once."""
    return max(links, key=lambda one: (one.said_at, not one.holds))


@dataclass(frozen=True, slots=True)
class Message:
    """One message an advocate asked to be sent to her; without an outcome it is on its way, or waits to be."""

    message_id: str
    task_id: str
    case_id: str
    channel: ContactChannel
    text: MessageText
    language: str
    by: str
    asked_at: datetime
    outcome: MessageOutcome | None = None
    code: str | None = None
    ended_at: datetime | None = None
