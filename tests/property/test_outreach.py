"""Victim outreach's promises, over any records and acts in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.classification import Tier
from schemas.commands import Attempt, Claim, Complete, OutreachTick, Role
from schemas.envelope import Data, Event
from schemas.outreach import (
    AttemptOutcome,
    ContactChannel,
    GateChanged,
    GateState,
    TaskCancelled,
    TaskCancelReason,
    TaskKind,
    TaskOpened,
    TaskOwner,
    TaskState,
)
from schemas.person import DescribedVictim
from schemas.referral import ReferralAmended, ReferralOpened, ReferralOutreach, ReferralPurpose
from services.common.service import Input
from services.victim_outreach.domain import CaseFile, Referral, Task
from services.victim_outreach.store import OutreachStore, metadata
from tests.harness.outreach import (
    HIM,
    LANE,
    START,
    TOPICS,
    Bench,
    amended,
    custody,
    described,
    failed,
    held,
    opened,
    pair,
    released,
    served,
    withdrawn,
)

INCIDENTS = st.integers(1, 3)
PLACES = st.integers(1, 2)
NAMES = st.sampled_from(["V-1", "V-1", "V-2", None])
HOURS = st.integers(-30, 90)


@st.composite
def referring(draw: st.DrawFn) -> Data:
    number, place = draw(INCIDENTS), draw(PLACES)
    if draw(st.integers(0, 5)) == 0:
        return withdrawn(number, place)
    make: Any = draw(st.sampled_from([opened, amended]))
    made: Data = make(
        number,
        place,
        draw(NAMES),
        tier=draw(st.none() | st.sampled_from(Tier)),
        outreach=draw(st.sampled_from([*4 * [ReferralOutreach.OPENED], ReferralOutreach.LISTED])),
        purpose=draw(st.sampled_from([*5 * [ReferralPurpose.OUTREACH], ReferralPurpose.ASK_RELATIONSHIP])),
        homicide=draw(st.sampled_from([*7 * [False], True])),
        conflict_of_interest=draw(st.sampled_from([False, False, True])),
        occurred_at=START + timedelta(hours=draw(HOURS)),
    )
    return made


@st.composite
def jailing(draw: st.DrawFn) -> Data:
    out = draw(st.booleans())
    return custody(
        draw(st.sampled_from(["J-1", "J-2"])),
        released_at=START + timedelta(hours=draw(HOURS)) if out else None,
        hearing_at=START + timedelta(hours=draw(HOURS)) if draw(st.booleans()) else None,
    )


REFERRALS = referring()
PLAIN = st.builds(opened, INCIDENTS, PLACES, st.sampled_from(["V-1", "V-2"]))
"""Referrals of women who can be reached, so that gates do clear."""
JAIL = jailing()
NOTICES = st.builds(lambda make, number: make(number), st.sampled_from([released, held, served, failed]), INCIDENTS)
VICTIMS = st.builds(
    lambda names: described(*(DescribedVictim(victim_no=1, victim_id=name) for name in names)),
    st.lists(st.sampled_from(["V-1", "V-2"]), max_size=2),
)


@dataclass(frozen=True)
class Act:
    """Something a person does to the n-th unfinished task: takes it, tries her, finishes it."""

    verb: str
    task: int
    channel: ContactChannel = ContactChannel.CALL
    outcome: AttemptOutcome = AttemptOutcome.NO_ANSWER
    ago: int = 0
    """Minutes between the try and its telling."""


ACTS = st.builds(
    Act,
    st.sampled_from(["claim", "try", "try", "try", "complete"]),
    st.integers(0, 11),
    st.sampled_from([ContactChannel.CALL, ContactChannel.IN_PERSON]),
    st.sampled_from(AttemptOutcome),
    st.sampled_from([0, 0, 0, 60, 6_000]),
)
CLOCK = st.just("tick") | st.just("round")
HOLDS = st.sampled_from([f"{verb} {hold}" for verb in ("hold", "lift") for hold in ("H-1", "H-2")])
OVERRIDES = st.builds(lambda by, number: f"override {by} {number}", st.sampled_from(["cora", "carl"]), INCIDENTS)
STEP = st.one_of(PLAIN, REFERRALS, JAIL, NOTICES, VICTIMS, ACTS, ACTS, ACTS, CLOCK, CLOCK, HOLDS, OVERRIDES)
WAITS = st.sampled_from([0, 1, 5, 30, 245, 800, 1_500])
SOME = st.lists(st.tuples(WAITS, STEP), min_size=1, max_size=8)
REACHED = st.builds(
    lambda task, wait: [(1, Act("try", task, outcome=AttemptOutcome.REACHED)), (wait, "round")],
    st.integers(0, 11),
    st.sampled_from([200, 245, 245]),
)
TRIED = st.builds(
    lambda task, gap: [
        *((gap, Act("try", task, way)) for way in (ContactChannel.CALL, ContactChannel.CALL, ContactChannel.IN_PERSON)),
        (245, "round"),
    ],
    st.integers(0, 11),
    st.sampled_from([700, 725]),
)
"""What leads to a clear gate, so that it is not too rare to be judged."""
STEPS: st.SearchStrategy[list[tuple[int, Any]]] = st.builds(
    lambda first, rest: [(1, first), *chain.from_iterable(rest)],
    PLAIN,
    st.lists(st.one_of(SOME, REACHED, TRIED), min_size=1, max_size=8),
)
"""(minutes gone by, what comes)."""


@dataclass
class Book:
    """What people did and said, written down as plainly as can be, to judge the gate by."""

    tries: list[tuple[Task, ContactChannel, AttemptOutcome, datetime, datetime]] = field(default_factory=list)
    done: list[tuple[Task, datetime]] = field(default_factory=list)
    taken: list[tuple[Task, datetime]] = field(default_factory=list)
    words: list[tuple[str, str, datetime]] = field(default_factory=list)
    holds: dict[str, datetime] = field(default_factory=dict)

    def allows(self, file: CaseFile, pair_id: str, now: datetime) -> bool:
        waiting = [one for one in file.referrals.values() if one.pair_id == pair_id and one.gated]
        if not waiting or self.holds:
            return False
        since = max(one.opened_at or now for one in waiting)
        speakers = {by for pair_, by, at in self.words if pair_ == pair_id and at > since}
        return len(speakers) >= 2 or all(self.served(file, one, now) for one in waiting)

    def served(self, file: CaseFile, she: Referral, now: datetime) -> bool:
        """Whether the least outreach was done for one victim, or the time limit has fallen."""
        assert she.opened_at is not None
        assert she.occurred_at is not None
        if self.limit(file, she, now):
            return True
        tries = [
            (task, channel, outcome, at)
            for task, channel, outcome, at, told in self.tries
            if task.case_id == she.case_id and told > she.opened_at and at >= she.occurred_at
        ]
        finished = {task.kind for task, at in self.done if task.case_id == she.case_id and at > she.opened_at}
        if any(one.homicide and one.live and one.case_id == she.case_id for one in file.referrals.values()):
            family = TaskKind.FAMILY_LIAISON
            return family in finished or any(task.kind is family for task, *_ in tries)
        if she.victim_id is None:
            return False
        if finished & {TaskKind.CALL, TaskKind.IN_PERSON_CONTACT, TaskKind.SAFETY_PLANNING}:
            return True
        if any(outcome in ("reached", "declined") for _, _, outcome, _ in tries):
            return True
        real = [(channel, at) for _, channel, outcome, at in tries if outcome == "no_answer"]
        if file.in_custody:
            return bool(real)
        times = [at for _, at in real]
        return (
            len(real) >= 3
            and len({channel for channel, _ in real}) >= 2
            and max(times) - min(times) >= timedelta(hours=24)
        )

    def tells(self, file: CaseFile, task: Task) -> bool:
        """Whether an attempt says what its completion would, and whoever may hold it reads that: police read no advocate's."""
        circles = [TaskOwner.AGENCY, TaskOwner.SYSTEM_ADVOCATE, TaskOwner.COMMUNITY_ADVOCATE]
        read = circles[: 1 + circles.index(task.owner)]
        she = file.referrals[task.referral_id]
        assert she.opened_at is not None
        assert she.occurred_at is not None
        tries = [
            (one, outcome)
            for one, _, outcome, at, told in self.tries
            if one.task_id == task.task_id
            or (
                one.case_id == task.case_id
                and told > she.opened_at
                and at >= she.occurred_at
                and file.tasks[one.task_id].owner in read
            )
        ]
        if task.kind is TaskKind.FAMILY_LIAISON:
            return any(one.kind is task.kind for one, _ in tries)
        contact = (TaskKind.CALL, TaskKind.IN_PERSON_CONTACT, TaskKind.SAFETY_PLANNING, TaskKind.HIGH_DANGER_CALL)
        return task.kind not in contact or any(outcome in ("reached", "declined") for _, outcome in tries)

    def limit(self, file: CaseFile, she: Referral, now: datetime) -> bool:
        hearing = file.custody.hearing_at if file.custody and file.custody.held else None
        if hearing is None or she.tier is not Tier.C or now < hearing - timedelta(hours=2):
            return False
        if any(one.gated and one.tier in (Tier.A, Tier.B) for one in file.referrals.values()):
            return False
        return any(task.case_id == she.case_id and she.opened_at and at > she.opened_at for task, at in self.taken)

    def last_word_with(self, file: CaseFile, pair_id: str) -> datetime | None:
        cases = {one.case_id for one in file.referrals.values() if one.pair_id == pair_id and one.gated}
        return max((at for task, _, _, at, _ in self.tries if task.case_id in cases), default=None)

    def overridden(self, pair_id: str) -> bool:
        return len({by for pair_, by, _ in self.words if pair_ == pair_id}) >= 2


