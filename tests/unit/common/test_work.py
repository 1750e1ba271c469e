"""A batch of records to what follows from them: in order, once each, whatever one of them does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord

from schemas.classification import Tier, TierCurrent
from schemas.commands import NotifierRetryParked, NotifierTick, Role
from schemas.envelope import Data, Event, encode
from schemas.incident import IncidentReported
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic
from services.common.clock import PERIOD_S, tick_event
from services.common.positions import LaneRow
from services.common.records import Parsed, parse
from services.common.service import Input, Outcome, Outgoing, caused_by
from services.common.work import PARK_AFTER, Worker
from services.common.worked import Worked
from tests.harness import working
from tests.harness.probe import at
from tests.harness.replicas import incident

LANE, LANES = 2, 4
NOW = datetime(2026, 3, 14, 12, 0, 30, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) // PERIOD_S


@dataclass
class Odd:
    """Says one event a report; does what an agency's name asks; hears ticks."""

    heard: list[Input] = field(default_factory=list)
    name = "odd"
    inputs = (Topic.NOTIFIER_COMMANDS, Topic.INCIDENTS)
    rejects = Topic.NOTIFIER_REJECTS
    store: Any = None

    def __post_init__(self) -> None:
        self.store = self

    def new(self, key: str) -> int:
        return 0

    def decide(self, state: int, given: Input) -> Outcome[int]:
        self.heard.append(given)
        data = given.event.data
        if isinstance(data, NotifierTick):
            if state < 0:
                raise RuntimeError("overslept")
            return Outcome(state + 100, counted=("ticked",))
        assert isinstance(data, IncidentReported)
        match data.agency:
            case "INVALID00":
                raise InvalidRecord(RejectCode.CONFLICTING_REVISION, "revision")
            case "BROKEN000":
                raise RuntimeError("no rule for this one")
            case "UNCHANGED":
                return Outcome(state, result="none")
            case "UNSAID000":
                return Outcome(state + 1, (Outgoing(Topic.TIERS, unsayable(given)),))
        said = TierCurrent(offender_id=given.event.subject, tier=Tier.C, since=data.occurred_at, policy_version="1")
        return Outcome(
            state + 1,
            (Outgoing(Topic.TIERS, caused_by(given, "/odd", said, Topic.TIERS)),) * 2,
            counted=("reported",),
            erase=("an incident",),
        )

    def lane_kept(self, given: Input) -> str | None:
        """Nothing."""
        return given.kept

    def about(self, event: Event[Data]) -> str | None:
        return getattr(event.data, "incident_id", None)

    def on_lane_tick(self, given: Input) -> tuple[Outgoing, ...]:
        return ()


def unsayable(given: Input) -> Event[Data]:
    """An event that cannot be encoded."""
    said = TierCurrent.model_construct(offender_id="O", tier=Tier.C, since=cast(Any, "never"), policy_version="1")
    return caused_by(given, "/odd", said, Topic.TIERS)


def report(offset: int, who: str = "O", agency: str = "NC0410200", number: int | None = None) -> Parsed:
    event = incident(who, offset if number is None else number, agency=agency)
    return parsed(Topic.INCIDENTS, offset, event)


def parsed(topic: Topic, offset: int, event: Event[Data], when: datetime = NOW) -> Parsed:
    message = encode(event)
    stamp = int(when.timestamp() * 1000)
    made = parse(
        ConsumerRecord(str(topic), LANE, offset, stamp, 1, message.key, message.value, None, 0, 0, message.headers)
    )
    assert made.invalid is None
    return made


def tick(offset: int, period: int, when: datetime = NOW) -> Parsed:
    return parsed(Topic.NOTIFIER_COMMANDS, offset, tick_event(NotifierTick, "odd", LANE, period), when)


def work(batch: Sequence[Parsed], row: LaneRow | None = None, **given: Any) -> Worked[int]:
    return working.work(Worker(Odd(), LANE, LANES), row or LaneRow(epoch=1), batch, **given)


def outcomes(worked: Worked[int]) -> list[tuple[int, str]]:
    return [(row["offset"], row["outcome"]) for row in worked.inbox]


# records ----------------------------------------------------------------------------------------------------------------


