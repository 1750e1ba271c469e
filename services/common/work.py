"""Step 3: a batch of records to what follows from them, in memory, in order, from records and the lane's state alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from aiokafka import ConsumerRecord

from schemas.commands import CallInCommand, PersonCommand
from schemas.envelope import Data
from schemas.rejects import InvalidRecord
from schemas.topics import Topic
from services.common.clock import period_of
from services.common.positions import LaneRow
from services.common.producer import JournalRow
from services.common.records import Outbound, Parsed, broker_time, content_digest, dead_letter, outbound
from services.common.service import Input, Outcome, Outgoing, Redaction, Service

S = TypeVar("S")

PARK_AFTER = 3
"""Failures of deciding one record after which its offender is parked."""


@dataclass(slots=True)
class Worked(Generic[S]):
    """What a batch did: everything that step 4 writes and step 5 publishes."""

    row: LaneRow
    changed: dict[str, tuple[S, S]] = field(default_factory=dict)
    journal: list[JournalRow] = field(default_factory=list)
    inbox: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    parked: list[dict[str, Any]] = field(default_factory=list)
    unparked: list[tuple[str, int]] = field(default_factory=list)
    """Offender and place of what had been parked and is worked now."""
    erase: list[str] = field(default_factory=list)
    redact: list[Redaction] = field(default_factory=list)
    lane_record: Data | None = None
    """A record that spoke to the lane: a batch of its own."""
    done: int = 0
    """How many records of the batch, from its start, are worked."""
    failed: Exception | None = None
    """Why the record after those could not be decided."""
    overslept: list[Exception] = field(default_factory=list)
    """What went wrong with single offenders on a tick; the others had theirs, these are due again at the next."""
    still_failing: list[Exception] = field(default_factory=list)
    """Why a parked offender stays parked."""


@dataclass(frozen=True, slots=True)
class Worker(Generic[S]):
    """Decides the records of one lane against the states it is given.

    `live`: ticks carry the broker's time. Otherwise (`--as-of reported`) they never run ahead of the records' own time.
    """

    service: Service[S]
    lane: int
    partitions: int
    live: bool = True

    def work(
        self,
        row: LaneRow,
        batch: Sequence[Parsed],
        states: Mapping[str, S],
        seen: set[tuple[str, str]],
        parked: Mapping[str, int],
        due: Sequence[str] = (),
        queue: Sequence[tuple[int, Parsed]] = (),
    ) -> Worked[S]:
        """All the `steps` at once."""
        worked: Worked[S] = Worked(row)
        for _ in self.steps(worked, batch, states, seen, parked, due, queue):
            pass
        return worked

    def steps(
        self,
        worked: Worked[S],
        batch: Sequence[Parsed],
        states: Mapping[str, S],
        seen: set[tuple[str, str]],
        parked: Mapping[str, int],
        due: Sequence[str] = (),
        queue: Sequence[tuple[int, Parsed]] = (),
    ) -> Iterator[None]:
        """Adds to `worked`, one decision a step. Stops before a record that fails.

        `seen`: (source, id) that took effect before; `due`: keys a tick is for; `queue`: by place, what is parked of the
        offender whom a retry is for.
        """
        run = _Run(self, worked, states, set(seen), dict(parked))
        for parsed in batch:
            try:
                yield from run.one(parsed, due, queue)
            except Exception as failed:  # noqa: BLE001 (only deciding runs here: any error of it counts against the record)
                worked.failed = failed
                break
            worked.done += 1

    def park(self, row: LaneRow, parsed: Parsed, place: int) -> Worked[S]:
        """Set a record aside that cannot be decided, and its offender with it.

        One that speaks to the lane has nobody to set aside: it raises what deciding it raises.
        """
        worked: Worked[S] = Worked(replace(row, failing=None, failures=0))
        for _ in self.steps(worked, [parsed], {}, set(), {parsed.key: place}):
            pass
        if worked.failed is not None:
            raise worked.failed
        return worked


@dataclass(slots=True)
class _Run(Generic[S]):
    worker: Worker[S]
    worked: Worked[S]
    states: Mapping[str, S]
    seen: set[tuple[str, str]]
    parked: dict[str, int]
    cause: ConsumerRecord | None = None
    """What the effects are ascribed to, if not to the record that is decided."""

    def one(self, parsed: Parsed, due: Sequence[str] = (), queue: Sequence[tuple[int, Parsed]] = ()) -> Iterator[None]:
        """Work one record, in one step or, where it is for many offenders or many records, in one of each."""
        event = parsed.event
        if parsed.is_stub:
            pass
        elif event is None:
            self._reject(parsed, parsed.invalid)
        elif parsed.is_for_lane:
            yield from self._for_lane(parsed, due)
        elif (event.source, event.id) in self.seen:
            pass  # a repeat is ignored without comparing
        elif parsed.is_retry:
            yield from self._retry(parsed, queue)
        elif parsed.key in self.parked:
            self._queue(parsed)
        else:
            self._decide(parsed)
        yield

    def _decide(self, parsed: Parsed) -> None:
        event = parsed.event
        assert event is not None
        row = self._with_clock(parsed)
        given = self._input(parsed, parsed.at, row)
        try:
            result = self._take(parsed, parsed.key, given).result
        except InvalidRecord as invalid:
            self._reject(parsed, invalid)
            result = f"rejected:{invalid.code}"
        self.worked.row = replace(self.worked.row, clock=row.clock)
        self._note(parsed, result)

    def _note(self, parsed: Parsed, outcome: str) -> None:
        event = parsed.event
        assert event is not None
        self.seen.add((event.source, event.id))
        self.worked.inbox.append(
            {
                "source": event.source,
                "id": event.id,
                "lane": self.worker.lane,
                "topic": parsed.record.topic,
                "offset": parsed.record.offset,
                "outcome": outcome,
                "digest": content_digest(parsed.record.value)
                if isinstance(event.data, PersonCommand | CallInCommand)
                else None,
                "about": self.worker.service.about(event),
            }
        )

    def _retry(self, command: Parsed, queue: Sequence[tuple[int, Parsed]]) -> Iterator[None]:
        """What was set aside, in its order, up to the first that fails again. What follows is published with the command."""
        self.cause = command.record
        self.parked.pop(command.key, None)
        outcome = "none"
        for place, parsed in queue:
            try:
                yield from self.one(parsed)
            except Exception as failed:  # noqa: BLE001 (it stays where it is; the lane goes on)
                self.worked.still_failing.append(failed)
                outcome = "refused:fails_again"
                break
            self.worked.unparked.append((command.key, place))
            outcome = "applied"
        self.cause = None
        self._note(command, outcome)

    def _for_lane(self, parsed: Parsed, due: Sequence[str]) -> Iterator[None]:
        """A tick or a heartbeat: the lane hears it, then every offender for whom the clock has work."""
        event = parsed.event
        assert event is not None
        row = self.worked.row
        at = parsed.at if self.worker.live else row.clock or parsed.at
        if (period := getattr(event.data, "period", None)) is not None:
            period = effective_period(parsed.record, period)
            if period <= row.last_tick:
                return
            row = replace(row, last_tick=period)
        else:
            row = replace(row, heard={**row.heard, event.type: at})
        row = replace(row, clock=max(row.clock or at, at))
        self.worked.row = row
        self.worked.lane_record = event.data
        given = replace(self._input(parsed, at, row), due=due)
        self._journal(parsed, self._outbound(self.worker.service.on_lane_tick(given)))
        self.worked.row = replace(self.worked.row, kept=self.worker.service.lane_kept(given))
        for key in due:
            if key in self.parked:
                continue
            try:
                self._take(parsed, key, self._input(parsed, at, self.worked.row))
            except Exception as failed:  # noqa: BLE001 (one offender's error must not keep the clock from the others)
                self.worked.overslept.append(failed)
            yield

    def _input(self, parsed: Parsed, at: datetime, row: LaneRow) -> Input:
        assert parsed.event is not None
        now = row.clock or at
        counts = {name: sum(minutes.values()) for name, minutes in _last_hour(row.counted, now).items()}
        return Input(parsed.event, Topic(parsed.record.topic), self.worker.lane, at, now, row.heard, counts, row.kept)

    def _take(self, parsed: Parsed, key: str, given: Input) -> Outcome[S]:
        """Decide, and take all that follows or nothing: an event that cannot be encoded must leave no state behind."""
        service, changed = self.worker.service, self.worked.changed
        stored = self.states.get(key)
        first = stored if stored is not None else service.store.new(key)
        before = changed[key][1] if key in changed else first
        outcome = service.decide(before, given)
        said = self._outbound(outcome.events)
        if outcome.state is not before:
            changed[key] = (changed[key][0] if key in changed else first, outcome.state)
        self.worked.erase += outcome.erase
        self.worked.redact += outcome.redact
        for name in outcome.counted:
            self._count(name, given.now)
        self._journal(parsed, said)
        return outcome

    def _count(self, name: str, now: datetime) -> None:
        counted = _last_hour(self.worked.row.counted, now)
        minutes, minute = counted.get(name, {}), str(period_of(now))
        counted[name] = {**minutes, minute: minutes.get(minute, 0) + 1}
        self.worked.row = replace(self.worked.row, counted=counted)

    def _outbound(self, said: Iterable[Outgoing]) -> list[Outbound]:
        return [outbound(one, self.worker.lane, self.worker.partitions) for one in said]

    def _journal(self, parsed: Parsed, outs: Iterable[Outbound]) -> None:
        cause = self.cause or parsed.record
        for out in outs:
            seq = self.worked.row.journal_next
            self.worked.journal.append(
                JournalRow(
                    seq,
                    cause.topic,
                    cause.offset,
                    out.topic,
                    out.partition,
                    out.message.key,
                    out.message.value,
                    out.message.headers,
                    out.about,
                    out.subject,
                )
            )
            self.worked.row = replace(self.worked.row, journal_next=seq + 1)

    def _reject(self, parsed: Parsed, invalid: InvalidRecord | None) -> None:
        assert invalid is not None
        record, service = parsed.record, self.worker.service
        about = service.about(parsed.event) if parsed.event is not None else None
        self._journal(parsed, [dead_letter(record, invalid, service.rejects, self.worker.lane, about)])
        self.worked.rejects.append(
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "code": str(invalid.code),
                "field": invalid.field,
                "at": broker_time(record),
            }
        )

    def _queue(self, parsed: Parsed) -> None:
        record = parsed.record
        place = self.parked[parsed.key]
        self.parked[parsed.key] = place + 1
        self.worked.parked.append(
            {
                "key": parsed.key,
                "place": place,
                "lane": self.worker.lane,
                "topic": record.topic,
                "offset": record.offset,
                "value": record.value,
                "headers": [[name, (value or b"").decode("latin-1")] for name, value in record.headers],
                "at": broker_time(record),
            }
        )

    def _with_clock(self, parsed: Parsed) -> LaneRow:
        row = self.worked.row
        return replace(row, clock=max(row.clock, parsed.at) if row.clock else parsed.at)


def _last_hour(counted: Mapping[str, Mapping[str, int]], now: datetime) -> dict[str, Mapping[str, int]]:
    since = period_of(now) - 60
    return {name: {at: n for at, n in minutes.items() if int(at) > since} for name, minutes in counted.items()}


def effective_period(record: ConsumerRecord, claimed: int) -> int:
    """A tick counts for the broker's period at the most: a replica whose clock is fast cannot silence the others."""
    return min(claimed, period_of(broker_time(record)))
