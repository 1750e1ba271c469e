"""What is said of one offender while a record is worked, in order, and on which topic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schemas.commands import AskGiven, TellGiven, TellSeat
from schemas.duty import DutyAlerted, DutyRole
from schemas.enforcement import Enforcement
from schemas.envelope import Data, deterministic_id
from schemas.help import Help
from schemas.notice_work import NoticeWork
from schemas.notification import Notification
from schemas.topics import Topic
from services.common.service import Input, Outgoing, caused_by
from services.notifier.domain import Notice, Offender

SOURCE = "/ipvi/notifier"


@dataclass(frozen=True, slots=True)
class Draft:
    """The offender as changed so far, and what is to be said of it, in order."""

    offender: Offender
    said: tuple[Data, ...] = ()
    released: int = 0
    alerts: tuple[tuple[DutyRole, int, str], ...] = ()
    """Whom to call, for the how-manieth time, for what."""

    def tell(self, notice: Notice, *events: Data) -> Draft:
        return replace(self, offender=self.offender.with_notice(notice), said=(*self.said, *events))

    def say(self, *events: Data) -> Draft:
        return replace(self, said=(*self.said, *events))

    def alert(self, role: DutyRole, escalation: int, about: str) -> Draft:
        return replace(self, alerts=(*self.alerts, (role, escalation, about)))


def outgoing(given: Input, draft: Draft, expunged: str | None = None) -> tuple[Outgoing, ...]:
    """Events under the offender's key: a tick that causes them has the lane's. Found and erased on expunction of their pair;
    what this very expunction makes us say goes out.
    """
    return (*_said(given, draft, expunged), *(alerted(given, *one) for one in draft.alerts))


def _said(given: Input, draft: Draft, expunged: str | None) -> Iterable[Outgoing]:
    def about(pair_id: str) -> str | None:
        return pair_id if pair_id != expunged else None

    for place, data in enumerate(draft.said):
        match data:
            case Notification() | NoticeWork():
                topic = Topic.NOTIFICATIONS if isinstance(data, Notification) else Topic.NOTICE_WORK
                event = caused_by(given, SOURCE, data, topic, data.notification_id, subject=data.offender_id)
                yield Outgoing(topic, event, about=about(data.pair_id))
            case AskGiven() | TellGiven() | TellSeat():
                topic = Topic.NOTIFIER_COMMANDS
                key = data.call_in_id if isinstance(data, TellSeat) else data.offender_id
                # One tick makes many say something to the same call-in: whose word it is belongs to its id.
                event = caused_by(given, SOURCE, data, topic, draft.offender.offender_id, key, place, subject=key)
                yield Outgoing(topic, replace(event, correlationid=None), other_lane=True)
            case Enforcement():
                event = caused_by(given, SOURCE, data, Topic.ENFORCEMENT, data.enforcement_id, subject=data.offender_id)
                yield Outgoing(Topic.ENFORCEMENT, event, about=about(data.pair_id))
            case Help():
                event = caused_by(given, SOURCE, data, Topic.NOTICE_WORK, data.help_id, subject=data.offender_id)
                yield Outgoing(Topic.NOTICE_WORK, event)
            case _:
                raise TypeError(f"{data.TYPE} has no topic of the notifier's")


def alerted(given: Input, role: DutyRole, escalation: int, about: str) -> Outgoing:
    """Under the role's name and not the offender's; neither incident nor cause."""
    cause = given.event
    data = DutyAlerted(
        alert_id=deterministic_id("alert", cause.source, cause.id, role, about), role=role, escalation=escalation
    )
    event = caused_by(given, SOURCE, data, Topic.DUTY_ALERTS, data.alert_id, subject=role)
    return Outgoing(Topic.DUTY_ALERTS, replace(event, correlationid=None, causationid=None))