def test_each_record_works_on_what_the_one_before_left() -> None:
    worked = work([report(5), report(6, "P"), report(7)], LaneRow(epoch=1, journal_next=40), states={"O": 10})
    assert worked.changed == {"O": (10, 12), "P": (0, 1)}
    assert [(row.seq, row.in_offset) for row in worked.journal] == [
        (40, 5),
        (41, 5),
        (42, 6),
        (43, 6),
        (44, 7),
        (45, 7),
    ]
    assert {(row.topic, row.partition) for row in worked.journal} == {(str(Topic.TIERS), LANE)}
    assert worked.row.journal_next == 46 and worked.done == 3
    assert outcomes(worked) == [(5, "applied"), (6, "applied"), (7, "applied")]
    assert worked.erase == ["an incident"] * 3


def test_same_input_says_the_same_bytes() -> None:
    assert work([report(5), report(6)]).journal == work([report(5), report(6)]).journal


def test_a_repeat_is_passed_over_in_the_batch_and_after_it() -> None:
    assert outcomes(work([report(5, number=1), report(6, number=1)])) == [(5, "applied")]
    assert outcomes(work([report(5, number=1)], seen={("/tests/feed", "O-1")})) == []


def test_a_record_that_changes_nothing_is_noted_and_not_saved() -> None:
    worked = work([report(5, agency="UNCHANGED")])
    assert (worked.changed, worked.journal, outcomes(worked)) == ({}, [], [(5, "none")])


def test_the_lanes_clock_never_goes_back() -> None:
    late = replace(report(5), at=NOW - timedelta(hours=1))
    worked = work([report(4), late], LaneRow(epoch=1, clock=NOW - timedelta(minutes=1)))
    assert worked.row.clock == NOW


def test_an_invalid_record_is_a_dead_letter_and_the_rest_goes_on() -> None:
    worked = work([report(5), report(6, agency="INVALID00"), report(7)])
    assert outcomes(worked) == [(5, "applied"), (6, "rejected:conflicting_revision"), (7, "applied")]
    (letter,) = (row for row in worked.journal if row.topic == str(Topic.NOTIFIER_REJECTS))
    assert (letter.in_offset, letter.value) == (6, report(6, agency="INVALID00").record.value)
    assert [(row["offset"], row["code"], row["field"]) for row in worked.rejects] == [
        (6, "conflicting_revision", "revision")
    ]
    assert worked.changed == {"O": (0, 2)}


def test_a_record_that_fails_stops_the_batch_before_it() -> None:
    worked = work([report(5), report(6, agency="BROKEN000"), report(7)])
    assert worked.done == 1 and isinstance(worked.failed, RuntimeError)
    assert outcomes(worked) == [(5, "applied")] and worked.changed == {"O": (0, 1)}


def test_what_cannot_be_said_leaves_no_state_behind() -> None:
    worked = work([report(5), report(6, agency="UNSAID000")])
    assert worked.done == 1 and worked.failed is not None
    assert worked.changed == {"O": (0, 1)} and {row.in_offset for row in worked.journal} == {5}


# parked -----------------------------------------------------------------------------------------------------------------


def test_records_of_a_parked_offender_queue_and_others_do_not() -> None:
    worked = work([report(5), report(6, "P"), report(7)], parked={"O": 3})
    assert [(row["key"], row["place"], row["offset"]) for row in worked.parked] == [("O", 3, 5), ("O", 4, 7)]
    assert outcomes(worked) == [(6, "applied")] and worked.changed.keys() == {"P"}


def test_the_one_in_hand_is_parked_with_its_offender() -> None:
    row = LaneRow(epoch=1, failing="ipvi.restricted.incidents.v1:5", failures=PARK_AFTER)
    worked = Worker(Odd(), LANE, LANES).park(row, report(5, agency="BROKEN000"), place=0)
    assert [(one["key"], one["place"]) for one in worked.parked] == [("O", 0)]
    assert (worked.done, worked.row.failing, worked.row.failures) == (1, None, 0)


def test_a_record_for_the_lane_that_fails_is_not_set_aside() -> None:
    class Deaf(Odd):
        def lane_kept(self, given: Input) -> str | None:
            raise RuntimeError("cannot keep it")

    row = LaneRow(epoch=1, failures=PARK_AFTER)
    with pytest.raises(RuntimeError, match="cannot keep it"):
        Worker(Deaf(), LANE, LANES).park(row, tick(1, MINUTE), place=0)