@dataclass
class Play:
    """The service at work on steps, held against its promises after every one."""

    bench: Bench = field(default_factory=Bench)
    book: Book = field(default_factory=Book)

    def run(self, steps: Sequence[tuple[int, Any]]) -> Play:
        for minutes, step in steps:
            self.bench.wait(minutes=minutes)
            before, known = self.bench.file, len(self.bench.out)
            self.take(step)
            self.check(before, [out.event for out in self.bench.out[known:]], step)
        return self

    def run_unjudged(self, steps: Sequence[tuple[int, Any]]) -> Bench:
        for minutes, step in steps:
            self.bench.wait(minutes=minutes)
            self.take(step)
        return self.bench

    def take(self, step: Any) -> None:
        bench, book = self.bench, self.book
        match step:
            case Data():
                bench.put(step)
            case Act():
                self.act(step)
            case "tick" | "round":
                bench.tick(1) if step == "tick" else bench.tick(5)
                book.holds = {hold: until for hold, until in book.holds.items() if until > bench.now}
            case str() if step.startswith("hold"):
                if bench.hold(step.split()[1]) == "applied":
                    book.holds[step.split()[1]] = bench.now + timedelta(hours=72)
            case str() if step.startswith("lift"):
                if bench.lift(step.split()[1]) == "applied":
                    del book.holds[step.split()[1]]
            case str():
                _, by, number = step.split()
                if bench.override(by, number=int(number)) == "applied":
                    book.words.append((pair(int(number)), by, bench.now))

    def act(self, act: Act) -> None:
        """By the supervisor, who may do it all."""
        bench, book = self.bench, self.book
        tasks = sorted(bench.file.unfinished_tasks(), key=lambda task: (task.case_id, task.kind))
        if not tasks:
            return
        task = tasks[act.task % len(tasks)]
        who: dict[str, Any] = {
            "offender_id": HIM,
            "by": "sue",
            "role": Role.OUTREACH_SUPERVISOR,
            "task_id": task.task_id,
        }
        if act.verb == "claim":
            if bench.put(Claim(**who)).result == "applied" and task.claimed_by is None:
                book.taken.append((task, bench.now))
        elif act.verb == "complete":
            told = book.tells(bench.file, task)
            assert bench.put(Complete(**who)).result == ("applied" if told else "refused:not_reached")
            if told:
                book.done.append((task, bench.now))
        else:
            at = bench.now - timedelta(minutes=act.ago)
            tried = Attempt(**who, channel=act.channel, outcome=act.outcome, attempted_at=at)
            assert bench.put(tried).result == "applied"
            book.tries.append((task, act.channel, act.outcome, at, bench.now))

    def check(self, before: CaseFile, said: Sequence[Event[Data]], step: Any) -> None:
        file, now = self.bench.file, self.bench.now
        for gate in file.gates.values():
            assert gate.state is GateState.SHUT or self.book.allows(file, gate.pair_id, now)
            assert gate.state is GateState.SHUT or self.paused(before, gate.pair_id)
        for event in said:
            if isinstance(event.data, GateChanged):
                assert event.causationid is None
                assert event.correlationid is None
                if event.data.gate is GateState.CLEAR:
                    self.check_clear(event.data.pair_id, step)
        self.check_tasks(before, step)

    def check_clear(self, pair_id: str, step: Any) -> None:
        """Outside custody only on the round, and not within 4 hours of the last word with her."""
        file = self.bench.file
        if file.in_custody:
            return
        assert step == "round"
        last = self.book.last_word_with(file, pair_id)
        assert last is None or self.book.overridden(pair_id) or last + timedelta(hours=4) <= self.bench.now

    def paused(self, before: CaseFile, pair_id: str) -> bool:
        """Let out of jail: no gate stays clear that was opened by a word with her less than 4 hours ago, and by none before."""
        if not before.in_custody or self.bench.file.in_custody or self.book.overridden(pair_id):
            return True
        cases = {one.case_id for one in self.bench.file.referrals.values() if one.pair_id == pair_id and one.gated}
        words = [at for task, _, _, at, _ in self.book.tries if task.case_id in cases]
        words += [at for task, at in self.book.done if task.case_id in cases]
        return min(words, default=self.bench.now) + timedelta(hours=4) <= self.bench.now

    def check_tasks(self, before: CaseFile, step: Any) -> None:
        file = self.bench.file
        having = {task.referral_id for task in file.tasks.values()}
        assert all(one.referral_id in having for one in file.referrals.values() if one.live)
        keys = Counter(task.key for task in file.unfinished_tasks())
        assert not keys or max(keys.values()) == 1
        live = {one.referral_id for one in file.referrals.values() if one.live}
        assert {task.referral_id for task in file.unfinished_tasks()} <= live
        if isinstance(step, ReferralOpened | ReferralAmended):
            due = _dues(file)
            for key, moment in _dues(before).items():
                assert key not in due or due[key] <= moment  # a new incident gives nobody more time
        if file.wake_at is not None and step in ("tick", "round"):
            assert all(task.due_at > self.bench.now or task.escalation for task in file.unfinished_tasks())


