"""Records polled for one lane and not yet worked, commands first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from aiokafka import ConsumerRecord

HIGH_WATER = 1_000
"""Records of one topic in hand at which its polling pauses, and at a quarter of which it resumes."""


class Mailbox:
    """One queue a topic, in the order given: put the commands topic first, or a backlog of incidents starves people."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._queues: dict[str, deque[ConsumerRecord]] = {topic: deque() for topic in topics}
        self._arrived = asyncio.Event()
        self._closed = False

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def count(self, topic: str) -> int:
        return len(self._queues[topic])

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
        """Up to `limit` records, commands first; with `below`, of its topics alone, before the offset it gives, as they came.

        Who takes nothing waits for what arrives, whatever is in hand that is not to be taken yet.
        """
        taken = list(islice(self._commands_first() if below is None else self._as_they_came(below), limit))
        if not taken or not len(self):
            self._arrived.clear()
        return taken

    def _commands_first(self) -> Iterator[ConsumerRecord]:
        for queue in self._queues.values():
            while queue:
                yield queue.popleft()

    def _as_they_came(self, below: Mapping[str, int]) -> Iterator[ConsumerRecord]:
        """By the broker's time, and of one time commands last: people answered what they had seen.

        Stops where nothing of a topic has arrived: what comes might be the next.
        """
        left = [topic for topic in reversed(self._queues) if topic in below]
        while True:
            left = [each for each in left if not self._queues[each] or self._queues[each][0].offset < below[each]]
            if not left or not all(self._queues[each] for each in left):
                return
            first = min(left, key=lambda topic: self._queues[topic][0].timestamp)
            record = self._queues[first].popleft()
            if record.offset + 1 == below[first]:
                left.remove(first)
            yield record

    async def wait(self, timeout: float) -> None:
        """Until something is there, the mailbox closes, or `timeout` seconds have passed."""
        try:
            async with asyncio.timeout(timeout):
                await self._arrived.wait()
        except TimeoutError:
            pass
