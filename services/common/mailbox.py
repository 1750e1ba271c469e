"""Records polled for one lane and not yet worked, commands first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import ConsumerRecord

HIGH_WATER = 2_000
"""Records in hand at which polling of a lane pauses, and at a quarter of which it resumes."""


class Mailbox:
    """One queue a topic, in the order given: put the commands topic first, or a backlog of incidents starves people."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._queues: dict[str, deque[ConsumerRecord]] = {topic: deque() for topic in topics}
        self._arrived = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def head(self, topic: str) -> int | None:
        """Offset of the next record of `topic`, if one waits."""
        queue = self._queues[topic]
        return queue[0].offset if queue else None

    def put(self, topic: str, records: Iterable[ConsumerRecord]) -> None:
        self._queues[topic].extend(records)
        self._arrived.set()

    def put_back(self, records: Sequence[ConsumerRecord]) -> None:
        """Return records just taken to the front, in their order."""
        for record in reversed(records):
            self._queues[record.topic].appendleft(record)
        if records:
            self._arrived.set()

    def clear(self) -> None:
        for queue in self._queues.values():
            queue.clear()
        self._arrived.clear()

    def open(self) -> None:
        self._closed = False

    def close(self) -> None:
        """No more is taken; whoever waits is woken."""
        self._closed = True
        self.clear()
        self._arrived.set()

    @property
    def closed(self) -> bool:
        return self._closed

    def take(self, limit: int, below: Mapping[str, int] | None = None) -> list[ConsumerRecord]:
        """Up to `limit` records; with `below`, only of its topics and before the offset it gives.

        Who takes nothing waits for what arrives, whatever is in hand that is not to be taken yet.
        """
        taken: list[ConsumerRecord] = []
        for topic, queue in self._queues.items():
            if below is not None and topic not in below:
                continue
            while queue and len(taken) < limit and (below is None or queue[0].offset < below[topic]):
                taken.append(queue.popleft())
        if not taken or not len(self):
            self._arrived.clear()
        return taken

    async def wait(self, timeout: float) -> None:
        """Until something is there, the mailbox closes, or `timeout` seconds have passed."""
        try:
            async with asyncio.timeout(timeout):
                await self._arrived.wait()
        except TimeoutError:
            pass
