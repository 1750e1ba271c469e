"""Both sides through random incidents, corrections, people's acts, jumps of the clock and crashes, on a real broker.

After each of some steps, and at the end, the world must be as an independent model says (`tests/harness/county_model.py`):
no notice free with a shut gate, one per tier and person behind whatever records, a task for every referral in time, a named
duty role for every one that is late, nobody's work without a clock.
`IPVI_FAULT_SEEDS` sets how many stories there are; two take about a minute.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from schemas.outreach import AttemptOutcome, ContactChannel
from services.cli.registry import SERVICES
from services.cli.topics import create_topics
from tests.harness import kafka
from tests.harness.pipeline import Pipeline
from tests.harness.two_sides import Running, World

STORIES = int(os.environ.get("IPVI_FAULT_SEEDS", "2"))
BATCH = 10
STEPS = 20
LANES = 12
LANES_EACH = 2

victims = st.dictionaries(st.integers(1, 2), st.sampled_from(["SE", "BG", "XR", "SB"]), min_size=1, max_size=2)
number = st.integers(0, 1_000)


class Broker:
    """A pipeline with lanes left; another when they are used up."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._running: Running | None = None

    def running(self) -> Running:
        if self._running is None or len(self._running.free) < LANES_EACH:
            self.close()
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            broker = self._stack.enter_context(kafka.embedded_broker())
            create_topics(broker.bootstrap_servers, LANES)
            made = Pipeline(broker.bootstrap_servers, None, Path(folder), "high-point-practice", LANES)
            self._stack.callback(made.close)
            self._running = Running(made)
        return self._running

    def close(self) -> None:
        self._stack.close()
        self._running = None


class TwoSides(RuleBasedStateMachine):
    """One story."""

    broker: Broker

    def __init__(self) -> None:
        super().__init__()
        self.world = World.new(self.broker.running(), lanes=LANES_EACH)
        self.crashes = 0

    @initialize(reports=st.lists(st.tuples(number, victims, st.booleans()), min_size=2, max_size=5))
    def begin(self, reports: list[tuple[int, dict[int, str], bool]]) -> None:
        for who, victims, charged in reports:
            self.report(who, victims, charged)

    @rule(who=number, victims=victims, charged=st.booleans())
    def report(self, who: int, victims: dict[int, str], charged: bool) -> None:
        world = self.world
        world.report(world.offenders[who % len(world.offenders)], victims, charged=charged)

    @precondition(lambda self: self.world.county.incidents)
    @rule(which=number, victims=victims, charged=st.booleans())
    def revise(self, which: int, victims: dict[int, str], charged: bool) -> None:
        incidents = list(self.world.county.incidents.values())
        self.world.revise(incidents[which % len(incidents)], victims, charged=charged)

    @precondition(lambda self: self.world.county.incidents)
    @rule(which=number, how=st.sampled_from(["retract", "for good", "expunge"]))
    def take_back(self, which: int, how: str) -> None:
        incidents = list(self.world.county.incidents.values())
        incident = incidents[which % len(incidents)]
        if how == "expunge":
            self.world.expunge(incident)
        else:
            self.world.retract(incident, final=how == "for good")

    @precondition(lambda self: len(self.world.county.incidents) > 3 and len(self.world.people) > 1)
    @rule(which=number)
    def merge(self, which: int) -> None:
        people = self.world.people
        survivor = people[which % len(people)]
        self.world.merge(survivor, next(one for one in people if one != survivor))

    @precondition(lambda self: len(self.world.county.incidents) > 2 and self.world.spare)
    @rule(which=number, more=st.booleans())
    def split(self, which: int, more: bool) -> None:
        incidents = [one for one in self.world.county.incidents.values() if not one.expunged]
        if incidents:
            first = incidents[which % len(incidents)]
            self.world.split([first, *(one for one in incidents if more and one is not first)])

    @rule(
        which=number,
        channel=st.sampled_from(ContactChannel),
        outcome=st.sampled_from(AttemptOutcome),
        steps=st.integers(1, 3),
    )
    def work(self, which: int, channel: ContactChannel, outcome: AttemptOutcome, steps: int) -> None:
        tasks = self.world.mine("victim_outreach", "tasks", "state NOT IN ('completed', 'cancelled')")
        if tasks:
            self.world.work(tasks[which % len(tasks)], channel=channel, outcome=outcome, steps=steps)

    @rule(who=number)
    def reach_everyone(self, who: int) -> None:
        people = self.world.people
        self.world.reach_everyone(people[who % len(people)])

    @rule(which=number, act=st.sampled_from(["serve", "fail", "cancel", "lift", "lift"]))
    def act_on_notice(self, which: int, act: str) -> None:
        notices = self.world.mine("notifier", "notifications", "state <> 'cancelled'")
        free = [notice for notice in notices if notice["state"] in ("released", "failed")]
        choice = free if free and act in ("serve", "fail") else notices
        if choice:
            self.world.act_on(choice[which % len(choice)], act)

    @rule(who=number)
    def hold(self, who: int) -> None:
        self.world.hold(self.world.offenders[who % len(self.world.offenders)])

    @rule(which=number)
    def lift_hold(self, which: int) -> None:
        holds = self.world.mine("victim_outreach", "holds", "ended_at IS NULL")
        if holds:
            self.world.lift_hold(holds[which % len(holds)])

    @rule(which=number, people=st.sampled_from([("cora",), ("cora", "carl")]))
    def override(self, which: int, people: tuple[str, ...]) -> None:
        gates = self.world.mine("victim_outreach", "gates", "NOT ended")
        if gates:
            self.world.override(gates[which % len(gates)], people)

    @rule(who=number, released=st.booleans())
    def custody(self, who: int, released: bool) -> None:
        offender = self.world.offenders[who % len(self.world.offenders)]
        self.world.custody(offender, f"J-{offender}", released=released)

    @rule(minutes=st.sampled_from([5, 60, 5 * 60, 26 * 60, 4 * 24 * 60]))
    def jump(self, minutes: int) -> None:
        self.world.jump(minutes)

    @precondition(lambda self: self.crashes < 2)
    @rule(service=st.sampled_from(sorted(SERVICES)))
    def crash(self, service: str) -> None:
        self.crashes += 1
        self.world.running.crash(service)

    @rule()
    def look(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.world.finish()


@pytest.fixture
def broker() -> Iterator[Broker]:
    made = Broker()
    yield made
    made.close()


@pytest.mark.parametrize("batch", range(math.ceil(STORIES / BATCH)))
def test_both_sides_agree(broker: Broker, batch: int) -> None:
    """Not shrunk: the records of a story stay in the log, and each is another one."""
    machine = seed(batch)(type("TwoSidesHere", (TwoSides,), {"broker": broker}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=min(STORIES, BATCH) + 1,  # the first is always the shortest there is
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
