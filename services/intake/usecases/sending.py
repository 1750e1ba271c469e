"""From the outbox to the stream, in order, by one process at a time.

Each batch is one Kafka transaction under one transactional id: whoever takes over fences the earlier one, whose records can
then no longer arrive late, behind newer ones. Of a batch whose end is not known the rows still stand in the outbox and go out
again, with the same ids and before anything newer.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from aiokafka.errors import KafkaError, ProducerFenced

from services.common.database import Database
from services.common.errors import IpviError
from services.intake.store import outbox
from services.intake.store.outbox import Waiting

_AT_ONCE: Final = 500
_MOST_BYTES: Final = 8 * 1024 * 1024
_HELD_S: Final = 5.0
"""How long a process may be silent before another empties the outbox in its place; one that was only slow is fenced."""
_LOOK_S: Final = 0.02
_AGAIN_S: Final = 0.5


class StreamError(IpviError):
    """The stream cannot be written to; nothing is lost: ingest the file again from its start."""


class Producer(Protocol):
    """A transactional producer. After any error its outcome is unknown: close it and make a new one."""

    async def start(self) -> None: ...

    async def publish(self, rows: Sequence[Waiting]) -> None: ...

    async def close(self) -> None: ...


class Sender:
    """Empties the outbox. One a process; `deliver` may be called by as many as like."""

    def __init__(
        self,
        database: Database,
        producer: Callable[[], Producer],
        *,
        patience: float = 60.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`patience`: seconds to wait for another process that is at it, or for a broker that does not take it."""
        self._database = database
        self._make = producer
        self._patience = patience
        self._clock = clock
        self._name = uuid.uuid4().hex
        self._turn = asyncio.Lock()
        self._producer: Producer | None = None
        self._epoch: int | None = None

    async def deliver(self, upto: int) -> None:
        """Returns when the broker has answered for every row up to `upto`. Raises `StreamError`; the rows stay then."""
        now = asyncio.get_running_loop().time
        deadline = now() + self._patience
        while True:
            pause, why = _LOOK_S, StreamError("another process writes to the stream and does not come to an end")
            try:
                async with self._turn:
                    if await self._is_sent(upto):
                        return
                    if await self._mine():
                        await self._some()
                        continue
            except StreamError as failed:
                pause, why = _AGAIN_S, failed
            if now() > deadline:
                raise why
            await asyncio.sleep(pause)

    async def _is_sent(self, upto: int) -> bool:
        async with self._database.read() as conn:
            oldest = await outbox.first(conn)
        return oldest is None or oldest > upto

    async def _mine(self) -> bool:
        async with self._database.write() as conn:
            epoch = await outbox.hold(conn, self._name, self._clock(), _HELD_S)
        if epoch is not None and epoch != self._epoch:
            await self._drop()
            producer = self._make()
            try:
                await producer.start()
            except (KafkaError, TimeoutError, OSError) as failed:
                await producer.close()
                raise _untaken(failed) from failed
            except BaseException:
                await producer.close()
                raise
            self._producer, self._epoch = producer, epoch
        return epoch is not None

    async def _some(self) -> None:
        async with self._database.read() as conn:
            rows = await outbox.waiting(conn, _AT_ONCE, _MOST_BYTES)
        if not rows:
            return
        assert self._producer is not None
        try:
            await self._producer.publish(rows)
        except ProducerFenced:
            await self._drop()  # another has taken over, and these rows with it
            return
        except (KafkaError, TimeoutError, OSError) as failed:
            await self._drop()
            raise _untaken(failed) from failed
        except BaseException:
            await self._drop()
            raise
        async with self._database.write() as conn:
            await outbox.sent(conn, rows[-1].seq)

    async def _drop(self) -> None:
        """The next one must fence this one: its epoch is no longer ours."""
        producer, self._producer, self._epoch = self._producer, None, None
        if producer is not None:
            await producer.close()

    async def close(self) -> None:
        """Let another process go on at once."""
        await self._drop()
        async with self._database.write() as conn:
            await outbox.release(conn, self._name, self._clock())


def _untaken(failed: BaseException) -> StreamError:
    return StreamError(
        f"the broker did not take the records ({type(failed).__name__}); "
        "what was taken is kept and goes out later; sent again, nothing is doubled"
    )