def _dues(file: CaseFile) -> dict[tuple[str, TaskKind], datetime]:
    found: dict[tuple[str, TaskKind], datetime] = {}
    for task in file.unfinished_tasks():
        if "|" in task.about and task.kind not in (TaskKind.BEFORE_DELIVERY, TaskKind.AFTER_DELIVERY):
            found[task.case_id, task.kind] = task.due_at
    return found


@given(STEPS)
@settings(max_examples=400, deadline=None)
def test_no_gate_is_clear_without_each_victims_least_outreach_an_override_or_the_time_limit(
    steps: list[tuple[int, Any]],
) -> None:
    Play().run(steps)


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_a_pair_hears_shut_first_then_each_change_once_in_order(steps: list[tuple[int, Any]]) -> None:
    play = Play().run(steps)
    told: dict[str, list[GateChanged]] = {}
    for one in play.bench.told(GateChanged):
        told.setdefault(one.pair_id, []).append(one)
    for pair_id, changes in told.items():
        assert [one.version for one in changes] == list(range(1, len(changes) + 1))
        assert [one.gate for one in changes] == [("shut", "clear")[place % 2] for place in range(len(changes))]
        assert play.bench.file.gates[pair_id].state is changes[-1].gate
    assert len({out.event.id for out in play.bench.out}) == len(play.bench.out)


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_under_a_hold_everything_is_shut(steps: list[tuple[int, Any]]) -> None:
    play = Play().run([*steps, (0, "hold H-9")])
    assert {gate.state for gate in play.bench.file.gates.values()} <= {GateState.SHUT}
    play.run(
        [(60, "round"), (60, opened(1, 2, "V-2")), (60, "override cora 1"), (60, "override carl 1"), (60, "round")]
    )
    assert {gate.state for gate in play.bench.file.gates.values()} <= {GateState.SHUT}


