"""A hall for call-ins: offenders with a notice of the B-list each, and meetings, in one lane."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from schemas.classification import Tier
from schemas.commands import Attend, NotifierTick, PlanCallIn, Role, Seat
from schemas.envelope import pair_id
from schemas.outreach import GateChanged, GateHeartbeat, GateState
from schemas.person import Custody, OffenderDescribed
from schemas.topics import Topic
from services.notifier.domain import CallIn, Notice, Offender
from tests.harness.notices import decision, incident
from tests.harness.two_lanes import START, TwoLanes

MEETING = "2b1f6a0e-5f0c-5d8a-9a55-6f1a0b9c7d33"
OTHER = "9d0c2b77-1f7e-5a44-8c3b-1e2f3a4b5c6d"
AT = START + timedelta(days=10)


class Hall(TwoLanes):
    """Offenders with a notice of the B-list each, and call-ins; victim outreach is played by the test."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.outreach.down = True
        self.gates: dict[str, int] = {}

    def on_b(self, *names: str, clear: bool = True) -> None:
        for name in names:
            made = decision(1, Tier.B, offender_id=name, pair_id=pair_id(incident(1), name))
            self.put(Topic.DECISIONS, made, name)
            self.gate(name, GateState.CLEAR if clear else GateState.SHUT)
        self.beat()

    def gate(self, name: str, state: GateState) -> None:
        self.gates[name] = version = self.gates.get(name, 0) + 1
        word = GateChanged(pair_id=pair_id(incident(1), name), offender_id=name, gate=state, version=version, answers=1)
        self.put(Topic.OUTREACH_GATES, word, name)
        self.settle()

    def beat(self) -> None:
        """The keeper is heard, and the clock looks."""
        self.put(Topic.OUTREACH_GATES, GateHeartbeat(lane=0), "0")
        self.put(Topic.NOTIFIER_COMMANDS, NotifierTick(lane=0, period=int(self.now.timestamp()) // 60), "0")
        self.settle()

    def settle(self) -> None:
        self.jump(self.now)

    def act(self, model: type[Any], *, meeting: str = MEETING, role: Role = Role.COORDINATOR, **more: Any) -> str:
        id_ = self.put(
            Topic.NOTIFIER_COMMANDS, model(call_in_id=meeting, by="j.castellano", role=role, **more), meeting
        )
        self.settle()
        return self.result(id_)

    def plan(self, meeting: str = MEETING, capacity: int = 20, at: datetime = AT, **more: Any) -> str:
        common: dict[str, Any] = {
            "starts_at": at,
            "venue": "City Hall",
            "capacity": capacity,
            "speakers": ["Chief of Police"],
        }
        return self.act(PlanCallIn, meeting=meeting, **(common | more))

    def seat(self, name: str, meeting: str = MEETING) -> str:
        notice_id = self.notice(name).notification_id
        return self.act(Seat, meeting=meeting, seated_offender_id=name, notification_id=notice_id)

    def attend(self, name: str, *, came: bool, meeting: str = MEETING) -> str:
        notice_id = self.notice(name).notification_id
        common: dict[str, Any] = {
            "offender_id": name,
            "by": "m.ellison",
            "role": Role.OFFICER,
            "notification_id": notice_id,
        }
        word = Attend(**common, call_in_id=meeting, attended=came)
        id_ = self.put(Topic.NOTIFIER_COMMANDS, word, name)
        self.settle()
        return self.result(id_)

    def wait_until(self, moment: datetime) -> None:
        self.jump(moment)
        self.beat()

    def notice(self, name: str) -> Notice:
        state = self.notifier.states[name]
        assert isinstance(state, Offender)
        [only] = state.notices.values()
        return only

    def meeting(self, key: str = MEETING) -> CallIn:
        state = self.notifier.states[key]
        assert isinstance(state, CallIn)
        return state

    def roster(self, key: str = MEETING) -> dict[str, str]:
        return {place.offender_id: str(place.state) for place in self.meeting(key).roster.values()}


def custody(hall: Hall) -> None:
    where = Custody(booking_id="J-1", booked_at=hall.now)
    hall.put(Topic.OFFENDERS, OffenderDescribed(offender_id="O-1", custody=where), "O-1")
    hall.settle()
