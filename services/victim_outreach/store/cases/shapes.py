"""What is shown of a case, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.advocacy import (
    ConsentRecipient,
    ConsentScope,
    ContactSafety,
    MessageOutcome,
    MessageText,
    ScreenResult,
)
from schemas.classification import Tier
from schemas.outreach import AttemptOutcome, CaseCloseReason, ContactChannel, GateState, TaskOwner
from services.victim_outreach.rules import Known, Use
from services.victim_outreach.store.lists import TaskLine


class ToDo(StrEnum):
    """What is to be done before a way is used of which nobody has asked her."""

    ASK_HER = "ask_her"
    """What is safe, first of all, and record it."""
    ASK_HER_ADVOCATE = "ask_her_advocate"
    """Whether she consents to let the agency know (`safe_contact` to `agency`): what others were told the reader may not see.
    Said to whoever may not see all, whether there is anything or not."""


class PoliceProfile(StrEnum):
    """What police know of how she may be reached: what she told them, and what she let them see."""

    NONE = "none"
    LOOSER = "looser"
    """Than what the reader sees: they may take a way that she has forbidden. Ask her for consent to tell them."""
    AS_STRICT = "as_strict"


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One case in a list."""

    case_id: str
    opened_at: datetime
    closed_at: datetime | None
    close_reason: CaseCloseReason | None
    openings: int


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One try to reach her."""

    task_id: str
    number: int
    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ReferralLine:
    """One incident of the case."""

    referral_id: str
    pair_id: str
    incident_id: str | None
    occurred_at: datetime | None
    tier: Tier | None
    mutual: bool
    homicide: bool
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """How police may reach her. A substitute address wins over any other (N.C.G.S. 15C)."""

    name: str | None
    contact: tuple[str, ...]
    language: str | None
    substitute_address: str | None
    lethality_screen: str | None


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One way to reach her, by the strictest word of what the reader may see."""

    channel: ContactChannel
    safety: Known
    use: Use


@dataclass(frozen=True, slots=True)
class SafeContactLine:
    """How she may be reached now. Not shown: the profiles themselves, which are below."""

    no_contact: bool
    channels: tuple[ChannelLine, ...]
    to_do: tuple[ToDo, ...]
    """Where nobody has asked her of some way whose records the reader may see."""


@dataclass(frozen=True, slots=True)
class PoliceLine:
    """How she may be reached as police see it, beside what the reader sees."""

    profile: PoliceProfile
    may_use: tuple[ContactChannel, ...]
    """Ways they may take, though they are shut by what she told, or not open at every such hour."""


@dataclass(frozen=True, slots=True)
class SaidLine:
    """What she said of one channel."""

    channel: ContactChannel
    safety: ContactSafety
    address: str | None


@dataclass(frozen=True, slots=True)
class HoursLine:
    """On these days, from `start` until before `end`, in the county's time zone."""

    days: tuple[str, ...]
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """What she told people of one owner."""

    owner: TaskOwner
    version: int
    channels: tuple[SaidLine, ...]
    hours: tuple[HoursLine, ...]
    no_contact: bool
    instructions: str | None
    language: str | None
    valid_until: datetime
    recorded_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ScreenLine:
    """One lethality screen by an advocate."""

    number: int
    answers: tuple[str, ...]
    believed: bool
    result: ScreenResult
    recorded_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """One written consent."""

    consent_id: str
    scope: ConsentScope
    recipient: ConsentRecipient
    named: str
    given_at: datetime
    until: datetime
    revoked_at: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message. No outcome: on its way, or waiting to be; `unknown`: not known whether it left."""

    message_id: str
    task_id: str
    channel: ContactChannel
    text: MessageText
    language: str
    by: str
    asked_at: datetime
    outcome: MessageOutcome | None
    code: str | None


@dataclass(frozen=True, slots=True)
class LinkLine:
    """Another id of hers, by a person's word."""

    victim_id: str
    other_victim_id: str
    linked_at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A safety hold in force. `by`: for who may lift it; whom she works with is not for everybody to know."""

    hold_id: str
    by: str | None
    until: datetime


@dataclass(frozen=True, slots=True)
class Guarding:
    """Whether notices to him wait, and what holds them; not for the offender's side."""

    gates: dict[str, GateState]
    holds: tuple[HoldLine, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One victim of one offender, as far as the reader may see her."""

    case_id: str
    case: CaseLine | None
    contacts: tuple[Contact, ...]
    safe_contact: SafeContactLine
    police: PoliceLine | None
    """For advocates; null too where police may not see her case at all."""
    referrals: tuple[ReferralLine, ...]
    tasks: tuple[TaskLine, ...]
    attempts: tuple[AttemptLine, ...]
    profiles: tuple[ProfileLine, ...]
    screens: tuple[ScreenLine, ...]
    consents: tuple[ConsentLine, ...]
    messages: tuple[MessageLine, ...]
    links: tuple[LinkLine, ...]
    guarding: Guarding | None
