"""Which records one partner's lanes read, and the use case of each type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.classification import OffenderDecided, PolicyActivated, TierCurrent, TierEnded
from schemas.commands import ConfirmNote, PartnersTick
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
from schemas.rejects import InvalidRecord, RejectCode
from schemas.reviews import ReviewActed
from schemas.topics import Topic
from services.common.seal import NOBODYS
from services.common.service import Input, Outcome, Outgoing, Refused
from services.partners import usecases
from services.partners.domain import Offender
from services.partners.rules import Terms
from services.partners.store import PartnerStore

INPUTS = (Topic.PARTNERS_COMMANDS, Topic.DECISIONS, Topic.TIERS, Topic.NOTIFICATIONS)

UseCase = Callable[[Any, Any, Input, Terms], Outcome[Offender]]

USE_CASES: Mapping[type[Data], UseCase] = {
    OffenderDecided: usecases.decided,
    PolicyActivated: usecases.passed_over,
    ReviewActed: usecases.passed_over,
    TierCurrent: usecases.tier_changed,
    TierEnded: usecases.tier_ended,
    NotificationPrepared: usecases.notified,
    NotificationHeld: usecases.notified,
    NotificationPlanned: usecases.notified,
    NotificationReleased: usecases.notified,
    NotificationServed: usecases.notified,
    NotificationFailed: usecases.notified,
    NotificationCancelled: usecases.notified,
    NotificationCorrected: usecases.notified,
    NotificationWithdrawn: usecases.notified,
    ConfirmNote: usecases.confirm,
    PartnersTick: usecases.clock,
}


class PartnerCopies:
    """The part of one partner. See `services.common.service.Service`."""

    inputs = INPUTS
    rejects = Topic.PARTNERS_REJECTS

    def __init__(self, store: PartnerStore, terms: Terms) -> None:
        self.store = store
        self.terms = terms

    @property
    def name(self) -> str:
        """Of its consumer group, tables and metrics: each partner has its own, so that none waits for another."""
        return self.terms.partner.service

    @property
    def key_mark(self) -> str:
        """Of the county's key of pseudonyms."""
        return self.terms.pseudonyms.of_kind("key", NOBODYS)

    def decide(self, state: Offender, given: Input) -> Outcome[Offender]:
        """Raises `InvalidRecord` for a type that is none of ours."""
        data = given.event.data
        use_case = USE_CASES.get(type(data))
        if use_case is None:
            raise InvalidRecord(RejectCode.NOT_ON_THIS_TOPIC, "type")
        try:
            return use_case(state, data, given, self.terms)
        except Refused as refused:
            return Outcome(state, result=f"refused:{refused}")

    def about(self, event: Event[Data]) -> str | None:
        """The pair, where it names one."""
        return getattr(event.data, "pair_id", None)

    def on_lane_tick(self, given: Input) -> tuple[Outgoing, ...]:
        """These lanes keep no heartbeat of their own."""
        return ()

    def lane_kept(self, given: Input) -> str | None:
        """Nothing: a partner's file says all."""
        return given.kept
