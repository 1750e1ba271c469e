"""What advocates record of her and for her: topic `ipvi.restricted.victim-outreach-commands.v1`, and nowhere else.

None of it is said again on any topic: what an advocate learns stays in victim_outreach (34 U.S.C. 12291(b)(2)).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from schemas.calendar import Clock, Weekday
from schemas.commands import PersonCommand, TaskCommand
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier
from schemas.outreach import CaseCloseReason, CaseReopenReason, ContactChannel

Words = Annotated[str, Field(min_length=1, max_length=500)]
"""Free text. It stays in the service that took it."""
Address = Annotated[str, Field(min_length=3, max_length=200)]
"""A telephone number, an e-mail address or a postal one, as she gave it."""
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


class CaseCommand(PersonCommand):
    """An act on one case: one victim of one offender."""

    case_id: str


# safe contact --------------------------------------------------------------------------------------------------------


class ContactSafety(StrEnum):
    """What she has said of one way to reach her. `unknown` is not `safe` where others could see or hear it."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    UNKNOWN = "unknown"


class ChannelSafety(Data):
    """One way to reach her."""

    channel: ContactChannel
    safety: ContactSafety
    address: Address | None = None
    """Where, as she gave it; null: police's will do, or there is none."""


class SafeHours(Data):
    """On these days, from `start` until before `end`; `end` before `start` runs past midnight."""

    days: Annotated[list[Weekday], Field(min_length=1)]
    start: Clock
    end: Clock


@event_type("ipvi.victim_outreach.command.record_safe_contact.v1")
class RecordSafeContact(CaseCommand):
    """How she may be reached, asked anew and whole; what is safe changes, so it runs out."""

    channels: list[ChannelSafety] = []
    """Those not named are unknown."""
    hours: list[SafeHours] = []
    """Empty: she named none."""
    no_contact: bool = False
    """She will call. Stands until she says otherwise, whatever `valid_until`."""
    instructions: Words | None = None
    language: Language | None = None
    valid_until: Timestamp | None = None
    """Null: policy's days from now."""


# lethality screen ----------------------------------------------------------------------------------------------------


class Answer(StrEnum):
    """To one question of the screen."""

    YES = "yes"
    NO = "no"
    UNANSWERED = "unanswered"


class ScreenResult(StrEnum):
    """As on the topic of victims."""

    HIGH = "high"
    NOT_HIGH = "not_high"
    DECLINED = "declined"


@event_type("ipvi.victim_outreach.command.record_screen.v1")
class RecordScreen(CaseCommand):
    """The eleven answers of the Lethality Screen for First Responders (Maryland's LAP), and the asker's own belief."""

    answers: list[Answer]
    """Eleven, in the order of the form; none at all: she declined."""
    believed: bool = False
    """Whoever asked believes that she is in high danger, whatever the answers."""


# consent -------------------------------------------------------------------------------------------------------------


class ConsentScope(StrEnum):
    """What may be told."""

    SAFE_CONTACT = "safe_contact"
    """How she may be reached. To `agency`: its people see the profile, as long as it holds."""
    TASK_PROGRESS = "task_progress"
    """That advocates are in touch with her."""
    CASE_SUMMARY = "case_summary"
    HIGH_RISK_TEAM = "high_risk_team"
    """A case review by the agencies together."""


class ConsentRecipient(StrEnum):
    """To whom."""

    AGENCY = "agency"
    PROSECUTOR = "prosecutor"
    SERVICE_PROVIDER = "service_provider"
    HIGH_RISK_TEAM = "high_risk_team"


@event_type("ipvi.victim_outreach.command.give_consent.v1")
class GiveConsent(CaseCommand):
    """She allows, in writing and for a time, that one thing be told to one recipient (28 C.F.R. 94.115).

    Never a condition of any service: nothing here looks at a consent but what it allows to be told.
    """

    consent_id: str
    scope: ConsentScope
    recipient: ConsentRecipient
    named: Words
    """Who it is, by name, as on the paper."""
    until: Timestamp
    signed: bool
    """She signed it, else it is none; the paper is kept where she was served."""


@event_type("ipvi.victim_outreach.command.revoke_consent.v1")
class RevokeConsent(CaseCommand):
    """She takes it back, in whatever form."""

    consent_id: str


# the case ------------------------------------------------------------------------------------------------------------


@event_type("ipvi.victim_outreach.command.close_case.v1")
class CloseCase(CaseCommand):
    """Nothing more is to be done for what has happened. A new incident opens it again."""

    reason: CaseCloseReason


@event_type("ipvi.victim_outreach.command.reopen_case.v1")
class ReopenCase(CaseCommand):
    """There is something to be done for her after all. What his list calls for opens anew, with clocks from now."""

    reason: CaseReopenReason


# one woman under several ids -----------------------------------------------------------------------------------------


class LinkCommand(PersonCommand):
    """A person's decision on two records of victims. `offender_id`: one of those whose victim either is."""

    victim_id: Identifier
    other_victim_id: Identifier
    also: list[Identifier] = []
    """The other offenders whose victim either is; told by their lanes."""


@event_type("ipvi.victim_outreach.command.link_victims.v1")
class LinkVictims(LinkCommand):
    """They are one woman: one case with each offender, and of two profiles the stricter."""


@event_type("ipvi.victim_outreach.command.unlink_victims.v1")
class UnlinkVictims(LinkCommand):
    """They are two women after all."""


@event_type("ipvi.victim_outreach.command.take_over.v1")
class TakeOver(Data):
    """What is kept of one woman of another offender's, whose record was merged into this one's or split off to it."""

    offender_id: Identifier
    from_offender_id: Identifier
    kept: dict[str, Any]
    """By kind, as this service keeps them: holds, links, profiles, consents, screens, attempts, visits to be asked after, the
    closing of her case, her referral.
    """


@event_type("ipvi.victim_outreach.command.hear.v1")
class Hear(Data):
    """What is kept of a woman with other offenders, whole, in place of what was told of her before; links by the later word."""

    offender_id: Identifier
    victim_ids: Annotated[list[Identifier], Field(min_length=1)]
    """All ids of hers: what was told of them and is not here any more holds no more."""
    kept: dict[str, Any]
    """By kind, as this service keeps them: links, profiles, and attempts that found somebody else."""


# messages ------------------------------------------------------------------------------------------------------------


class MessageText(StrEnum):
    """Which text. None of them says who he is or what happened."""

    INFORMATION = "information"
    RIGHTS = "rights"
    RESOURCES = "resources"
    SAFETY_PLANNING = "safety_planning"


class MessageOutcome(StrEnum):
    """What became of a message."""

    SENT = "sent"
    FAILED = "failed"
    """It did not leave. Nothing is tried again by itself."""
    UNKNOWN = "unknown"
    """Not known whether it left."""


@event_type("ipvi.victim_outreach.command.send_message.v1")
class SendMessage(TaskCommand):
    """One advocate's act for one message."""

    message_id: str
    channel: ContactChannel
    text: MessageText
    language: Language = "en"


@event_type("ipvi.victim_outreach.command.report_message.v1")
class ReportMessage(Data):
    """The sender's word on a message that was asked for."""

    offender_id: Identifier
    message_id: str
    outcome: MessageOutcome
    code: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
    """Why it did not leave."""