@given(STEPS, st.one_of(REFERRALS, JAIL, VICTIMS, st.just("tick"), st.just("round")))
@settings(max_examples=300, deadline=None)
def test_a_repeat_changes_nothing(steps: list[tuple[int, Any]], last: Any) -> None:
    bench = Play().run(steps).bench
    data = OutreachTick(lane=LANE, period=5 if last == "round" else 1) if isinstance(last, str) else last
    record = bench.input(data)
    bench.apply(record)
    again = bench.service.decide(bench.file, record)
    assert (again.state, again.events, again.result) == (bench.file, (), "none")


# in any order of arrival ---------------------------------------------------------------------------------------------

Timed = list[tuple[datetime, Data]]


@st.composite
def four_topics(draw: st.DrawFn) -> tuple[list[Timed], list[int], list[int]]:
    """Records of four topics, each in the order and with the times of its own; and two ways to shuffle them."""
    topics: list[Timed] = []
    for records in (REFERRALS | PLAIN, VICTIMS, JAIL, NOTICES):
        gaps = draw(st.lists(st.integers(0, 500), max_size=6))
        times = [START + timedelta(minutes=sum(gaps[: place + 1])) for place in range(len(gaps))]
        topics.append([(at, draw(records)) for at in times])
    turns = [topic for topic, records in enumerate(topics) for _ in records]
    return topics, draw(st.permutations(turns)), draw(st.permutations(turns))


