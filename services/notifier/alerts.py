"""Calls whoever is on duty, after the commit: each alert is in the journal once, and sent at least once.

The alerts' topic is read as it was committed, and a place in it is passed only when somebody was told or it is too old.
Killed in between, the next reader says it again; what it says is the same for every task, so once too often does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from schemas.duty import DutyAlerted, DutyRole
from schemas.policy_notices import Duty
from schemas.topics import Topic
from services.common import metrics
from services.common.database import Database
from services.common.desk import Reporter
from services.common.duty import Pager
from services.common.records import parse

log = structlog.get_logger(__name__)

GROUP = "ipvi-duty-alerts"
GOOD_FOR = timedelta(minutes=30)
"""An older alert is not sent: what nobody has taken by then has been raised again, or will be."""
AGAIN_S = 20.0
"""After nobody could be told: the mail server may be back."""
_POLL_MS = 1_000


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AlertSender:
    """One replica's; Kafka's group gives each partition to one of them."""

    bootstrap: str
    pager: Pager
    duty: Duty
    now: Callable[[], datetime] = _utc_now
    again: float = AGAIN_S

    async def run(self, database: Database, reporter: Reporter) -> None:
        """Until cancelled. See `services.common.replica.Companion`; needs neither tables nor the log."""
        async with AIOKafkaConsumer(
            str(Topic.DUTY_ALERTS),
            bootstrap_servers=self.bootstrap,
            group_id=GROUP,
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        ) as consumer:
            while True:
                polled = await consumer.getmany(timeout_ms=_POLL_MS)
                records = [record for part in polled.values() for record in part]
                if records:
                    await self.tell(records)
                    await consumer.commit()

    async def tell(self, records: Sequence[ConsumerRecord]) -> None:
        """One call to each role, however many tasks. Returns when somebody was told of all of them, or they are too old."""
        while waiting := self._waiting(records):
            left = [role for role in sorted(waiting) if not await self._page(role, waiting[role])]
            if not left:
                return
            log.error("duty.nobody_told", roles=[str(role) for role in left])
            records = [record for record in records if _alert(record) and _role(record) in left]
            await asyncio.sleep(self.again)

    def _waiting(self, records: Sequence[ConsumerRecord]) -> dict[DutyRole, str]:
        """Roles to be called, each with the id of its first alert."""
        since = self.now() - GOOD_FOR
        found: dict[DutyRole, str] = {}
        for record in records:
            alert = _alert(record)
            if alert is not None and datetime.fromtimestamp(record.timestamp / 1000, UTC) >= since:
                found.setdefault(alert.role, alert.alert_id)
        return found

    async def _page(self, role: DutyRole, alert_id: str) -> bool:
        told = await self.pager.page(alert_id, self._ladder(role), self.now())
        metrics.pages.labels("notifier", "told" if told else "nobody").inc()
        return told

    def _ladder(self, role: DutyRole) -> Sequence[DutyRole]:
        """The role, then whoever comes after it where it stands in a ladder: a role that nobody fills now is passed over."""
        for ladder in (self.duty.notices, self.duty.enforcement, self.duty.help, self.duty.holds):
            if role in ladder:
                return ladder[ladder.index(role) :]
        return [role]


def _alert(record: ConsumerRecord) -> DutyAlerted | None:
    event = parse(record).event
    return event.data if event is not None and isinstance(event.data, DutyAlerted) else None


def _role(record: ConsumerRecord) -> DutyRole | None:
    alert = _alert(record)
    return alert.role if alert is not None else None
