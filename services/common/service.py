"""What a service plugs into the loop: where its state lives, and a pure decision per record.

The loop (`lane.py`) owns positions, the inbox, the journal, rejects and both transactions. A service sees one record at a
time with the state of that record's offender, and answers with the new state and the events that follow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar, runtime_checkable

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Data, Event, deterministic_id
from schemas.topics import Topic

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Input:
    """One record, parsed. `at` is its record time; `now` the lane's clock, the highest record time seen so far.

    `heard`: record time of the last lane-level event of each type (those whose data names a `lane`: heartbeats).
    `counts`: how often the lane's records were `Outcome.counted` under each name in the hour before `now`.
    `kept`: what the service keeps of the lane (`Service.lane_kept`). `due`: keys a lane-level record is for.
    """

    event: Event[Data]
    topic: Topic
    lane: int
    at: datetime
    now: datetime
    heard: Mapping[str, datetime] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    kept: str | None = None
    due: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to be journalled and published. Goes to the lane's own partition unless `other_lane`.

    `about` names what the event is about (a pair id), by which its payload is found and overwritten on expunction.
    `tombstone` ends the key's record on a compacted topic: published with no value. `last_word`: it says what is erased, so
    that no redaction may touch it before it is out; `about` finds it once it has done its work.
    """

    topic: str
    event: Event[Data]
    about: str | None = None
    tombstone: bool = False
    other_lane: bool = False
    last_word: bool = False


@dataclass(frozen=True, slots=True)
class Redaction:
    """`text` may stand no more in what was said of `subjects`, nor in a dead letter of nobody knows whom.

    An entry of a list goes alone; where anything else of a row holds it, the row is overwritten.
    """

    subjects: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Outcome(Generic[S]):
    """What one record did. `result` is what the sender of a command is told: `applied`, `none`, `refused:<code>`.

    `erase` names what (`Outgoing.about`, `Service.about`) must be overwritten in journal, inbox and rejects at once;
    `redact` what may be named nowhere else either.
    `counted` adds one to the lane's count of each name it holds; a later record of the lane sees it in `Input.counts`.
    """

    state: S
    events: tuple[Outgoing, ...] = ()
    result: str = "applied"
    erase: tuple[str, ...] = ()
    redact: tuple[Redaction, ...] = ()
    counted: tuple[str, ...] = ()


class Refused(Exception):  # noqa: N818 (an answer, not a fault)
    """A person's command may not be done; the text is the code its sender is told (`docs/api.md`)."""


class Store(Protocol[S]):
    """Tables of one service. Every call runs inside the loop's transaction, which alone commits."""

    metadata: MetaData

    def new(self, key: str) -> S:
        """The state of an offender never seen."""
        ...

    async def load(self, conn: AsyncConnection, keys: Collection[str]) -> dict[str, S]:
        """States of those of `keys` that are stored."""
        ...

    async def save(self, conn: AsyncConnection, lane: int, changed: Mapping[str, tuple[S, S]]) -> None:
        """Write the difference of (before, after) per key. The lane is the only writer of these rows."""
        ...

    async def due(self, conn: AsyncConnection, lane: int, now: datetime) -> Sequence[str]:
        """Keys for which the clock has work at `now`, in a fixed order."""
        ...


@runtime_checkable
class LaneStore(Protocol):
    """What a store may do besides, where more than ticks speaks to its service's lanes."""

    async def opened(self, conn: AsyncConnection, lane: int, kept: str | None) -> str | None:
        """At a claim, in its transaction: make ready what the lane keeps. Returns it; where there is none yet, the first.

        Raises `LaneRefusedError` where it cannot be had.
        """
        ...

    async def wanted(self, conn: AsyncConnection, lane: int, data: Data) -> Sequence[str] | None:
        """Keys that a lane-level record is for, in a fixed order; None: those that are due."""
        ...

    async def keep(self, conn: AsyncConnection, lane: int, data: Data) -> None:
        """In step 4: write down what a lane-level record brought."""
        ...


@runtime_checkable
class Keyed(Protocol):
    """A service whose tables hold keyed hashes: they mean nothing under another key."""

    @property
    def key_mark(self) -> str:
        """What its key makes of a thing that is nobody's: by that the key is known again, and cannot be read."""
        ...


class Service(Protocol[S]):
    """One service's part of the loop. `decide` is pure: no wall clock, no randomness, no I/O.

    Raises `InvalidRecord` for a record that can never be applied (state must then be unchanged). Any other error of
    `decide` counts against the record's offender, who is parked at the third.
    """

    @property
    def name(self) -> str: ...

    @property
    def inputs(self) -> tuple[Topic, ...]: ...

    @property
    def rejects(self) -> Topic: ...

    @property
    def store(self) -> Store[S]: ...

    def decide(self, state: S, given: Input) -> Outcome[S]:
        """For a record of any input. A tick comes here too, once for each key that `store.due` named."""
        ...

    def about(self, event: Event[Data]) -> str | None:
        """What a record is about, as `Outgoing.about` says it: by that its inbox row and its dead letter are found."""
        ...

    def on_lane_tick(self, given: Input) -> tuple[Outgoing, ...]:
        """What a tick makes the lane say, whatever its offenders (heartbeats)."""
        ...

    def lane_kept(self, given: Input) -> str | None:
        """What the service keeps of the lane after a lane-level record; `given.kept` if that changes nothing."""
        ...


def caused_by(
    given: Input, source: str, data: Data, topic: Topic, *parts: object, subject: str | None = None
) -> Event[Data]:
    """The event that follows from `given`: deterministic id of (type, cause, parts); carries its cause's record time."""
    cause = given.event
    return Event(
        id=deterministic_id(data.TYPE, cause.source, cause.id, *parts),
        source=source,
        subject=subject or cause.subject,
        time=given.at,
        recordedtime=given.at,
        data=data,
        dataclassification=topic.classification,
        correlationid=cause.correlationid,
        causationid=cause.id,
    )
