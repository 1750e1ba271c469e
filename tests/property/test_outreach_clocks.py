"""Whatever is told and done, recorded, linked and closed: everything that waits has a clock, and what is due has a name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.advocacy import (
    Answer,
    ChannelSafety,
    CloseCase,
    ContactSafety,
    LinkVictims,
    RecordSafeContact,
    RecordScreen,
    UnlinkVictims,
)
from schemas.commands import Attempt, CancelTask, Claim, Complete, Role
from schemas.envelope import Data
from schemas.notification import NotificationState
from schemas.outreach import AttemptOutcome, CaseCloseReason, ContactChannel, GateState, TaskOwner
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.rules import next_alert, next_call, opening
from services.victim_outreach.store import OutreachStore, metadata
from services.victim_outreach.usecases.settling import raised_at
from tests.harness.outreach import HIM, LANE, POLICY, Bench, amended, opened, prepared, withdrawn
from tests.property.test_outreach import JAIL, NOTICES, REFERRALS, VICTIMS

INCIDENTS = st.integers(1, 3)
PLAIN = st.builds(opened, INCIDENTS, st.just(1), st.sampled_from(["V-1", "V-2"]))
AGAIN = st.builds(amended, INCIDENTS, st.just(1), st.sampled_from(["V-1", "V-2", None]))
CHANNELS = st.sampled_from([ContactChannel.CALL, ContactChannel.TEXT, ContactChannel.IN_PERSON])
SAYINGS = st.builds(
    lambda channel, safety, no_contact: ("say", channel, safety, no_contact),
    CHANNELS,
    st.sampled_from(ContactSafety),
    st.sampled_from([False, False, True]),
)
ACTS = st.builds(
    lambda verb, number, outcome: (verb, number, outcome),
    st.sampled_from(["claim", "try", "try", "complete", "cancel"]),
    st.integers(0, 9),
    st.sampled_from(AttemptOutcome),
)
WORDS = st.sampled_from(
    ["close", "screen", "hold", "lift", "link", "unlink", "override cora", "override carl", "tick", "round", "round"]
)
STEP = st.one_of(PLAIN, AGAIN, REFERRALS, JAIL, NOTICES, VICTIMS, SAYINGS, ACTS, ACTS, ACTS, WORDS, WORDS)
STEPS = st.lists(st.tuples(st.sampled_from([0, 1, 16, 61, 300, 1_500]), STEP), min_size=1, max_size=30)


def play(steps: list[tuple[int, Any]]) -> Bench:
    bench = Bench()
    bench.put(opened(1), prepared(1))
    for minutes, step in steps:
        bench.wait(minutes=minutes)
        take(bench, step)
        judge(bench, step)
    return bench


def take(bench: Bench, step: Any) -> None:
    match step:
        case Data():
            bench.put(step)
        case ("say", channel, safety, no_contact):
            for case_id in sorted(bench.file.cases)[:1]:
                channels = [ChannelSafety(channel=channel, safety=safety)]
                bench.advise(RecordSafeContact, case_id=case_id, channels=channels, no_contact=no_contact)
        case (verb, number, outcome):
            act(bench, verb, number, outcome)
        case "close" | "screen":
            for case_id in sorted(bench.file.cases)[-1:]:
                sue: dict[str, Any] = {"by": "sue", "role": Role.OUTREACH_SUPERVISOR, "case_id": case_id}
                if step == "close":
                    bench.advise(CloseCase, reason=CaseCloseReason.SERVED, **sue)
                else:
                    bench.advise(RecordScreen, answers=[Answer.YES] * 11, **sue)
        case "hold":
            bench.hold()
        case "lift":
            bench.lift()
        case "link" | "unlink":
            bench.link(LinkVictims if step == "link" else UnlinkVictims)
        case "tick" | "round":
            bench.tick(1) if step == "tick" else bench.tick(5)
        case str():
            bench.override(step.split()[1])


def act(bench: Bench, verb: str, number: int, outcome: AttemptOutcome) -> None:
    tasks = bench.file.unfinished_tasks()
    if not tasks:
        return
    task = tasks[number % len(tasks)]
    who: dict[str, Any] = {
        "offender_id": HIM,
        "by": "sue",
        "role": Role.OUTREACH_SUPERVISOR,
        "task_id": task.task_id,
    }
    models: dict[str, Any] = {"claim": Claim, "complete": Complete, "cancel": CancelTask}
    if verb == "try":
        bench.put(Attempt(**who, channel=ContactChannel.CALL, outcome=outcome, attempted_at=bench.now))
    else:
        bench.put(models[verb](**who))


def judge(bench: Bench, step: Any) -> None:
    file, now = bench.file, bench.now
    every_wait_has_a_clock(file)
    if step in ("tick", "round"):
        what_is_due_was_brought_before_somebody(file, now)
    assert len({out.event.id for out in bench.out}) == len(bench.out)
    for one in file.referrals.values():
        if one.live and not file.is_closed(one.case_id):
            assert any(
                task.referral_id == one.referral_id or task.case_id == one.case_id for task in file.tasks.values()
            )
    for task in file.tasks.values():
        assert task.case_id in {one.case_id for one in file.referrals.values()} or not task.unfinished
    for attempt in file.attempts.values():
        assert attempt.case_id == file.tasks[attempt.task_id].case_id


def every_wait_has_a_clock(file: CaseFile) -> None:
    """A task, a hold, a message, a gate that can clear: each wakes the lane. A notice never waits for nothing."""
    wakes = file.wake_at
    for task in file.unfinished_tasks():
        assert wakes is not None
        assert wakes <= raised_at(task, POLICY)
        alert = next_alert(file, task, POLICY)
        assert alert is None or wakes <= alert
    for hold in file.holds.values():
        if hold.ended_at is None:
            call = next_call(file, hold, POLICY)
            assert wakes is not None
            assert wakes <= min(hold.until, call or hold.until)
    if not any(one.state in (NotificationState.PREPARED, NotificationState.HELD) for one in file.deliveries.values()):
        return
    for pair_id, waiting in file.waited_for.items():
        if file.gates[pair_id].state is GateState.SHUT and not file.on_hold:
            cases = {one.case_id for one in waiting}
            busy = any(task.unfinished and task.case_id in cases for task in file.tasks.values())
            assert busy or opening(file, pair_id, POLICY.gate) is not None


def what_is_due_was_brought_before_somebody(file: CaseFile, now: Any) -> None:
    for task in file.unfinished_tasks():
        if task.due_at <= now:
            assert task.escalation >= 1
            assert task.duty in POLICY.outreach.duty[task.owner]
            assert task.alerts >= 1


@given(STEPS)
@settings(max_examples=300, deadline=None)
def test_everything_that_waits_has_a_clock_and_what_is_due_has_a_name(steps: list[tuple[int, Any]]) -> None:
    play(steps)


@given(STEPS)
@example([(0, "close"), (0, "hold")])  # what is to be decided after a hold was due before it ended
@settings(max_examples=150, deadline=None)
def test_left_alone_everything_open_is_raised_and_paged_for(steps: list[tuple[int, Any]]) -> None:
    bench = play(steps)
    bench.wait(days=20).tick(5)
    what_is_due_was_brought_before_somebody(bench.file, bench.now)
    assert not bench.file.on_hold


@given(STEPS, st.sampled_from(["V-1", "V-2"]))
@settings(max_examples=150, deadline=None)
def test_a_link_taken_back_leaves_each_woman_what_was_hers(steps: list[tuple[int, Any]], victim: str) -> None:
    """Cases, tasks and attempts are where they were; nothing opened for the one is the other's."""
    bench = play([step for step in steps if step[1] not in ("link", "unlink")])
    before = {key: task.case_id for key, task in bench.file.tasks.items()}
    bench.link(LinkVictims)
    bench.link(UnlinkVictims)
    after = {key: task.case_id for key, task in bench.file.tasks.items()}
    assert {key: after[key] for key in before} == before
    judge(bench, None)


