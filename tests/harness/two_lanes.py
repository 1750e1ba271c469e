"""One lane of notifier and of victim_outreach in this process, with topics between them that are slow as a test wishes.

The services' own code, by the loop's own worker; only Kafka and SQL are left out. Each topic keeps its order; two topics
have none between them. Times are simulated, and the broker's stamp is the moment a record was appended.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from aiokafka import ConsumerRecord

from schemas.commands import NotifierTick, OutreachTick
from schemas.envelope import Data, Event, Message, encode
from schemas.policy_file import load_policy
from schemas.topics import Topic
from services.common.policies import Policies
from services.common.positions import LaneRow
from services.common.records import parse
from services.common.service import Service
from services.common.work import Worker
from services.notifier.app import compose
from services.victim_outreach.store import OutreachStore
from services.victim_outreach.stream import VictimOutreach
from tests.harness.working import work

POLICY = load_policy("high-point-practice")
START = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class _Half:
    """One service: its state and its place in time."""

    worker: Worker[Any]
    row: LaneRow = field(default_factory=lambda: LaneRow(1))
    states: dict[str, Any] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    heard_until: dict[str, datetime] = field(default_factory=dict)
    down: bool = False


def _half(service: Service[Any]) -> _Half:
    return _Half(Worker(service, 0, 1))


@dataclass
class TwoLanes:
    """`lag`: seconds a record needs from the log to a reader, asked anew for each."""

    lag: Callable[[], float] = lambda: 0.005
    now: datetime = START
    said: list[tuple[datetime, Event[Data]]] = field(default_factory=list)
    """Record time and event of all that was written, in order."""

    def __post_init__(self) -> None:
        self.notifier = _half(compose(POLICY, lanes=1))
        self.outreach = _half(VictimOutreach(OutreachStore(), Policies(POLICY, lambda policy: policy)))
        self._mail: list[tuple[datetime, int, _Half, ConsumerRecord[bytes, bytes]]] = []
        self._numbers = count()

    def put(self, topic: Topic, data: Data, subject: str) -> str:
        """Write one event to the log, now. Its id."""
        event = Event(
            id=f"event-{next(self._numbers)}",
            source="/tests",
            subject=subject,
            time=self.now,
            data=data,
            dataclassification=topic.classification,
        )
        self._append(str(topic), encode(event))
        return event.id

    def tick(self) -> None:
        """This minute's word of the clock, to both."""
        period = int(self.now.timestamp()) // 60
        self.put(Topic.VICTIM_OUTREACH_COMMANDS, OutreachTick(lane=0, period=period), "0")
        self.put(Topic.NOTIFIER_COMMANDS, NotifierTick(lane=0, period=period), "0")

    def run(self, until: datetime, *, ticks: bool = True) -> None:
        """Let time go by, with a tick at each full minute."""
        while self.now < until:
            minute = datetime.fromtimestamp((int(self.now.timestamp()) // 60 + 1) * 60, UTC)
            self._deliver(min(minute, until) if ticks else until)
            if ticks and self.now == minute:
                self.tick()

    def jump(self, to: datetime) -> None:
        """What is on its way arrives; then nothing happens until `to` (the lanes were not ticked)."""
        while self._mail:
            self._deliver(self._mail[0][0])
        self.now = max(self.now, to)

    def result(self, id_: str) -> str:
        """What became of a command."""
        return self._results[id_]

    _results: dict[str, str] = field(default_factory=dict)

    def of(self, model: type[Data]) -> Sequence[tuple[datetime, Any]]:
        return [(at, event.data) for at, event in self.said if isinstance(event.data, model)]

    def _append(self, topic: str, message: Message) -> None:
        stamp = int(self.now.timestamp() * 1000)
        record: ConsumerRecord[bytes, bytes] = ConsumerRecord(
            topic, 0, next(self._numbers), stamp, 1, message.key, message.value, None, 0, 0, tuple(message.headers)
        )
        parsed = parse(record)
        if parsed.event is not None:
            self.said.append((parsed.at, parsed.event))
        for half in (self.notifier, self.outreach):
            if topic in half.worker.service.inputs:
                at = max(self.now + timedelta(seconds=self.lag()), half.heard_until.get(topic, self.now))
                half.heard_until[topic] = at
                heapq.heappush(self._mail, (at, next(self._numbers), half, record))

    def _deliver(self, until: datetime) -> None:
        while self._mail and self._mail[0][0] <= until:
            at, _, half, record = heapq.heappop(self._mail)
            self.now = max(self.now, at)
            if not half.down:
                self._work(half, record)
        self.now = max(self.now, until)

    def _work(self, half: _Half, record: ConsumerRecord[bytes, bytes]) -> None:
        parsed = parse(record)
        due = sorted(half.states) if parsed.is_for_lane else ()
        worked = work(half.worker, half.row, [parsed], half.states, half.seen, due=due)
        assert worked.failed is None and not worked.overslept and not worked.rejects
        half.row = worked.row
        half.states |= {key: after for key, (_, after) in worked.changed.items()}
        for row in worked.inbox:
            half.seen.add((row["source"], row["id"]))
            self._results[row["id"]] = row["outcome"]
        for out in worked.journal:
            self._append(out.topic, Message(out.key, out.value, out.headers))
