"""Step 3: a batch of records to what follows from them, in memory, in order, from records and the lane's state alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from aiokafka import ConsumerRecord

from schemas.rejects import InvalidRecord
from schemas.topics import Topic
from services.common.clock import period_of
from services.common.positions import LaneRow
from services.common.records import Outbound, Parsed, broker_time, dead_letter, outbound
from services.common.service import Input, Outcome, Outgoing, Service
from services.common.worked import Worked, counts

S = TypeVar("S")

PARK_AFTER = 3
"""Failures of deciding one record after which its offender is parked."""


@dataclass(frozen=True, slots=True)
class Worker(Generic[S]):
    """Decides the records of one lane against the states it is given.

    `live`: ticks carry the broker's time. Otherwise (`--as-of reported`) they never run ahead of the records' own time.
    """

    service: Service[S]
    lane: int
    partitions: int
    live: bool = True

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
            self._set_aside(parsed)
        else:
            self._decide(parsed)
        yield

    def _decide(self, parsed: Parsed) -> None:
        row = self.worked.row
        clock = max(row.clock or parsed.at, parsed.at)
        given = self._input(parsed, parsed.at, replace(row, clock=clock))
        try:
            result = self._take(parsed, parsed.key, given).result
        except InvalidRecord as invalid:
            self._reject(parsed, invalid)
            result = f"rejected:{invalid.code}"
        self.worked.row = replace(self.worked.row, clock=clock)
        self._note(parsed, result)

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
        service, worked = self.worker.service, self.worked
        row = worked.row
        at = parsed.at if self.worker.live else row.clock or parsed.at
        if (period := getattr(event.data, "period", None)) is not None:
            period = effective_period(parsed.record, period)
            if period <= row.last_tick:
                return
            row = replace(row, last_tick=period)
        else:
            row = replace(row, heard={**row.heard, event.type: at})
        worked.row = replace(row, clock=max(row.clock or at, at))
        worked.lane_record = event.data
        given = replace(self._input(parsed, at, worked.row), due=due)
        self._say(parsed, self._outbound(service.on_lane_tick(given)))
        worked.row = replace(worked.row, kept=service.lane_kept(given))
        for key in due:
            if key in self.parked:
                continue
            try:
                self._take(parsed, key, self._input(parsed, at, worked.row))
            except Exception as failed:  # noqa: BLE001 (one offender's error must not keep the clock from the others)
                worked.overslept.append(failed)
            yield

    def _input(self, parsed: Parsed, at: datetime, row: LaneRow) -> Input:
        assert parsed.event is not None
        now = row.clock or at
        topic = Topic(parsed.record.topic)
        return Input(parsed.event, topic, self.worker.lane, at, now, row.heard, counts(row, now), row.kept)

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
            self.worked.count(name, given.now)
        self._say(parsed, said)
        return outcome

    def _outbound(self, said: Iterable[Outgoing]) -> list[Outbound]:
        return [outbound(one, self.worker.lane, self.worker.partitions) for one in said]

    def _say(self, parsed: Parsed, outs: Iterable[Outbound]) -> None:
        self.worked.say(self.cause or parsed.record, outs)

    def _note(self, parsed: Parsed, outcome: str) -> None:
        event = parsed.event
        assert event is not None
        self.seen.add((event.source, event.id))
        self.worked.note(parsed, self.worker.lane, outcome, self.worker.service.about(event))

    def _reject(self, parsed: Parsed, invalid: InvalidRecord | None) -> None:
        assert invalid is not None
        service = self.worker.service
        about = service.about(parsed.event) if parsed.event is not None else None
        self._say(parsed, [dead_letter(parsed.record, invalid, service.rejects, self.worker.lane, about)])
        self.worked.reject(parsed.record, invalid)

    def _set_aside(self, parsed: Parsed) -> None:
        place = self.parked[parsed.key]
        self.parked[parsed.key] = place + 1
        self.worked.set_aside(parsed, self.worker.lane, place)


def effective_period(record: ConsumerRecord, claimed: int) -> int:
    """A tick counts for the broker's period at the most: a replica whose clock is fast cannot silence the others."""
    return min(claimed, period_of(broker_time(record)))
