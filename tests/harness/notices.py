"""A notifier's lane with one offender, driven record by record; and short ways to make its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from schemas.classification import Change, OffenderDecided, Outreach, PolicyRef, Tier
from schemas.commands import (
    CancelNotification,
    ClaimNotification,
    DecideCorrection,
    Fail,
    GiveCorrection,
    LiftableHold,
    LiftHold,
    NotifierActivatePolicy,
    NotifierTick,
    PlanDelivery,
    RetryNotification,
    Role,
    Serve,
    UndoService,
)
from schemas.envelope import Data, Event, pair_id
from schemas.notice_work import Correction, NoticeEscalated
from schemas.notification import (
    CancelReason,
    Channel,
    FailureReason,
    Notification,
    NotificationState,
    Proof,
    ServiceMistake,
)
from schemas.outreach import GateChanged, GateHeartbeat, GateState
from schemas.person import Custody, OffenderDescribed
from schemas.policy_file import load_policy
from schemas.topics import Topic
from services.common.policies import Policies
from services.common.service import Input, Outcome
from services.notifier.domain import Notice, Offender
from services.notifier.rules import NoticePolicy
from services.notifier.store import NotifierStore
from services.notifier.stream import Notifier

START = datetime(2025, 1, 10, 12, tzinfo=UTC)
HIM = "O-1"
LANE = 7
OTHER_AGENCY = "NC0411000"
COUNTY = load_policy("high-point-practice")
POLICY = NoticePolicy(
    {
        Tier.A: (Channel.CUSTODY_VISIT, Channel.FACE_TO_FACE),
        Tier.B: (Channel.CUSTODY_VISIT, Channel.CALL_IN, Channel.LETTER_IN_HAND),
        Tier.C: (Channel.CUSTODY_VISIT, Channel.MAIL, Channel.FACE_TO_FACE),
        Tier.D: (Channel.CUSTODY_VISIT, Channel.MAIL, Channel.LETTER_IN_HAND),
    },
    releases_per_hour=1_000,
)
TOPICS: dict[type[Data], Topic] = {
    OffenderDecided: Topic.DECISIONS,
    GateChanged: Topic.OUTREACH_GATES,
    GateHeartbeat: Topic.OUTREACH_GATES,
    OffenderDescribed: Topic.OFFENDERS,
}


def incident(number: int) -> str:
    return f"NC0410200:{number}"


def pair(number: int) -> str:
    return pair_id(incident(number), HIM)


def decision(number: int | None = 1, tier: Tier | None = Tier.C, **more: Any) -> OffenderDecided:
    """A decision on incident `number`: charged, outreach opened and asked for, unless `more` says otherwise."""
    named = number is not None
    waits = named and more.get("outreach", Outreach.OPENED) is Outreach.OPENED
    made: dict[str, Any] = {
        "decision_id": "unused",
        "pair_id": pair(number) if number is not None else None,
        "offender_id": HIM,
        "incident_id": incident(number) if number is not None else None,
        "tier": tier,
        "previous_tier": None,
        "change": Change.ENTERED,
        "rules": [],
        "evidence": [incident(number)] if number is not None else [],
        "review": [],
        "outreach": Outreach.OPENED if named else Outreach.NONE,
        "charged": True,
        "statutes": ["14-33(c)(2)"],
        "policy": PolicyRef(id="test", version="1", digest="0" * 64),
        "occurred_at": START,
        "decided_at": START,
        "agency": "NC0410200",
        "askings": {more.get("pair_id", pair(number)): 1} if waits and number is not None else {},
    }
    return OffenderDecided(**(made | more))


def withdrawal(number: int, tier: Tier | None, **more: Any) -> OffenderDecided:
    """The decision a retraction of incident `number` causes."""
    return decision(
        number,
        tier,
        **({"outreach": Outreach.NONE, "evidence": [], "withdrawn_pair_ids": [pair(number)], "charged": False} | more),
    )


def expunction(number: int, tier: Tier | None) -> OffenderDecided:
    return withdrawal(number, tier, incident_id=None)


def gate(number: int = 1, state: GateState = GateState.CLEAR, version: int = 1, answers: int = 1) -> GateChanged:
    return GateChanged(pair_id=pair(number), offender_id=HIM, gate=state, version=version, answers=answers)


def custody(*, held: bool, **more: Any) -> OffenderDescribed:
    booking = Custody(booking_id="J-1", booked_at=START, released_at=None if held else START)
    return OffenderDescribed(offender_id=HIM, custody=booking, **more)


def limited(releases_per_hour: int) -> NoticePolicy:
    """The same policy, with a breaker that trips."""
    return replace(POLICY, releases_per_hour=releases_per_hour)


@dataclass
class Bench:
    """Stands in for the loop: keeps the lane's clock, what it heard and what it counted."""

    policy: NoticePolicy = POLICY
    policies: Policies[NoticePolicy] | None = None
    """None: `policy` alone."""
    kept: str | None = None
    """Digest of the policy in force in the lane."""
    offender: Offender = field(default_factory=lambda: Offender(HIM))
    now: datetime = START
    heard: dict[str, datetime] = field(default_factory=dict)
    counted: list[tuple[str, datetime]] = field(default_factory=list)
    said: list[Notification] = field(default_factory=list)
    work: list[Data] = field(default_factory=list)
    """What was said on other topics than the notifications'."""
    recent: tuple[Data, ...] = ()
    """All that the last record made it say."""
    records: int = 0

    def __post_init__(self) -> None:
        policies = self.policies or Policies(COUNTY, lambda _: self.policy)
        self.notifier = Notifier(NotifierStore(policies), policies)

    def input(self, data: Data, *, source: str = "/test", id_: str | None = None) -> Input:
        self.records += 1
        topic = TOPICS.get(type(data), Topic.NOTIFIER_COMMANDS)
        lane_level = isinstance(data, (GateHeartbeat, NotifierTick, NotifierActivatePolicy))
        event = Event(
            id=id_ or f"event-{self.records}",
            source=source,
            subject=str(LANE) if lane_level else HIM,
            time=self.now,
            data=data,
            dataclassification=topic.classification,
            correlationid=getattr(data, "incident_id", None),
        )
        if lane_level:
            self.heard[event.type] = self.now
        counts = Counter(name for name, moment in self.counted if moment > self.now - timedelta(hours=1))
        given = Input(event, topic, LANE, self.now, self.now, dict(self.heard), counts, self.kept)
        self.kept = self.notifier.lane_kept(given)
        return replace(given, kept=self.kept)

    def put(self, *records: Data) -> Outcome[Offender]:
        """Let the records come, in order, all at this moment. The outcome of the last."""
        for data in records:
            outcome = self.apply(self.input(data))
        return outcome

    def apply(self, given: Input) -> Outcome[Offender]:
        outcome = self.notifier.decide(self.offender, given)
        assert isinstance(outcome.state, Offender)
        self.offender = outcome.state
        self.counted += [(name, self.now) for name in outcome.counted]
        self.recent = tuple(out.event.data for out in outcome.events)
        for data in self.recent:
            if isinstance(data, Notification):
                self.said.append(data)
            else:
                self.work.append(data)
        return cast("Outcome[Offender]", outcome)

    def wait(self, **time: float) -> Bench:
        self.now += timedelta(**time)
        return self

    def heartbeat(self) -> Outcome[Offender]:
        return self.put(GateHeartbeat(lane=LANE))

    def tick(self) -> Outcome[Offender]:
        return self.put(NotifierTick(lane=LANE, period=int(self.now.timestamp()) // 60))

    def story(self) -> list[str]:
        """What was said so far, in short, and forgotten."""
        said, self.said = self.said, []
        return [f"{one.tier} {one.TYPE.split('.')[2]}" + _why(one) for one in said]

    def calls(self) -> list[str]:
        """Which clocks called whom since it was last asked, and forgotten."""
        work, self.work = self.work, []
        return [f"{one.clock} {one.role} {one.escalation}" for one in work if isinstance(one, NoticeEscalated)]

    @property
    def notice(self) -> Notice:
        """The one that is not cancelled."""
        [only] = [one for one in self.offender.notices.values() if one.state is not NotificationState.CANCELLED]
        return only

    def states(self) -> Sequence[str]:
        return [f"{one.tier} {one.state}" for one in self.offender.of(NotificationState)]

    # commands on the one notice that is not cancelled

    def serve(
        self, role: Role = Role.OFFICER, at: datetime | None = None, notice_id: str | None = None, **more: Any
    ) -> str:
        return self.put(
            Serve(**self._act(role, notice_id), served_at=at or self.now, proof=Proof.SIGNATURE, **more)
        ).result

    def undo(
        self,
        role: Role = Role.COORDINATOR,
        mistake: ServiceMistake = ServiceMistake.WRONG_PERSON,
        notice_id: str | None = None,
    ) -> str:
        return self.put(UndoService(**self._act(role, notice_id), mistake=mistake)).result

    def fail(self, role: Role = Role.OFFICER, reason: FailureReason = FailureReason.NOT_FOUND, **more: Any) -> str:
        return self.put(Fail(**self._act(role), reason=reason, **more)).result

    def claim(self, role: Role = Role.OFFICER, by: str | None = None) -> str:
        return self.put(ClaimNotification(**self._act(role, by=by))).result

    def plan(self, begins: datetime | None, hours: float = 4, role: Role = Role.OFFICER) -> str:
        until = begins + timedelta(hours=hours) if begins is not None else None
        return self.put(PlanDelivery(**self._act(role), planned_from=begins, planned_until=until)).result

    def retry(self, role: Role = Role.OFFICER) -> str:
        return self.put(RetryNotification(**self._act(role))).result

    def decide(self, correction: Correction, role: Role = Role.COORDINATOR) -> str:
        return self.put(DecideCorrection(**self._act(role), correction=correction)).result

    def correct(self, role: Role = Role.OFFICER, at: datetime | None = None) -> str:
        return self.put(GiveCorrection(**self._act(role), given_at=at or self.now)).result

    def cancel(
        self,
        role: Role = Role.COORDINATOR,
        reason: CancelReason = CancelReason.BY_PERSON,
        expects: str | None = None,
    ) -> str:
        return self.put(CancelNotification(**self._act(role), expects=expects, reason=reason)).result

    def lift(self, hold: LiftableHold, role: Role = Role.COORDINATOR, by: str | None = None) -> str:
        agency = OTHER_AGENCY if hold is LiftableHold.CONFLICT else None
        return self.put(LiftHold(**self._act(role, by=by), hold=hold, agency=agency)).result

    def _act(self, role: Role, notice_id: str | None = None, by: str | None = None) -> dict[str, Any]:
        return {
            "offender_id": HIM,
            "by": by or f"some.{role}",
            "role": role,
            "notification_id": notice_id or self.notice.notification_id,
        }


def _why(one: Notification) -> str:
    why = getattr(one, "reasons", None) or ([one.reason] if hasattr(one, "reason") else [])
    return f" ({', '.join(why)})" if why else ""
