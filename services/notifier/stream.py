"""Which records the notifier reads, and the use case of each type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.classification import OffenderDecided, PolicyActivated
from schemas.commands import (
    AskGiven,
    AskHelp,
    Attend,
    CancelCallIn,
    CancelNotification,
    ClaimNotification,
    CloseEnforcement,
    CloseHelp,
    DecideCorrection,
    Fail,
    GiveCorrection,
    Invite,
    LiftHold,
    NotifierActivatePolicy,
    NotifierTick,
    PlanCallIn,
    PlanDelivery,
    PrintLetter,
    ReferHelp,
    RetryNotification,
    Seat,
    Serve,
    TakeEnforcement,
    TellGiven,
    TellSeat,
    UndoService,
    Uninvite,
    Unseat,
)
from schemas.envelope import Data, Event
from schemas.outreach import GateChanged, GateHeartbeat
from schemas.person import OffenderDescribed
from schemas.rejects import InvalidRecord, RejectCode
from schemas.reviews import ReviewActed
from schemas.topics import Topic
from services.common.policies import Policies
from services.common.service import Input, Outcome, Outgoing, Refused
from services.notifier import usecases
from services.notifier.domain import CallIn, Kept
from services.notifier.rules import NoticePolicy
from services.notifier.store import NotifierStore

INPUTS = (Topic.NOTIFIER_COMMANDS, Topic.DECISIONS, Topic.OFFENDERS, Topic.OUTREACH_GATES)
"""Where all have a backlog, in this order: a new pair to wait for is known before an old one's gate clears."""

UseCase = Callable[[Any, Any, Input, NoticePolicy], Outcome[Any]]

OF_CALL_INS: Mapping[type[Data], UseCase] = {
    PlanCallIn: usecases.plan_call_in,
    CancelCallIn: usecases.cancel_call_in,
    Seat: usecases.seat,
    Unseat: usecases.unseat,
    TellSeat: usecases.tell_seat,
}
"""Of a meeting's own lane; their key is its id."""


def _passed_over(offender: Kept, _: ReviewActed, given: Input, policy: NoticePolicy) -> Outcome[Kept]:
    """What people did with a review: what it changes for him, the decision says."""
    return Outcome(offender, result="none")


USE_CASES: Mapping[type[Data], UseCase] = {
    **OF_CALL_INS,
    Attend: usecases.attend,
    Invite: usecases.invite,
    Uninvite: usecases.uninvite,
    OffenderDecided: usecases.decided,
    GateChanged: usecases.gate_changed,
    GateHeartbeat: usecases.clock,
    NotifierTick: usecases.clock,
    NotifierActivatePolicy: usecases.clock,
    PolicyActivated: usecases.clock,
    ReviewActed: _passed_over,
    OffenderDescribed: usecases.described,
    Serve: usecases.serve,
    UndoService: usecases.undo_service,
    Fail: usecases.fail,
    CancelNotification: usecases.cancel,
    LiftHold: usecases.lift,
    ClaimNotification: usecases.claim,
    RetryNotification: usecases.retry,
    PlanDelivery: usecases.plan_delivery,
    DecideCorrection: usecases.decide_correction,
    GiveCorrection: usecases.give_correction,
    PrintLetter: usecases.print_letter,
    AskHelp: usecases.ask_help,
    ReferHelp: usecases.refer_help,
    CloseHelp: usecases.close_help,
    TakeEnforcement: usecases.take_enforcement,
    CloseEnforcement: usecases.close_enforcement,
    AskGiven: usecases.ask_given,
    TellGiven: usecases.tell_given,
}


class Notifier:
    """See `services.common.service.Service`."""

    name = "notifier"
    inputs = INPUTS
    rejects = Topic.NOTIFIER_REJECTS

    def __init__(self, store: NotifierStore, policies: Policies[NoticePolicy]) -> None:
        self.store = store
        self.policies = policies

    def decide(self, state: Kept, given: Input) -> Outcome[Kept]:
        """Raises `InvalidRecord` for a type that is none of ours, and for a call-in's id where an offender's belongs."""
        data, policy = given.event.data, self.policies.of(given.kept)
        use_case = USE_CASES.get(type(data))
        if use_case is None:
            raise InvalidRecord(RejectCode.NOT_ON_THIS_TOPIC, "type")
        if isinstance(state, CallIn) and use_case is usecases.clock:
            return usecases.meeting_clock(state, given, policy)
        if isinstance(state, CallIn) and type(data) not in OF_CALL_INS:
            raise InvalidRecord(RejectCode.KEY_MISMATCH, "subject")
        try:
            return use_case(state, data, given, policy)
        except Refused as refused:
            return Outcome(state, result=f"refused:{refused}")

    def lane_kept(self, given: Input) -> str | None:
        """The digest of the policy in force."""
        return self.policies.kept(given)

    def about(self, event: Event[Data]) -> str | None:
        """The pair, where it names one."""
        return getattr(event.data, "pair_id", None)

    def on_lane_tick(self, given: Input) -> tuple[Outgoing, ...]:
        """The notifier's lanes keep no heartbeat of their own."""
        return ()
