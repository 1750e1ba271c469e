"""What time alone does: tasks fall overdue and are raised, and the lane's heartbeat."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.commands import OutreachTick
from schemas.outreach import AttemptOutcome, GateHeartbeat, TaskKind, TaskOverdue
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic
from tests.harness.outreach import HIM, LANE, Bench, opened


def overdue(bench: Bench) -> list[tuple[str, int]]:
    told = [(one.kind.value, one.escalation) for one in bench.told(TaskOverdue)]
    bench.out.clear()
    return sorted(told)


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.put(opened(tier=None))  # a call and written information, both due after 72 h
    return made


def test_before_it_is_due_nothing_is_said(bench: Bench) -> None:
    assert bench.file.wake_at == bench.now + timedelta(hours=72)
    assert bench.wait(hours=71.9).tick().result == "none"
    assert overdue(bench) == []


def test_what_is_due_and_not_done_is_marked_once(bench: Bench) -> None:
    bench.wait(hours=72).tick()
    assert overdue(bench) == [("call", 1), ("written_information", 1)]
    assert bench.task(TaskKind.CALL).escalation == 1
    bench.wait(hours=23).tick()
    assert overdue(bench) == []


def test_it_is_raised_again_every_24_hours_until_done(bench: Bench) -> None:
    bench.wait(hours=72).tick()
    bench.claim(TaskKind.CALL)
    bench.attempt(TaskKind.CALL)  # tried is not done
    bench.claim(TaskKind.WRITTEN_INFORMATION)
    bench.complete(TaskKind.WRITTEN_INFORMATION)
    overdue(bench)
    bench.wait(hours=24).tick()
    assert overdue(bench) == [("call", 2)]
    bench.attempt(TaskKind.CALL, AttemptOutcome.REACHED)
    assert bench.complete(TaskKind.CALL) == "applied"
    assert bench.file.wake_at == bench.now + timedelta(hours=4)  # all that is left is the gate
    bench.wait(days=9).tick()
    assert overdue(bench) == []


def test_after_a_long_silence_it_is_raised_once_and_says_how_late_it_is(bench: Bench) -> None:
    bench.wait(hours=72 + 24 * 3 + 1).tick()
    assert overdue(bench) == [("call", 4), ("written_information", 4)]
    bench.wait(hours=22).tick()
    assert overdue(bench) == []
    bench.wait(hours=1).tick()
    assert overdue(bench) == [("call", 5), ("written_information", 5)]


def test_the_same_tick_again_changes_nothing(bench: Bench) -> None:
    bench.wait(hours=80)
    given = bench.input(OutreachTick(lane=LANE, period=5))
    first = bench.apply(given)
    assert first.result == "applied"
    again = bench.apply(given)
    assert (again.result, again.events) == ("none", ())
    assert again.state is first.state


def test_a_mark_names_the_offender_though_the_tick_does_not(bench: Bench) -> None:
    bench.wait(hours=72)
    bench.out.clear()
    bench.tick()
    assert {(out.event.subject, out.topic) for out in bench.out} == {(HIM, Topic.OUTREACH)}
    assert len({out.event.id for out in bench.out}) == 2


def test_each_tick_gives_one_heartbeat_for_the_lane() -> None:
    bench = Bench()
    given = bench.input(OutreachTick(lane=LANE, period=12))
    [beat] = bench.service.on_lane_tick(given)
    assert beat.event.data == GateHeartbeat(lane=LANE)
    assert (beat.topic, beat.event.subject, beat.other_lane) == (Topic.OUTREACH_GATES, str(LANE), False)
    assert (beat.event.time, beat.event.recordedtime) == (given.at, given.at)
    [same] = bench.service.on_lane_tick(given)
    [other] = bench.service.on_lane_tick(bench.input(OutreachTick(lane=LANE, period=13)))
    assert same.event.id == beat.event.id != other.event.id


def test_what_is_no_record_of_ours_is_refused() -> None:
    bench = Bench()
    with pytest.raises(InvalidRecord) as refused:
        bench.service.decide(bench.file, bench.input(GateHeartbeat(lane=LANE)))
    assert refused.value.code is RejectCode.NOT_ON_THIS_TOPIC
    assert bench.service.on_lane_tick(bench.input(GateHeartbeat(lane=LANE))) == ()
