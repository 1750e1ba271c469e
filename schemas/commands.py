"""What people and timers ask of a service: topics `ipvi.<class>.<service>-commands.v1`.

A command's id comes from the form that was sent, so a form sent twice is one command.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from schemas.call_in import CallInId, Capacity, SeatState, Speaker, Venue
from schemas.classification import Tier
from schemas.enforcement import EnforcementOutcome, Lever
from schemas.envelope import Data, Timestamp, event_type
from schemas.help import HelpKind, HelpOutcome, Provider
from schemas.incident import Identifier, Ori
from schemas.notice_work import Correction
from schemas.notification import CancelReason, FailureReason, Place, Proof
from schemas.outreach import AttemptOutcome, ContactChannel

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Role(StrEnum):
    """What a person may do; from the token file, later from the identity provider."""

    COORDINATOR = "coordinator"
    OFFICER = "officer"
    COMMUNITY_ADVOCATE = "community_advocate"
    """Of a confidential provider (VAWA, FVPSA, VOCA)."""
    ADVOCATE = "advocate"
    """Of the agency's or the prosecutor's: what she learns is discoverable."""
    OUTREACH_SUPERVISOR = "outreach_supervisor"
    OPERATOR = "operator"
    LAW_ENFORCEMENT = "law_enforcement"
    """Looks an offender up from a records system; is told every tier."""
    PROSECUTOR = "prosecutor"
    """Takes what is referred for enforcement, works reviews, and sees an offender's levers."""
    DISPATCH = "dispatch"
    """Looks an offender up from computer-aided dispatch; is told A, B and C."""
    PARTNER = "partner"
    """A partner's own system: confirms what it was told to take back, and asks what it was sent."""
    AGENCY = "agency"
    """An agency's own system: sends that agency's records to intake, and asks what became of them."""
    RECORDS = "records"
    """Records clerk or analyst: decides at intake which records are one person."""


class Tick(Data):
    """The clock's word for one lane and period; the time is the record's."""

    lane: Annotated[int, Field(ge=0)]
    period: Annotated[int, Field(ge=0)]
    """Number of the period since the epoch; older or equal ones are ignored."""


class PersonCommand(Data):
    """An act of a person."""

    offender_id: Identifier
    by: Annotated[str, Field(min_length=1, max_length=120)]
    role: Role
    expects: Annotated[str | None, Field(max_length=64)] = None
    """Version of the record the person saw: if it has changed since, the act is refused as `stale`."""


@event_type("ipvi.classifier.command.tick.v1")
class ClassifierTick(Tick):
    """Classifier's clock."""


@event_type("ipvi.notifier.command.tick.v1")
class NotifierTick(Tick):
    """Notifier's clock."""


@event_type("ipvi.victim_outreach.command.tick.v1")
class OutreachTick(Tick):
    """Victim outreach's clock."""


@event_type("ipvi.partners.command.tick.v1")
class PartnersTick(Tick):
    """The clock of all partners' lanes."""


class RetryParked(PersonCommand):
    """Decide again what was set aside for this offender because deciding it had failed three times; after the fix."""


@event_type("ipvi.classifier.command.retry_parked.v1")
class ClassifierRetryParked(RetryParked):
    """Classifier's."""


@event_type("ipvi.notifier.command.retry_parked.v1")
class NotifierRetryParked(RetryParked):
    """Notifier's."""


@event_type("ipvi.victim_outreach.command.retry_parked.v1")
class OutreachRetryParked(RetryParked):
    """Victim outreach's."""


@event_type("ipvi.partners.command.retry_parked.v1")
class PartnersRetryParked(RetryParked):
    """Partners', of every partner."""


# partners ------------------------------------------------------------------------------------------------------------


@event_type("ipvi.partners.command.confirm.v1")
class ConfirmNote(PersonCommand):
    """A partner has done what a note asked for: what it took back is gone from there."""

    partner: Annotated[str, Field(min_length=1, max_length=40)]
    note_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Id of the event that asked for it."""


# classifier ----------------------------------------------------------------------------------------------------------


@event_type("ipvi.classifier.command.adopt.v1")
class Adopt(Data):
    """One event of another offender's history, handed to this one's lane by a merge or a split, in its order there."""

    offender_id: Identifier
    """Who takes it."""
    from_offender_id: Identifier
    """Who gives it."""
    original: dict[str, Any]
    """The event as structured CloudEvents JSON."""
    remaining: Annotated[int, Field(ge=0)]
    """How many more of the same hand-over follow; at 0 it is complete."""
    handover_id: str
    """The merge or split that caused it."""
    sealed: list[str] = []
    """Keyed hashes of incidents that were expunged there: they stay out here too."""
    opened_through: Annotated[int, Field(ge=0)] = 0
    """Of a report: the highest revision that came in time or was opened by a person; what is open stays open."""
    via: list[Identifier] = []
    """Offenders it has been handed on by, the first giver first: a ring of merges is seen, and ends."""
    moved: list[str] = []
    """Of a split: keyed hashes of the incidents that move. `original` then names none of them."""


@event_type("ipvi.classifier.command.forget.v1")
class Forget(Data):
    """An incident was expunged under another offender id: erase what was said of it under this one. Names no incident."""

    offender_id: Identifier
    sealed: str
    """Keyed hash of the incident, by which who holds it knows it."""
    pair_id: str
    """Of the incident and this offender."""
    via: list[Identifier] = []
    """Offenders whose lanes have done it."""


@event_type("ipvi.classifier.command.noted_victim.v1")
class NotedVictim(Data):
    """This person, if he is an offender too, is a partner in another's incident. By whom he was hurt is not said."""

    offender_id: Identifier
    case: str
    """Opaque: of that other offender and him."""
    withdrawn: bool = False
    """The last incident of the case is gone."""


