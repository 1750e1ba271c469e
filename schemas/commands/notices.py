"""What the notifier is asked about notices, help and enforcement."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from schemas.classification import Tier
from schemas.commands.common import ActivatePolicy, PersonCommand, RetryParked, Sha256, Tick
from schemas.enforcement import EnforcementOutcome, Lever
from schemas.envelope import Data, Timestamp, event_type
from schemas.help import HelpKind, HelpOutcome, Provider
from schemas.incident import Identifier, Ori
from schemas.notice_work import Correction
from schemas.notification import CancelReason, FailureReason, Place, Proof, ServiceMistake


@event_type("ipvi.notifier.command.tick.v1")
class NotifierTick(Tick):
    """Notifier's clock."""


@event_type("ipvi.notifier.command.retry_parked.v1")
class NotifierRetryParked(RetryParked):
    """Notifier's."""


@event_type("ipvi.notifier.command.activate_policy.v1")
class NotifierActivatePolicy(ActivatePolicy):
    """Notifier's."""


class NotificationCommand(PersonCommand):
    """An act on one notification."""

    notification_id: str
    by_agency: Ori | None = None
    """Of whoever acts, as the credential says; null: it says none."""


@event_type("ipvi.notifier.command.serve.v1")
class Serve(NotificationCommand):
    """It was given. `by` records it."""

    served_at: Timestamp
    proof: Proof
    served_by: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    """Who gave it, where that is not who records it."""
    served_by_agency: Ori | None = None
    """Of the officer who gave it; needed where another agency's is to."""
    place: Place | None = None
    letter_sha256: Sha256 | None = None
    """Of the letter that was given; null: the one printed last, if any was."""
    counsel_present: bool | None = None
    """Whether his counsel was there; scripts are one way, and nobody asks him of the incident."""


@event_type("ipvi.notifier.command.undo_service.v1")
class UndoService(NotificationCommand):
    """It was recorded as given by mistake: it was none, and the notice is still to be given."""

    mistake: ServiceMistake


@event_type("ipvi.notifier.command.fail.v1")
class Fail(NotificationCommand):
    """It was tried and could not be given."""

    reason: FailureReason
    attempted_at: Timestamp | None = None
    """Null: when it was recorded."""
    place: Place | None = None


@event_type("ipvi.notifier.command.cancel.v1")
class CancelNotification(NotificationCommand):
    """It shall not be given."""

    reason: CancelReason


class LiftableHold(StrEnum):
    """Holds a person may lift here: not the gate, a challenge (it is answered) or a wording (it is signed)."""

    BULK = "bulk"
    BREAKER = "breaker"
    CONFLICT = "conflict"
    MUTUAL = "mutual"
    UNANNOUNCED = "unannounced"
    ALSO_VICTIM = "also_victim"
    MERGE_PENDING = "merge_pending"


@event_type("ipvi.notifier.command.lift.v1")
class LiftHold(NotificationCommand):
    """One person's word to lift one hold; `unannounced` and `also_victim` need a coordinator's and an outreach supervisor's."""

    hold: LiftableHold
    agency: Ori | None = None
    """Of `conflict`: whose officer gives it instead; another's than the incident's."""


@event_type("ipvi.notifier.command.claim.v1")
class ClaimNotification(NotificationCommand):
    """I take it."""


@event_type("ipvi.notifier.command.plan_delivery.v1")
class PlanDelivery(NotificationCommand):
    """The delivery round he is to be told on; again: it is moved; nulls: it is off. It lets go of nothing."""

    planned_from: Timestamp | None = None
    planned_until: Timestamp | None = None


@event_type("ipvi.notifier.command.print_letter.v1")
class PrintLetter(NotificationCommand):
    """Keep this letter: it is what he will be given. Made by the service from its own file, not by the person."""

    dated: date
    """Printed as its date."""
    content: Annotated[str, Field(min_length=4, max_length=900_000, pattern=r"^[A-Za-z0-9+/]+=*$")]
    """The PDF in base64."""
    sha256: Sha256
    template: Annotated[str, Field(min_length=1, max_length=64)]
    version: Annotated[str, Field(min_length=1, max_length=40)]
    template_sha256: Sha256


@event_type("ipvi.notifier.command.retry.v1")
class RetryNotification(NotificationCommand):
    """It failed, and is to be tried again. A refusal is tried again on a coordinator's word alone."""


@event_type("ipvi.notifier.command.decide_correction.v1")
class DecideCorrection(NotificationCommand):
    """It was given and the facts changed: what he is told."""

    correction: Correction


@event_type("ipvi.notifier.command.give_correction.v1")
class GiveCorrection(NotificationCommand):
    """The correction was given."""

    given_at: Timestamp


@event_type("ipvi.notifier.command.ask_help.v1")
class AskHelp(NotificationCommand):
    """At this notice, or since, he asked for help."""

    kind: HelpKind


class HelpCommand(PersonCommand):
    """An act on help that he asked for."""

    help_id: str
    by_agency: Ori | None = None
    """Of whoever acts, as the credential says; null: it says none."""


@event_type("ipvi.notifier.command.refer_help.v1")
class ReferHelp(HelpCommand):
    """He is referred to a provider; another, where the first had no place."""

    provider: Provider


@event_type("ipvi.notifier.command.close_help.v1")
class CloseHelp(HelpCommand):
    """What came of it."""

    outcome: HelpOutcome


class EnforcementCommand(PersonCommand):
    """An act on a referral to the prosecutor."""

    enforcement_id: str


@event_type("ipvi.notifier.command.take_enforcement.v1")
class TakeEnforcement(EnforcementCommand):
    """I work on it."""


@event_type("ipvi.notifier.command.close_enforcement.v1")
class CloseEnforcement(EnforcementCommand):
    """What came of it."""

    outcome: EnforcementOutcome
    levers: list[Lever] = []
    """Those that were used."""


class GivenBefore(Data):
    """One notice that a person was given under another record of his."""

    notification_id: Identifier
    tier: Tier
    served_at: Timestamp


class PlannedBefore(Data):
    """The delivery round of a notice that was still to be given under another record of his."""

    tier: Tier
    planned_from: Timestamp
    planned_until: Timestamp


@event_type("ipvi.notifier.command.ask_given.v1")
class AskGiven(Data):
    """To the lane of a record that has been merged, from that of the one that survives: say what he was given, and is to be."""

    offender_id: Identifier
    """The merged one."""
    surviving_offender_id: Identifier


@event_type("ipvi.notifier.command.tell_given.v1")
class TellGiven(Data):
    """The answer: what he was given under the merged record, which counts under this one too."""

    offender_id: Identifier
    """The one that survives."""
    from_offender_id: Identifier
    given: list[GivenBefore]
    planned: list[PlannedBefore] = []
    """Rounds that go on for the notice of the same list under this record."""
    no_more: list[Identifier] = []
    """Told before, and does not stand any more: withdrawn, or recorded by mistake."""
