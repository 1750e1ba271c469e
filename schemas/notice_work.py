"""What people do about notices, and what waits for them: topic `ipvi.internal.notice-work.v1`. Nothing of any victim."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.classification import Tier
from schemas.duty import DutyRole
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier, Ori


class NoticeClock(StrEnum):
    """What runs out next for a notice. Every notice that is not at its end has one of these running."""

    HELD = "held"
    """It waits; somebody looks whether it should."""
    CLAIM = "claim"
    """It may be given, and nobody has taken it, or no day is planned for it."""
    SERVE = "serve"
    """It is to be given by then."""
    RETRY = "retry"
    """It is tried again by itself then."""
    CLOSE = "close"
    """It failed for good, or so often that a person decides: once more, or no more."""
    DECIDE = "decide"
    """It was given and the facts changed: a person decides what he is told."""
    CORRECT = "correct"
    """The correction is to be given by then."""


class Correction(StrEnum):
    """What he is told where the facts changed after service."""

    LETTER = "letter"
    """A letter that sets it right."""
    WITHDRAWAL = "withdrawal"
    """A letter that takes the notice back."""
    NONE = "none"
    """Nothing: another contact would do more harm, or nothing he was told was wrong."""


class NoticeWork(Data):
    """Common fields."""

    notification_id: str
    pair_id: str
    offender_id: Identifier
    tier: Tier
    by: str = "system"
    """The person's user name, or `system`."""


@event_type("ipvi.notice.claimed.v1")
class NoticeClaimed(NoticeWork):
    """A person has taken it upon himself to give it."""


@event_type("ipvi.notice.escalated.v1")
class NoticeEscalated(NoticeWork):
    """A clock has run out: the role named is called, and again until it is done."""

    clock: NoticeClock
    role: DutyRole
    escalation: Annotated[int, Field(ge=1)]
    due_at: Timestamp
    """When it should have been done."""


@event_type("ipvi.notice.routed.v1")
class NoticeRouted(NoticeWork):
    """Another agency's officer gives it: he is a sworn officer or the like."""

    agency: Ori


@event_type("ipvi.notice.letter_printed.v1")
class LetterPrinted(NoticeWork):
    """A letter was made and is kept, byte for byte."""

    sha256: str
    template: str
    version: str
    template_sha256: str
    dated: date


@event_type("ipvi.notice.correction_decided.v1")
class CorrectionDecided(NoticeWork):
    """What he is told now."""

    correction: Correction


@event_type("ipvi.notice.correction_given.v1")
class CorrectionGiven(NoticeWork):
    """The correction was given."""

    correction: Correction
    given_at: Timestamp