def arrive(topics: Sequence[Timed], turns: Sequence[int]) -> Bench:
    """The lane's clock is the highest record time seen."""
    bench = Bench()
    queues = [list(records) for records in topics]
    places = Counter[int]()
    for turn in turns:
        at, data = queues[turn].pop(0)
        places[turn] += 1
        bench.now = max(bench.now, at)
        event = Event(
            id=f"{turn}-{places[turn]}",
            source="/test",
            subject=HIM,
            time=at,
            data=data,
            dataclassification=TOPICS[type(data)].classification,
        )
        bench.apply(Input(event, TOPICS[type(data)], LANE, at, bench.now))
    return bench


def standing(bench: Bench) -> tuple[list[tuple[Any, ...]], dict[str, GateState]]:
    """What is to be done, for whom, by when; and the gates."""
    tasks = sorted(
        (task.case_id, task.kind, task.about, task.owner, task.due_at) for task in bench.file.unfinished_tasks()
    )
    return tasks, {pair_id: gate.state for pair_id, gate in bench.file.gates.items()}


@given(four_topics())
@settings(max_examples=400, deadline=None)
def test_topics_end_in_the_same_tasks_and_gates_however_they_meet(
    case: tuple[list[Timed], list[int], list[int]],
) -> None:
    topics, one_way, another = case
    one, other = arrive(topics, one_way), arrive(topics, another)
    assert standing(one) == standing(other)
    after = (
        [(600, Act("claim", number)) for number in range(8)]
        + [(1, Act("try", number, outcome=AttemptOutcome.REACHED)) for number in range(8)]
        + [(600, "round")]
    )
    ends = []
    for bench in (one, other):
        bench.now = START + timedelta(days=9)
        ends.append(standing(Play(bench).run_unjudged(after)))
    assert ends[0] == ends[1]


# as kept in SQL ------------------------------------------------------------------------------------------------------


@given(st.lists(STEPS.map(lambda steps: steps[:12]), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
async def test_what_is_saved_step_by_step_is_what_is_loaded(batches: list[list[tuple[int, Any]]]) -> None:
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    store, play = OutreachStore(), Play()
    try:
        async with engine.begin() as conn:
            await conn.run_sync(metadata.create_all)
            before = store.new(HIM)
            for steps in batches:
                play.run(steps)
                await store.save(conn, LANE, {HIM: (before, play.bench.file)})
                before = (await store.load(conn, [HIM]))[HIM]
                assert before == play.bench.file
                play.bench.file = before  # and what goes on from the loaded one is the same
    finally:
        await engine.dispose()


# whatever the clock --------------------------------------------------------------------------------------------------


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_no_task_ends_unsaid_unless_a_community_advocate_has_it(steps: list[tuple[int, Any]]) -> None:
    bench = Play().run(steps).bench
    opened_ids = {one.task_id for one in bench.told(TaskOpened)}
    cancelled = {one.task_id: one.reason for one in bench.told(TaskCancelled)}
    assert opened_ids == set(bench.file.tasks)
    for task in bench.file.tasks.values():
        if task.state is TaskState.CANCELLED and task.owner != "community_advocate":
            assert cancelled[task.task_id] is task.cancel_reason
            assert task.cancel_reason is not TaskCancelReason.BY_PERSON
        else:
            assert task.task_id not in cancelled