class ActivatePolicy(Data):
    """From this record on the lane decides under this policy."""

    lane: Annotated[int, Field(ge=0)]
    policy: dict[str, Any]
    """The whole policy, as JSON."""
    digest: str
    by: Annotated[str, Field(min_length=1, max_length=120)]


@event_type("ipvi.classifier.command.activate_policy.v1")
class ClassifierActivatePolicy(ActivatePolicy):
    """Classifier's."""


@event_type("ipvi.notifier.command.activate_policy.v1")
class NotifierActivatePolicy(ActivatePolicy):
    """Notifier's."""


@event_type("ipvi.victim_outreach.command.activate_policy.v1")
class OutreachActivatePolicy(ActivatePolicy):
    """Victim outreach's."""


@event_type("ipvi.classifier.command.redecide.v1")
class Redecide(Data):
    """Decide again the lane's next offenders, in the order of their ids, that were last decided under another policy."""

    lane: Annotated[int, Field(ge=0)]
    digest: str
    """The policy that must be active; where it is not any more, nothing is done."""
    run_id: str
    after: str = ""
    """The last offender of the chunk before."""
    by: Annotated[str, Field(min_length=1, max_length=120)]


@event_type("ipvi.classifier.command.open_listed.v1")
class OpenListed(PersonCommand):
    """Open outreach and notice for a listed incident (history load, late report)."""

    incident_id: str


# notifier ------------------------------------------------------------------------------------------------------------


class NotificationCommand(PersonCommand):
    """An act on one notification."""

    notification_id: str


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


Asking = Annotated[int, Field(ge=1)]
"""How many times he was asked to this call-in: an answer to an earlier time is none to the last."""


class CallInCommand(Data):
    """An act of a person on a call-in, in its own lane: the Kafka key is its id."""

    call_in_id: CallInId
    by: Annotated[str, Field(min_length=1, max_length=120)]
    role: Role


@event_type("ipvi.notifier.command.plan_call_in.v1")
class PlanCallIn(CallInCommand):
    """It is to be held; again: it is moved."""

    starts_at: Timestamp
    venue: Venue
    capacity: Capacity
    speakers: Annotated[list[Speaker], Field(max_length=30)] = []


@event_type("ipvi.notifier.command.cancel_call_in.v1")
class CancelCallIn(CallInCommand):
    """It will not be held."""


@event_type("ipvi.notifier.command.seat.v1")
class Seat(CallInCommand):
    """Put him on the roster; his own lane says whether he may be told now."""

    seated_offender_id: Identifier
    notification_id: str


@event_type("ipvi.notifier.command.unseat.v1")
class Unseat(CallInCommand):
    """Take him off the roster."""

    notification_id: str


@event_type("ipvi.notifier.command.attend.v1")
class Attend(NotificationCommand):
    """Whether he came. Who came has been told; who did not has missed a visit."""

    call_in_id: CallInId
    attended: bool


@event_type("ipvi.notifier.command.invite.v1")
class Invite(Data):
    """From a call-in's lane to his: there is a place for him, or it is at another time or place now."""

    offender_id: Identifier
    notification_id: str
    call_in_id: CallInId
    asking: Asking
    moved: bool = False
    """For who has that place alone: it is at another time or place now."""
    starts_at: Timestamp
    venue: Venue


@event_type("ipvi.notifier.command.uninvite.v1")
class Uninvite(Data):
    """From a call-in's lane to his: there is no place for him any more."""

    offender_id: Identifier
    notification_id: str
    call_in_id: CallInId
    asking: Asking


@event_type("ipvi.notifier.command.tell_seat.v1")
class TellSeat(Data):
    """From his lane to a call-in's: what has become of his place."""

    call_in_id: CallInId
    notification_id: str
    asking: Asking
    seat: SeatState


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


# victim_outreach -----------------------------------------------------------------------------------------------------


class TaskCommand(PersonCommand):
    """An act on one task."""

    task_id: str


@event_type("ipvi.victim_outreach.command.claim.v1")
class Claim(TaskCommand):
    """I take it."""


@event_type("ipvi.victim_outreach.command.attempt.v1")
class Attempt(TaskCommand):
    """I tried to reach her."""

    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: Timestamp


@event_type("ipvi.victim_outreach.command.complete.v1")
class Complete(TaskCommand):
    """It is done."""


@event_type("ipvi.victim_outreach.command.cancel.v1")
class CancelTask(TaskCommand):
    """It shall not be done."""


@event_type("ipvi.victim_outreach.command.hold.v1")
class SafetyHold(PersonCommand):
    """Nothing goes to him for now. No reason is asked; 72 h, renewable; outranks time limit and override."""

    hold_id: str


@event_type("ipvi.victim_outreach.command.lift_hold.v1")
class LiftSafetyHold(PersonCommand):
    """The safety hold ends before its time."""

    hold_id: str


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
