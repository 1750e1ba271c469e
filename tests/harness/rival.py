"""A probe replica that believes it owns every lane, whoever else does: the group's offsets and transactional ids, another's
membership. `python -m tests.harness.rival` runs one."""

from __future__ import annotations

import asyncio

from services.common import logs
from services.common.replica import Replica
from services.common.settings import CommonSettings
from services.common.stream import make_broker, subscribe
from tests.harness.probe import Count, Probe


class Rival(Replica[Count]):
    """Assigned all partitions by a group of its own, so that no rebalance ever tells it that others work the lanes too."""

    def __init__(self, settings: CommonSettings) -> None:
        super().__init__(Probe(), settings)
        self._broker = make_broker(settings.kafka)
        self._process = subscribe(
            self._broker,
            self.lanes,
            self.topics,
            group=f"{self.group}-rival",
            instance=None,
            session_timeout_ms=settings.session_timeout_ms,
        )


if __name__ == "__main__":
    logs.configure(Probe.name)
    asyncio.run(Rival(CommonSettings()).run())
