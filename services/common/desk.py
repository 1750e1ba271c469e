"""The desk where the API hands in a person's command, and waits a moment for its service to have applied it.

One way in: the log. The command goes to the service's own command topic; the answer is the inbox row the service's loop
writes with the effect. Never memory: another replica may own the lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from aiokafka.errors import KafkaError

from schemas.commands import CallInCommand, PersonCommand
from schemas.envelope import Data, Event, Message, deterministic_id, encode
from schemas.topics import Topic
from services.common.records import content_digest, lane_of

KEY_REUSED = "key_reused"
"""Code of a refusal: this form was sent before and said something else."""


@dataclass(frozen=True, slots=True)
class Noted:
    """What the inbox says of a command that took effect."""

    outcome: str
    digest: str | None


InboxReader = Callable[[str, Sequence[str]], Awaitable[Noted | None]]
"""(source, ids) to what the inbox has of one of them, None while it has none."""
LaneRefusal = Callable[[int], Awaitable[str | None]]
"""Lane to the code why nobody may work in it, None while all is well."""


class Standing(StrEnum):
    """What became of a command, as far as is known when the answer is due."""

    APPLIED = "applied"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    """In the log for good, not applied yet."""
    UNAVAILABLE = "unavailable"
    """Not taken, or not known to be: send the same form again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one form. `code` says why, where it is refused or unavailable."""

    standing: Standing
    command_id: str
    code: str | None = None


class Desk(Protocol):
    """What an API needs of the log."""

    async def submit(self, command: PersonCommand, *, form_id: str, offender_id: str) -> Reply:
        """Hand in `command`. The same form by the same person is the same command, and has the same answer.

        A form sent again with other content is refused (`key_reused`), and what it said first stands.
        """
        ...


class Producer(Protocol):
    """The one call of aiokafka's (idempotent) producer that is made."""

    async def send_and_wait(
        self, topic: str, *, value: bytes | None, key: bytes | None, partition: int, headers: list[tuple[str, bytes]]
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class Reporter:
    """Where a service's own worker says what became of what it was given to do: into the log, like everything else."""

    service: str
    topic: Topic
    lanes: int
    producer: Producer

    async def report(self, data: Data, *, about: str, offender_id: str) -> None:
        """Said again, it is the same event. Raises `KafkaError` where the log cannot be reached."""
        source = f"/ipvi/{self.service}/worker"
        event = Event(
            id=deterministic_id(data.TYPE, about),
            source=source,
            subject=offender_id,
            time=datetime.now(UTC),
            data=data,
            dataclassification=self.topic.classification,
        )
        message = encode(event)
        await self.producer.send_and_wait(
            self.topic.value,
            value=message.value,
            key=message.key,
            partition=lane_of(offender_id, self.lanes),
            headers=list(message.headers),
        )


@dataclass(frozen=True, slots=True)
class LogDesk:
    """A desk before one service's command topic. Times are seconds."""

    service: str
    topic: Topic
    lanes: int
    producer: Producer
    inbox: InboxReader
    refusal: LaneRefusal
    patience: float = 2.0
    poll: float = 0.01
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def source(self) -> str:
        """CloudEvents source of the commands."""
        return f"/ipvi/{self.service}/api"

    async def submit(self, command: PersonCommand | CallInCommand, *, form_id: str, offender_id: str) -> Reply:
        """See `Desk`; `offender_id` is the key of the lane, of a call-in its own id.

        Looks into the inbox first, so that a form sent again is answered even where the lane is down.
        """
        lane = lane_of(offender_id, self.lanes)
        # The person is part of the id: nobody's act may be swallowed as the repeat of another's. The lane is, since each
        # lane tells repeats by itself; whichever had the form first is found by asking for all of them.
        ids = [deterministic_id("command", command.by, form_id, number) for number in range(self.lanes)]
        event = self._event(ids[lane], command, offender_id)
        message = encode(event)
        noted = await self.inbox(self.source, ids)
        if noted is None:
            if refusal := await self.refusal(lane):
                return Reply(Standing.UNAVAILABLE, event.id, refusal)
            deadline = asyncio.get_running_loop().time() + self.patience
            try:
                async with asyncio.timeout_at(deadline):
                    await self._send(message, lane)
            except (KafkaError, TimeoutError):
                return Reply(Standing.UNAVAILABLE, event.id, "log_unreachable")
            noted = await self._noted(event.id, deadline)
        if noted is not None and noted.digest not in (None, content_digest(message.value)):
            return Reply(Standing.REFUSED, event.id, KEY_REUSED)
        return _reply(event.id, noted.outcome if noted else None)

    def _event(self, command_id: str, command: PersonCommand | CallInCommand, offender_id: str) -> Event[Data]:
        return Event(
            id=command_id,
            source=self.source,
            subject=offender_id,
            time=self.clock(),
            data=command,
            dataclassification=self.topic.classification,
        )

    async def _send(self, message: Message, lane: int) -> None:
        await self.producer.send_and_wait(
            self.topic.value,
            value=message.value,
            key=message.key,
            partition=lane,
            headers=list(message.headers),
        )

    async def _noted(self, command_id: str, deadline: float) -> Noted | None:
        """What the inbox says by then. Between reads, not in the midst of one: a query is never cut off."""
        clock = asyncio.get_running_loop().time
        while (noted := await self.inbox(self.source, [command_id])) is None and clock() < deadline:  # noqa: ASYNC110 (the row is another process's)
            await asyncio.sleep(self.poll)
        return noted


def _reply(command_id: str, outcome: str | None) -> Reply:
    match (outcome or "").partition(":"):
        case ("", _, _):
            return Reply(Standing.ACCEPTED, command_id)
        case ("applied" | "none", _, _):
            return Reply(Standing.APPLIED, command_id)
        case (_, _, code):  # refused by a decision, or rejected as a record
            return Reply(Standing.REFUSED, command_id, code)
