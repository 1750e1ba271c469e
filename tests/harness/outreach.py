"""Victim outreach's lane with one offender, driven record by record; and short ways to make its records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from schemas.advocacy import (
    CaseCommand,
    ChannelSafety,
    ContactSafety,
    LinkCommand,
    LinkVictims,
    MessageText,
    RecordSafeContact,
    SendMessage,
)
from schemas.classification import PolicyRef, Tier
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
    OverrideReason,
    Role,
    SafetyHold,
)
from schemas.envelope import Data, Event, pair_id, referral_id
from schemas.notification import (
    Channel,
    FailureReason,
    HoldReason,
    NotificationFailed,
    NotificationHeld,
    NotificationPlanned,
    NotificationPrepared,
    NotificationReleased,
    NotificationServed,
    NotificationWithdrawn,
    Proof,
    ServiceMistake,
)
from schemas.outreach import (
    AnnulReason,
    AttemptOutcome,
    ContactChannel,
    GateChanged,
    GateState,
    TaskKind,
    TaskOwner,
    TaskState,
)
from schemas.outreach import Task as TaskData
from schemas.person import Custody, DescribedVictim, OffenderDescribed, VictimsDescribed
from schemas.policy import Policy
from schemas.policy_file import load_policy
from schemas.referral import Referral as ReferralData
from schemas.referral import (
    ReferralAmended,
    ReferralOpened,
    ReferralOutreach,
    ReferralPurpose,
    ReferralWithdrawn,
)
from schemas.topics import Topic
from services.common.policies import Policies
from services.common.service import Input, Outcome, Outgoing
from services.victim_outreach.domain import CaseFile, Task
from services.victim_outreach.store import OutreachStore
from services.victim_outreach.stream import VictimOutreach

R = TypeVar("R", bound=ReferralData)
D = TypeVar("D", bound=Data)

START = datetime(2025, 1, 10, 12, tzinfo=UTC)
HIM = "O-1"
LANE = 7
POLICY = load_policy("high-point-practice")
USUAL = {
    TaskOwner.AGENCY: Role.OFFICER,
    TaskOwner.SYSTEM_ADVOCATE: Role.ADVOCATE,
    TaskOwner.COMMUNITY_ADVOCATE: Role.COMMUNITY_ADVOCATE,
}
ADDRESS = {
    ContactChannel.CALL: "+1 336 555 0142",
    ContactChannel.VOICEMAIL: "+1 336 555 0142",
    ContactChannel.TEXT: "+1 336 555 0142",
    ContactChannel.EMAIL: "her@example.org",
    ContactChannel.MAIL: "PO Box 12",
    ContactChannel.IN_PERSON: None,
}
TOPICS: dict[type[Data], Topic] = {
    ReferralOpened: Topic.REFERRALS,
    ReferralAmended: Topic.REFERRALS,
    ReferralWithdrawn: Topic.REFERRALS,
    VictimsDescribed: Topic.VICTIMS,
    OffenderDescribed: Topic.OFFENDERS,
    NotificationReleased: Topic.NOTIFICATIONS,
    NotificationServed: Topic.NOTIFICATIONS,
    NotificationFailed: Topic.NOTIFICATIONS,
    NotificationHeld: Topic.NOTIFICATIONS,
    NotificationPrepared: Topic.NOTIFICATIONS,
    NotificationPlanned: Topic.NOTIFICATIONS,
}


def incident(number: int) -> str:
    return f"NC0410200:{number}"


def pair(number: int = 1) -> str:
    return pair_id(incident(number), HIM)


def ref(number: int = 1, victim_no: int = 1) -> str:
    return referral_id(pair(number), victim_no)


def opened(number: int = 1, victim_no: int = 1, victim_id: str | None = "V-1", **more: Any) -> ReferralOpened:
    """The referral of one victim of incident `number`."""
    return _referral(ReferralOpened, number, victim_no, victim_id, more)


def amended(number: int = 1, victim_no: int = 1, victim_id: str | None = "V-1", **more: Any) -> ReferralAmended:
    return _referral(ReferralAmended, number, victim_no, victim_id, more)


def listed(number: int = 1, **more: Any) -> ReferralOpened:
    return opened(number, outreach=ReferralOutreach.LISTED, **more)


def asked(number: int = 1, **more: Any) -> ReferralOpened:
    return opened(number, purpose=ReferralPurpose.ASK_RELATIONSHIP, **({"tier": None} | more))


def _referral(model: type[R], number: int, victim_no: int, victim_id: str | None, more: dict[str, Any]) -> R:
    made: dict[str, Any] = {
        "referral_id": ref(number, victim_no),
        "pair_id": pair(number),
        "offender_id": HIM,
        "victim_no": victim_no,
        "victim_id": victim_id,
        "incident_id": incident(number),
        "agency": "NC0410200",
        "tier": Tier.C,
        "policy": PolicyRef(id="test", version="1", digest="0" * 64),
        "outreach": ReferralOutreach.OPENED,
        "occurred_at": START - timedelta(hours=2),
    }
    return model(**(made | more))


def withdrawn(number: int = 1, victim_no: int = 1) -> ReferralWithdrawn:
    return ReferralWithdrawn(
        referral_id=ref(number, victim_no), pair_id=pair(number), offender_id=HIM, victim_no=victim_no
    )


def custody(booking: str = "J-1", *, released_at: datetime | None = None, **more: Any) -> OffenderDescribed:
    """He is in jail, or was until `released_at`."""
    where = Custody(booking_id=booking, booked_at=START - timedelta(hours=1), released_at=released_at, **more)
    return OffenderDescribed(offender_id=HIM, custody=where)


def described(*victims: DescribedVictim) -> VictimsDescribed:
    return VictimsDescribed(offender_id=HIM, victims=list(victims))


def _notice(number: int) -> dict[str, Any]:
    return {
        "notification_id": f"N-{number}",
        "pair_id": pair(number),
        "offender_id": HIM,
        "tier": Tier.C,
        "channel": Channel.FACE_TO_FACE,
        "template": "c-1",
    }


def prepared(number: int = 1) -> NotificationPrepared:
    return NotificationPrepared(**_notice(number))


def released(number: int = 1) -> NotificationReleased:
    return NotificationReleased(**_notice(number))


def planned(begins: datetime | None, number: int = 1) -> NotificationPlanned:
    until = begins + timedelta(hours=4) if begins is not None else None
    return NotificationPlanned(**_notice(number), planned_from=begins, planned_until=until)


def served(number: int = 1) -> NotificationServed:
    return NotificationServed(**_notice(number), served_at=START, proof=Proof.OFFICER_STATEMENT)


def undone(mistake: ServiceMistake | None = ServiceMistake.WRONG_PERSON, number: int = 1) -> NotificationWithdrawn:
    told_at = START if mistake is None else None
    return NotificationWithdrawn(**_notice(number), served_at=START, withdrawn_at=told_at, mistake=mistake)


def held(number: int = 1) -> NotificationHeld:
    return NotificationHeld(**_notice(number), reasons=[HoldReason.GATE])


def failed(number: int = 1) -> NotificationFailed:
    return NotificationFailed(**_notice(number), reason=FailureReason.NOT_FOUND)


@dataclass
class Bench:
    """Stands in for the loop. Each record comes a second after the one before, unless the test waits longer."""

    policy: Policy = POLICY
    kept: str | None = None
    """Digest of the policy in force in the lane."""
    file: CaseFile = field(default_factory=lambda: CaseFile(HIM))
    now: datetime = START
    out: list[Outgoing] = field(default_factory=list)
    records: int = 0

    def __post_init__(self) -> None:
        policies = Policies(self.policy, lambda policy: policy)
        self.service = VictimOutreach(OutreachStore(policies), policies)

    def input(self, data: Data) -> Input:
        self.records += 1
        self.now += timedelta(seconds=1)
        topic = TOPICS.get(type(data), Topic.VICTIM_OUTREACH_COMMANDS)
        event = Event(
            id=f"event-{self.records}",
            source="/test",
            subject=str(LANE) if isinstance(data, OutreachTick | OutreachActivatePolicy) else HIM,
            time=self.now,
            data=data,
            dataclassification=topic.classification,
            correlationid=getattr(data, "incident_id", None),
        )
        given = Input(event, topic, LANE, self.now, self.now, kept=self.kept)
        self.kept = self.service.lane_kept(given)
        return replace(given, kept=self.kept)

    def put(self, *records: Data) -> Outcome[CaseFile]:
        """Let the records come, in order. The outcome of the last."""
        for data in records:
            outcome = self.apply(self.input(data))
        return outcome

    def apply(self, given: Input) -> Outcome[CaseFile]:
        outcome = self.service.decide(self.file, given)
        self.file = outcome.state
        self.out += outcome.events
        return outcome

    def wait(self, **time: float) -> Bench:
        self.now += timedelta(**time)
        return self

    # the clock

    def tick(self, period: int | None = None) -> Outcome[CaseFile]:
        """The tick of this minute."""
        minute = int(self.now.timestamp()) // 60
        return self.put(OutreachTick(lane=LANE, period=minute if period is None else period))

    def on_the_round(self) -> Outcome[CaseFile]:
        """The next tick on which gates clear outside custody."""
        return self.tick(int(self.now.timestamp()) // 300 * 5 + 5)

    # what there is

    def task(self, kind: TaskKind, number: int | None = None, victim_no: int = 1) -> Task:
        """The only unfinished task of a kind; else the only one. With `number`, of that incident's referral."""
        found = [
            task
            for task in self.file.tasks.values()
            if task.kind is kind and (number is None or task.referral_id == ref(number, victim_no))
        ]
        [only] = [task for task in found if task.unfinished] or found
        return only

    def open_kinds(self) -> list[TaskKind]:
        return sorted(task.kind for task in self.file.unfinished_tasks())

    def gate(self, number: int = 1) -> GateState | None:
        """As last told; None: nothing was said of this pair."""
        told = [one for one in self.told(GateChanged) if one.pair_id == pair(number)]
        return told[-1].gate if told else None

    def told(self, model: type[D]) -> list[D]:
        return [out.event.data for out in self.out if isinstance(out.event.data, model)]

    def story(self) -> list[str]:
        """What was said so far, in short, and forgotten."""
        said, self.out = self.out, []
        return [_short(one.event.data) for one in said]

    # people

    def claim(
        self,
        kind: TaskKind,
        by: str = "ada",
        role: Role | None = None,
        number: int | None = None,
        instead_of: str | None = None,
    ) -> str:
        return self.put(Claim(**self._act(kind, by, role, number), instead_of=instead_of)).result

    def give_back(self, kind: TaskKind, by: str = "ada", role: Role | None = None) -> str:
        return self.put(GiveBack(**self._act(kind, by, role, None))).result

    def attempt(
        self,
        kind: TaskKind = TaskKind.CALL,
        outcome: AttemptOutcome = AttemptOutcome.NO_ANSWER,
        *,
        channel: ContactChannel = ContactChannel.CALL,
        at: datetime | None = None,
        by: str = "ada",
        role: Role | None = None,
        number: int | None = None,
    ) -> str:
        common = self._act(kind, by, role, number)
        return self.put(Attempt(**common, channel=channel, outcome=outcome, attempted_at=at or self.now)).result

    def annul(
        self,
        kind: TaskKind = TaskKind.CALL,
        number: int = 1,
        reason: AnnulReason = AnnulReason.WRONG_TASK,
        by: str = "ada",
        role: Role | None = None,
        of: int | None = None,
    ) -> str:
        return self.put(AnnulAttempt(**self._act(kind, by, role, of), number=number, reason=reason)).result

    def complete(self, kind: TaskKind, by: str = "ada", role: Role | None = None, number: int | None = None) -> str:
        return self.put(Complete(**self._act(kind, by, role, number))).result

    def completed_unshown(self, kind: TaskKind) -> None:
        """As rows are from before a completion needed an attempt."""
        done = replace(self.task(kind), state=TaskState.COMPLETED, ended_at=self.now)
        self.file = replace(self.file, tasks={**self.file.tasks, done.task_id: done})

    def cancel(self, kind: TaskKind, by: str = "sue", role: Role = Role.OUTREACH_SUPERVISOR) -> str:
        return self.put(CancelTask(**self._act(kind, by, role, None))).result

    def reach(self, number: int | None = None) -> None:
        """She is called and answers."""
        self.claim(TaskKind.CALL, number=number)
        self.attempt(outcome=AttemptOutcome.REACHED, number=number)

    def hold(
        self, hold_id: str = "H-1", by: str = "ada", role: Role = Role.ADVOCATE, case_id: str | None = None
    ) -> str:
        return self.put(SafetyHold(offender_id=HIM, by=by, role=role, hold_id=hold_id, case_id=case_id)).result

    def lift(
        self, hold_id: str = "H-1", by: str = "ada", role: Role = Role.ADVOCATE, case_id: str | None = None
    ) -> str:
        return self.put(LiftSafetyHold(offender_id=HIM, by=by, role=role, hold_id=hold_id, case_id=case_id)).result

    def override(
        self,
        by: str,
        role: Role = Role.COORDINATOR,
        number: int = 1,
        reason: OverrideReason = OverrideReason.VICTIM_UNREACHABLE,
    ) -> str:
        return self.put(OverrideGate(offender_id=HIM, by=by, role=role, pair_id=pair(number), reason=reason)).result

    # what advocates record

    def case(self, number: int = 1, victim_no: int = 1) -> str:
        return self.file.referrals[ref(number, victim_no)].case_id

    def advise(
        self, model: type[CaseCommand], by: str = "ada", role: Role = Role.COMMUNITY_ADVOCATE, **more: Any
    ) -> str:
        """An act on a case, her first unless `case_id` says which."""
        case_id = more.pop("case_id", None) or self.case()
        return self.put(model(offender_id=HIM, by=by, role=role, case_id=case_id, **more)).result

    def safe(self, *channels: ContactChannel, role: Role = Role.COMMUNITY_ADVOCATE, **more: Any) -> str:
        """She says that these ways are safe; of the others nothing."""
        entries = [ChannelSafety(channel=one, safety=ContactSafety.SAFE, address=ADDRESS[one]) for one in channels]
        return self.advise(RecordSafeContact, role=role, channels=entries + more.pop("unsafe", []), **more)

    def link(self, model: type[LinkCommand] = LinkVictims, one: str = "V-1", other: str = "V-2", **more: Any) -> str:
        role = more.pop("role", Role.COMMUNITY_ADVOCATE)
        data = model(offender_id=HIM, by="ada", role=role, victim_id=one, other_victim_id=other, **more)
        return self.put(data).result

    def send(self, channel: ContactChannel = ContactChannel.TEXT, number: int = 1, **more: Any) -> str:
        """A message asked for, on her call."""
        common = self._act(more.pop("kind", TaskKind.CALL), "ada", more.pop("role", None), more.pop("incident", None))
        sent = SendMessage(**common, message_id=f"M-{number}", channel=channel, text=MessageText.RESOURCES, **more)
        return self.put(sent).result

    def _act(self, kind: TaskKind, by: str, role: Role | None, number: int | None) -> dict[str, Any]:
        task = self.task(kind, number)
        usual = USUAL[task.owner]
        return {"offender_id": HIM, "by": by, "role": role or usual, "task_id": task.task_id}


def _short(data: Data) -> str:
    match data:
        case GateChanged():
            return f"gate {data.gate} v{data.version}"
        case TaskData():
            what = data.TYPE.split(".")[2]
            return f"{data.kind} {what}" + (f" ({data.reason})" if hasattr(data, "reason") else "")
    return data.TYPE
