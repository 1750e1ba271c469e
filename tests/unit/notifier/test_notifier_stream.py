"""Every type the inputs may carry has its use case, and nothing else has."""

from __future__ import annotations

import pytest

from schemas.commands import RetryParked
from schemas.envelope import event_types
from schemas.notification import NotificationState
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic, spec
from services.notifier.stream import INPUTS, USE_CASES
from tests.harness.notices import HIM, LANE, Bench, decision, gate


def test_the_table_holds_what_the_inputs_may_carry() -> None:
    carried = {name for topic in INPUTS for name in spec(topic).types}
    carried -= {name for name in carried if issubclass(event_types()[name], RetryParked)}  # the loop's own
    assert carried == {model.TYPE for model in USE_CASES}
    assert all(event_types()[model.TYPE] is model for model in USE_CASES)
    assert all("notifier" in spec(topic).consumers for topic in INPUTS)


def test_what_is_said_may_be_on_the_notifications_topic() -> None:
    bench = Bench()
    bench.heartbeat()
    outcome = bench.put(decision(1), gate(1))
    bench.serve()
    assert {out.topic for out in outcome.events} == {Topic.NOTIFICATIONS}
    assert {one.TYPE for one in bench.said} <= set(spec(Topic.NOTIFICATIONS).types)
    assert "notifier" in spec(Topic.NOTIFICATIONS).producers


def test_another_type_is_a_reject() -> None:
    bench = Bench()
    bench.put(decision(1))
    given = bench.input(bench.said[0])
    with pytest.raises(InvalidRecord) as raised:
        bench.notifier.decide(bench.offender, given)
    assert raised.value.code is RejectCode.NOT_ON_THIS_TOPIC


def test_what_a_tick_causes_is_said_under_the_offenders_key() -> None:
    bench = Bench()
    bench.put(decision(1), gate(1))
    [out] = bench.heartbeat().events
    assert bench.notice.state is NotificationState.RELEASED
    assert (out.event.subject, out.event.dataclassification) == (HIM, "internal")
    assert bench.notifier.on_lane_tick(bench.input(decision(1))) == ()
    assert str(LANE) != out.event.subject


def test_the_same_record_says_the_same_events() -> None:
    def ids() -> list[str]:
        bench = Bench()
        bench.heartbeat()
        return [out.event.id for out in bench.put(gate(1), decision(1)).events]

    assert ids() == ids()
    assert len(set(ids())) == 2
