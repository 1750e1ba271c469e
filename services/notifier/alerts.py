"""Calls whoever is on duty, after the commit: each alert is in the journal once, and sent at least once.

The alerts' topic is read as it was committed, and a place in it is passed only when somebody was told, or when the clock has
called again since. Killed in between, the next reader says it again; what it says is the same for every task, so once too often
does no harm. Where nobody can be told in one role, the others are told all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.duty import DutyAlerted, DutyRole
from schemas.policy import Policy
from schemas.topics import Topic
from services.common import metrics
from services.common.cluster import Cluster
from services.common.database import Database
from services.common.desk import Reporter
from services.common.duty import Pager, upwards
from services.common.policies import Prevailing
from services.common.records import broker_time, parse

log = structlog.get_logger(__name__)

GROUP = "ipvi-duty-alerts"
AGAIN = timedelta(seconds=20)
"""After nobody could be told: the mail server may be back."""
_POLL_MS = 1_000


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that nobody has been told of. `at`: when it was written."""

    place: TopicPartition
    offset: int
    at: datetime
    alert_id: str
    role: DutyRole


@dataclass(slots=True)
class AlertSender:
    """One replica's; Kafka's group gives each partition to one of them."""

    cluster: Cluster
    pager: Pager
    policies: Prevailing
    now: Callable[[], datetime] = _utc_now
    _failed: dict[DutyRole, datetime] = field(default_factory=dict)
    """When nobody could be told in a role, for the last time."""

    async def run(self, database: Database, reporter: Reporter) -> None:
        """Until cancelled. See `services.common.replica.Companion`."""
        async with AIOKafkaConsumer(
            str(Topic.DUTY_ALERTS),
            **self.cluster.client(),
            group_id=GROUP,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        ) as consumer:
            waiting: Sequence[Waiting] = []
            passed: dict[TopicPartition, int] = {}
            while True:
                polled = await consumer.getmany(timeout_ms=_POLL_MS)
                waiting = [*waiting, *alerts(record for part in polled.values() for record in part)]
                waiting = [one for one in waiting if one.place in consumer.assignment()]
                if waiting:
                    waiting = await self.tell(waiting, await self.policies.now(database.read))
                if (now := await _told_through(consumer, waiting)) != passed:
                    await consumer.commit(now)
                    passed = now

    async def tell(self, waiting: Sequence[Waiting], policy: Policy) -> Sequence[Waiting]:
        """One call to each role, however many tasks. Those that still wait: a role that nobody could be told in is tried later.

        An alert is given up when its clock has called again, or will at once: after `repeat_hours`.
        """
        since = self.now() - timedelta(hours=policy.notices.repeat_hours)
        fresh = [one for one in waiting if one.at >= since]
        for role in sorted({one.role for one in waiting} - {one.role for one in fresh}):
            log.error("duty.given_up", role=str(role))
        first = {one.role: one for one in reversed(fresh)}
        told = {role for role in sorted(first) if await self._page(first[role], policy)}
        return [one for one in fresh if one.role not in told]

    async def _page(self, alert: Waiting, policy: Policy) -> bool:
        now, role, duty = self.now(), alert.role, policy.notices.duty
        if role in self._failed and now < self._failed[role] + AGAIN:
            return False
        roles = upwards((duty.notices, duty.enforcement, duty.help, duty.holds), role)
        told = await self.pager.page(alert.alert_id, roles, now.astimezone(ZoneInfo(policy.time_zone)))
        metrics.pages.labels("notifier", "told" if told else "nobody").inc()
        if told:
            self._failed.pop(role, None)
        else:
            self._failed[role] = now
            log.error("duty.nobody_told", role=str(role))
        return told


def alerts(records: Iterable[ConsumerRecord]) -> Iterator[Waiting]:
    """Those of the records that are one."""
    for record in records:
        event = parse(record).event
        if event is not None and isinstance(event.data, DutyAlerted):
            place = TopicPartition(record.topic, record.partition)
            yield Waiting(place, record.offset, broker_time(record), event.data.alert_id, event.data.role)


async def _told_through(consumer: AIOKafkaConsumer, waiting: Sequence[Waiting]) -> dict[TopicPartition, int]:
    """Where the next reader begins: with the first that still waits."""
    held = {place: min(one.offset for one in waiting if one.place == place) for place in {one.place for one in waiting}}
    return {place: held.get(place, await consumer.position(place)) for place in consumer.assignment()}
