"""What victim outreach is asked."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.commands.common import ActivatePolicy, PersonCommand, RetryParked, Tick
from schemas.envelope import Timestamp, event_type
from schemas.outreach import AnnulReason, AttemptOutcome, ContactChannel


@event_type("ipvi.victim_outreach.command.tick.v1")
class OutreachTick(Tick):
    """Victim outreach's clock."""


@event_type("ipvi.victim_outreach.command.retry_parked.v1")
class OutreachRetryParked(RetryParked):
    """Victim outreach's."""


@event_type("ipvi.victim_outreach.command.activate_policy.v1")
class OutreachActivatePolicy(ActivatePolicy):
    """Victim outreach's."""


class TaskCommand(PersonCommand):
    """An act on one task."""

    task_id: str


@event_type("ipvi.victim_outreach.command.claim.v1")
class Claim(TaskCommand):
    """I take it."""

    instead_of: Annotated[str | None, Field(min_length=1, max_length=120)] = None
    """Who has it, as I saw: I take it over."""


@event_type("ipvi.victim_outreach.command.give_back.v1")
class GiveBack(TaskCommand):
    """I do not do it after all: it is open again."""


@event_type("ipvi.victim_outreach.command.attempt.v1")
class Attempt(TaskCommand):
    """I tried to reach her."""

    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: Timestamp


@event_type("ipvi.victim_outreach.command.annul_attempt.v1")
class AnnulAttempt(TaskCommand):
    """What was recorded of this attempt was a mistake."""

    number: Annotated[int, Field(ge=1)]
    reason: AnnulReason


@event_type("ipvi.victim_outreach.command.complete.v1")
class Complete(TaskCommand):
    """It is done."""


@event_type("ipvi.victim_outreach.command.cancel.v1")
class CancelTask(TaskCommand):
    """It shall not be done."""


class HoldCommand(PersonCommand):
    """An act on a safety hold."""

    hold_id: str
    case_id: str | None = None
    """On whose page it was: should all of her incidents have gone to another man, he is meant."""


@event_type("ipvi.victim_outreach.command.hold.v1")
class SafetyHold(HoldCommand):
    """Nothing goes to him for now. No reason is asked; 72 h, renewable; outranks time limit and override."""


@event_type("ipvi.victim_outreach.command.lift_hold.v1")
class LiftSafetyHold(HoldCommand):
    """The safety hold ends before its time."""


class OverrideReason(StrEnum):
    """Why the gate is opened without the outreach done; a closed list."""

    VICTIM_UNREACHABLE = "victim_unreachable"
    VICTIM_ASKED = "victim_asked"
    IMMINENT_RELEASE = "imminent_release"
    COURT_ORDER = "court_order"


@event_type("ipvi.victim_outreach.command.override.v1")
class OverrideGate(PersonCommand):
    """One of the two persons it takes to open a pair's gate."""

    pair_id: str
    reason: OverrideReason