@given(STEPS)
@settings(max_examples=150, deadline=None)
def test_of_a_community_advocates_work_nothing_is_told_but_that_there_is_a_task(steps: list[tuple[int, Any]]) -> None:
    bench = play(steps)
    for out in bench.out:
        data = out.event.data
        if getattr(data, "owner", None) is TaskOwner.COMMUNITY_ADVOCATE:
            assert data.TYPE == "ipvi.task.opened.v1"


@given(st.lists(STEPS.map(lambda steps: steps[:10]), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
async def test_what_is_saved_is_what_is_loaded(batches: list[list[tuple[int, Any]]]) -> None:
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    store, bench = OutreachStore(), Bench()
    try:
        async with engine.begin() as conn:
            await conn.run_sync(metadata.create_all)
            before = store.new(HIM)
            for steps in batches:
                for minutes, step in steps:
                    bench.wait(minutes=minutes)
                    take(bench, step)
                await store.save(conn, LANE, {HIM: (before, bench.file)})
                before = (await store.load(conn, [HIM]))[HIM]
                assert before == replace(bench.file)
                bench.file = before
    finally:
        await engine.dispose()


def test_a_far_future_is_no_trouble() -> None:
    bench = play([(0, opened(2, victim_id="V-2"))])
    bench.now += timedelta(days=365 * 20)
    bench.put(withdrawn(2))
    bench.tick()
    judge(bench, "tick")
