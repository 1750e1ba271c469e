"""Every type the inputs may carry has its use case, and nothing else has; and the composition root."""

from __future__ import annotations

import pytest

from schemas.commands import RetryParked
from schemas.envelope import event_types
from schemas.policy_file import PolicyError
from schemas.topics import Topic, spec
from services.common.settings import CommonSettings
from services.victim_outreach.app import build
from services.victim_outreach.stream import INPUTS, USE_CASES
from tests.harness.outreach import Bench, opened


def test_the_table_holds_what_the_inputs_may_carry() -> None:
    carried = {name for topic in INPUTS for name in spec(topic).types}
    carried -= {name for name in carried if issubclass(event_types()[name], RetryParked)}  # the loop's own
    assert carried == {model.TYPE for model in USE_CASES}
    assert all(event_types()[model.TYPE] is model for model in USE_CASES)
    assert all("victim_outreach" in spec(topic).consumers for topic in INPUTS)


def test_what_is_said_may_be_on_its_topic() -> None:
    bench = Bench()
    bench.put(opened())
    bench.reach()
    bench.wait(days=9).on_the_round()
    assert {out.topic for out in bench.out} == {Topic.OUTREACH, Topic.OUTREACH_GATES}
    for out in bench.out:
        topic = Topic(out.topic)
        assert out.event.type in spec(topic).types
        assert "victim_outreach" in spec(topic).producers
        assert out.event.dataclassification is topic.classification


def test_the_same_records_say_the_same_events() -> None:
    def ids() -> list[str]:
        bench = Bench()
        bench.put(opened(1), opened(2, victim_id=None))
        bench.reach(1)
        return [out.event.id for out in bench.out]

    assert ids() == ids()
    assert len(set(ids())) == len(ids())


@pytest.mark.parametrize("policy", ["high-point-practice", "high-point-seed"])
def test_every_shipped_policy_opens_tasks_and_shuts_the_gate(policy: str) -> None:
    service = build(CommonSettings(policy=policy))
    assert (service.name, service.rejects in service.inputs) == ("victim_outreach", False)
    bench = Bench()
    outcome = service.decide(bench.file, bench.input(opened()))
    assert {out.event.type for out in outcome.events} == {"ipvi.task.opened.v1", "ipvi.gate.changed.v1"}


def test_a_policy_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(PolicyError, match="no such policy"):
        build(CommonSettings(policy="nowhere"))
