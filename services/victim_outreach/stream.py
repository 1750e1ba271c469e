"""Which records victim outreach reads, and the use case of each type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.advocacy import (
    CloseCase,
    GiveConsent,
    Hear,
    LinkVictims,
    RecordSafeContact,
    RecordScreen,
    ReopenCase,
    ReportMessage,
    RevokeConsent,
    SendMessage,
    TakeOver,
    UnlinkVictims,
)
from schemas.commands import (
    AnnulAttempt,
    Attempt,
    CancelTask,
    Claim,
    Complete,
    GiveBack,
    LiftSafetyHold,
    OutreachActivatePolicy,
    OutreachTick,
    OverrideGate,
    SafetyHold,
)
from schemas.envelope import Data, Event
from schemas.notification import (
    NotificationCancelled,
    NotificationCorrected,
    NotificationFailed,
    NotificationHeld,
    NotificationPlanned,
    NotificationPrepared,
    NotificationReleased,
    NotificationServed,
    NotificationWithdrawn,
)
from schemas.person import OffenderDescribed, VictimsDescribed
from schemas.policy import Policy
from schemas.referral import ReferralAmended, ReferralOpened, ReferralWithdrawn
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic
from services.common.policies import Policies
from services.common.service import Input, Outcome, Outgoing, Refused
from services.victim_outreach import usecases
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.rules import Terms
from services.victim_outreach.store import OutreachStore

INPUTS = (Topic.VICTIM_OUTREACH_COMMANDS, Topic.REFERRALS, Topic.VICTIMS, Topic.OFFENDERS, Topic.NOTIFICATIONS)

UseCase = Callable[[CaseFile, Any, Input, Terms], Outcome[CaseFile]]

USE_CASES: Mapping[type[Data], UseCase] = {
    ReferralOpened: usecases.referral_given,
    ReferralAmended: usecases.referral_given,
    ReferralWithdrawn: usecases.referral_withdrawn,
    VictimsDescribed: usecases.victims_described,
    OffenderDescribed: usecases.offender_described,
    NotificationPrepared: usecases.notice_changed,
    NotificationHeld: usecases.notice_changed,
    NotificationReleased: usecases.notice_changed,
    NotificationPlanned: usecases.notice_planned,
    NotificationServed: usecases.notice_changed,
    NotificationFailed: usecases.notice_changed,
    NotificationCancelled: usecases.notice_changed,
    NotificationCorrected: usecases.notice_changed,
    NotificationWithdrawn: usecases.visit_undone,
    OutreachTick: usecases.ticked,
    OutreachActivatePolicy: usecases.ticked,
    Claim: usecases.claim,
    GiveBack: usecases.give_back,
    Attempt: usecases.attempt,
    AnnulAttempt: usecases.annul,
    Complete: usecases.complete,
    CancelTask: usecases.cancel,
    SafetyHold: usecases.hold,
    LiftSafetyHold: usecases.lift_hold,
    OverrideGate: usecases.override,
    RecordSafeContact: usecases.record_safe_contact,
    RecordScreen: usecases.record_screen,
    GiveConsent: usecases.give_consent,
    RevokeConsent: usecases.revoke_consent,
    CloseCase: usecases.close_case,
    ReopenCase: usecases.reopen_case,
    LinkVictims: usecases.link_victims,
    UnlinkVictims: usecases.unlink_victims,
    SendMessage: usecases.send_message,
    ReportMessage: usecases.message_reported,
    TakeOver: usecases.taken_over,
    Hear: usecases.heard,
}


class VictimOutreach:
    """See `services.common.service.Service`."""

    name = "victim_outreach"
    inputs = INPUTS
    rejects = Topic.VICTIM_OUTREACH_REJECTS

    def __init__(self, store: OutreachStore, policies: Policies[Policy]) -> None:
        self.store = store
        self._policies = policies

    def decide(self, state: CaseFile, given: Input) -> Outcome[CaseFile]:
        """Raises `InvalidRecord` for a type that is none of ours."""
        data = given.event.data
        use_case = USE_CASES.get(type(data))
        if use_case is None:
            raise InvalidRecord(RejectCode.NOT_ON_THIS_TOPIC, "type")
        try:
            return use_case(state, data, given, Terms(self._policies.of(given.kept), self._policies.of))
        except Refused as refused:
            return Outcome(state, result=f"refused:{refused}")

    def lane_kept(self, given: Input) -> str | None:
        """The digest of the policy in force."""
        return self._policies.kept(given)

    def about(self, event: Event[Data]) -> str | None:
        """The pair, where it names one."""
        return getattr(event.data, "pair_id", None)

    def on_lane_tick(self, given: Input) -> tuple[Outgoing, ...]:
        """One heartbeat for each tick."""
        tick = given.event.data
        return (usecases.heartbeat(tick, given),) if isinstance(tick, OutreachTick) else ()