def retry(offset: int) -> Parsed:
    data = NotifierRetryParked(offender_id="O", by="r.lindqvist", role=Role.OPERATOR)
    return parsed(
        Topic.NOTIFIER_COMMANDS,
        offset,
        Event("r-1", "/ipvi/odd/api", "O", NOW, data, Topic.NOTIFIER_COMMANDS.classification),
    )


@pytest.mark.parametrize(
    ("agencies", "outcome", "back"),
    [
        (["NC0410200", "NC0410200"], "applied", [0, 1]),
        (["INVALID00", "NC0410200"], "applied", [0, 1]),
        (["NC0410200", "BROKEN000", "NC0410200"], "refused:fails_again", [0]),
        (["BROKEN000", "NC0410200"], "refused:fails_again", []),
        ([], "none", []),
    ],
)
def test_a_retry_works_the_queue_up_to_what_fails_again(agencies: list[str], outcome: str, back: list[int]) -> None:
    queue = [(place, report(place, agency=agency)) for place, agency in enumerate(agencies)]
    worked = work([retry(9)], parked={"O": len(queue)}, queue=queue)
    assert (worked.done, worked.failed, outcomes(worked)[-1]) == (1, None, (9, outcome))
    assert worked.unparked == [("O", place) for place in back]
    assert len(worked.still_failing) == (outcome == "refused:fails_again")
    assert worked.parked == []
    causes = {(row.in_topic, row.in_offset) for row in worked.journal}
    assert causes <= {(str(Topic.NOTIFIER_COMMANDS), 9)}  # else they would lie below what is published, and never be


# ticks ------------------------------------------------------------------------------------------------------------------


def test_a_tick_is_for_the_due_and_not_for_the_parked() -> None:
    worked = work([tick(1, MINUTE)], due=["O", "P"], parked={"P": 1}, states={"O": 1})
    assert worked.changed == {"O": (1, 101)} and worked.row.last_tick == MINUTE
    assert worked.inbox == []  # it would grow with every minute; the period says all


@pytest.mark.parametrize("period", [MINUTE, MINUTE - 1, 0, MINUTE + 60])
def test_an_equal_older_or_early_tick_does_nothing_after_one_of_this_minute(period: int) -> None:
    worked = work([tick(1, period)], LaneRow(epoch=1, last_tick=MINUTE), due=["O"])
    assert (worked.changed, worked.row.last_tick, worked.done) == ({}, MINUTE, 1)


def test_a_fast_clock_counts_for_the_brokers_minute_and_silences_nobody() -> None:
    row = work([tick(1, MINUTE + 60)], due=["O"]).row
    assert row.last_tick == MINUTE and row.clock == NOW
    later = work([tick(2, MINUTE + 1, NOW + timedelta(minutes=1))], row, due=["O"])
    assert later.changed == {"O": (0, 100)}


def test_one_offenders_error_keeps_the_clock_from_nobody_else() -> None:
    worked = work([tick(1, MINUTE)], due=["A", "B", "C"], states={"B": -1})
    assert worked.changed.keys() == {"A", "C"} and len(worked.overslept) == 1 and worked.failed is None


def test_replayed_time_never_runs_ahead_of_the_records() -> None:
    row = LaneRow(epoch=1, clock=at(50))
    worked = working.work(Worker(Odd(), LANE, LANES, live=False), row, [tick(1, MINUTE)], due=["O"])
    assert worked.row.clock == at(50)


# counts -----------------------------------------------------------------------------------------------------------------


def test_counts_are_those_of_the_last_hour() -> None:
    odd = Odd()
    row = LaneRow(epoch=1)
    for minute in (0, 10, 20, 65):
        when = NOW + timedelta(minutes=minute)
        batch = [replace(report(minute), at=when)]
        row = working.work(Worker(odd, LANE, LANES), row, batch).row
    assert [given.counts.get("reported", 0) for given in odd.heard] == [0, 1, 2, 2]
    assert sum(row.counted["reported"].values()) == 3  # what is older is forgotten


def test_a_tick_counts_as_it_goes() -> None:
    odd = Odd()
    worked = working.work(Worker(odd, LANE, LANES), LaneRow(epoch=1), [tick(1, MINUTE)], due=["A", "B", "C"])
    assert [given.counts.get("ticked", 0) for given in odd.heard] == [0, 1, 2]
    assert worked.row.counted == {"ticked": {str(MINUTE): 3}}
