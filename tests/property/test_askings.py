"""A gate's `clear` is about the decision it answers: classifier, outreach and notifier, whatever is on its way in which order.

The services' own decisions on random histories. Only each topic's own order is kept: of what the classifier says at once, one
side may have all and the other nothing. The keeper is heard all the time, so that nothing but his answers holds a notice.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.commands import OverrideGate, OverrideReason, Role
from schemas.envelope import Data, Event, routing_key
from schemas.incident import Victim
from schemas.notification import HoldReason, NotificationReleased
from schemas.outreach import GateChanged, GateHeartbeat, GateState
from schemas.person import Custody, OffenderDescribed
from schemas.referral import Referral, ReferralWithdrawn
from schemas.topics import Topic
from services.classifier import domain
from services.common.policies import Policies
from services.common.service import Input, Outcome, Outgoing, Service
from services.notifier.app import compose
from services.notifier.domain import UNSERVED, Offender
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.store import OutreachStore
from services.victim_outreach.stream import VictimOutreach
from tests.harness import incidents
from tests.harness.incidents import PRACTICE, expunged, later, merged, opened, report, retracted, split

PEOPLE = ("O-1", "O-2")
NEW = "O-3"
NEUTRAL = {"policy", "agency", "mutual", "conflict_of_interest", "arrested_at", "bulk", "asking"}
"""Of a referral, what no gate rests on."""


class Classifier(incidents.Bench):
    """Knows of which record each event is, and for whom a notice waits after it; what is erased unpublished is lost."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.waits: list[dict[str, set[str]]] = [{}]
        self.unpublished: list[tuple[Outgoing, int]] = []

    def decide(self, one: Event[Any]) -> Outcome[domain.Offender]:
        known = len(self.said)
        outcome = super().decide(one)
        kept = [(sent, record) for sent, record in self.unpublished if sent.about not in outcome.erase]
        self.unpublished = [*kept, *((sent, len(self.waits)) for sent in self.said[known:])]
        self.waits.append(
            {
                him: {each.pair_id for each in state.referrals.values() if each.waits}
                for him, state in self.offenders.items()
            }
        )
        return outcome


@dataclass
class Side:
    """One service in its lane."""

    service: Service[Any]
    states: dict[str, Any] = field(default_factory=dict)

    def decide(self, event: Event[Any], topic: Topic, now: datetime) -> Outcome[Any]:
        key = routing_key(event)
        state = self.states.get(key) or self.service.store.new(key)
        outcome = self.service.decide(state, Input(event, topic, 0, now, now, {GateHeartbeat.TYPE: now}))
        self.states[key] = outcome.state
        return outcome


Mail = deque[tuple[Event[Any], int]]
"""Events on their way, each with the record of the classifier's that it is of, or with what outreach had worked by then."""


class World:
    """All that is on its way, and how far each side is."""

    def __init__(self) -> None:
        self.classifier = Classifier()
        self.notifier = Side(compose(PRACTICE, lanes=1))
        self.outreach = Side(VictimOutreach(OutreachStore(), Policies(PRACTICE, lambda policy: policy)))
        self.now = later(100)
        self.revisions: dict[int, int] = defaultdict(int)
        self.mail: dict[Topic, Mail] = defaultdict(deque)
        self.referrals = 0
        self.worked = 0
        self.news: dict[str, list[tuple[int, int]]] = defaultdict(list)
        """By pair, (record, which of the referrals it is) of all that a gate may rest on."""
        self.last: dict[str, dict[str, Any]] = {}
        self.read: dict[str, int] = defaultdict(int)
        """By offender, the record of the last decision that has come to the notifier."""
        self.words: dict[str, tuple[GateState, int]] = {}
        """By pair, the last word that has come to the notifier, and how many referrals it was said after."""
        self.releases = 0
        for him in (*PEOPLE, NEW):  # in jail, so that a gate clears with what is done for her
            custody = Custody(booking_id=f"J-{him}", booked_at=self.now)
            for side in (self.notifier, self.outreach):
                self.put(side, Topic.OFFENDERS, OffenderDescribed(offender_id=him, custody=custody), him)

    def put(self, side: Side, topic: Topic, data: Data, him: str) -> None:
        now = self.now + timedelta(seconds=1)
        event = Event(
            id=f"{topic}-{now.isoformat()}",
            source="/tests",
            subject=him,
            time=now,
            data=data,
            dataclassification=topic.classification,
        )
        self.take(side, topic, event)

    # the county

    def report(self, number: int, victims: Sequence[str], days_late: int) -> None:
        self.revisions[number] += 1
        named = [Victim(victim_no=no, victim_id=f"V-{no}", relationship=one) for no, one in enumerate(victims, start=1)]
        rest: dict[str, Any] = {"revision": self.revisions[number], "offender_informed": True}
        late = timedelta(days=days_late)
        self.classifier.put(report(number, teller(number), late=late, victims=named, charged=True, **rest))

    def retract(self, number: int) -> None:
        self.classifier.put(retracted(number, teller(number), revision=self.revisions[number] or None))

    def expunge(self, number: int) -> None:
        self.classifier.put(expunged(number, teller(number)))

    def open(self, number: int) -> None:
        """What was listed."""
        self.classifier.put(opened(number, teller(number)))

    def split(self, number: int) -> None:
        self.classifier.put(split([number], NEW, teller(number)))

    def merge(self) -> None:
        self.classifier.put(merged("O-2", "O-1"))

    # what is on its way

    def publish(self) -> None:
        for sent, record in self.classifier.unpublished:
            topic, event = Topic(sent.topic), sent.event
            if topic is Topic.REFERRALS:
                self.referrals += 1
                self._note(event.data, record)
            if topic in (Topic.REFERRALS, Topic.DECISIONS):
                self.mail[topic].append((event, record))
        self.classifier.unpublished = []

    def _note(self, data: Data, record: int) -> None:
        assert isinstance(data, Referral | ReferralWithdrawn)
        content = data.model_dump(exclude=NEUTRAL) if isinstance(data, Referral) else {}
        if content != self.last.get(data.referral_id) or not content:
            self.news[data.pair_id].append((record, self.referrals))
        self.last[data.referral_id] = content

    def deliver(self, topic: Topic, most: int = 1_000) -> bool:
        """Whether there was something."""
        queue = self.mail[topic]
        for _ in range(min(most, len(queue))):
            event, mark = queue.popleft()
            match event.data:
                case GateChanged():
                    self.words[event.data.pair_id] = (event.data.gate, mark)
                case Referral() | ReferralWithdrawn():
                    self.worked += 1
                case _ if topic is Topic.DECISIONS:
                    self.read[event.subject] = mark
                case _:
                    pass
            to_outreach = topic in (Topic.REFERRALS, Topic.VICTIM_OUTREACH_COMMANDS, Topic.NOTIFICATIONS)
            self.take(self.outreach if to_outreach else self.notifier, topic, event)
        return most > 0 and bool(queue)

    def take(self, side: Side, topic: Topic, event: Event[Any]) -> None:
        self.now += timedelta(seconds=1)
        for sent in side.decide(event, topic, self.now).events:
            if isinstance(sent.event.data, NotificationReleased):
                self.releases += 1
                self.judge(sent.event.data.offender_id)
            self.mail[Topic(sent.topic)].append((sent.event, self.worked))

    def arrive(self) -> None:
        """Everything, in turns, until nothing is on its way."""
        self.publish()
        ways = [Topic.DECISIONS, Topic.REFERRALS, Topic.VICTIM_OUTREACH_COMMANDS, Topic.NOTIFIER_COMMANDS]
        ways += [Topic.OUTREACH_GATES, Topic.NOTIFICATIONS]
        for _ in range(50):
            if not any(self.mail[topic] for topic in ways):
                return
            for topic in ways:
                self.deliver(topic)
        raise AssertionError("the services talk without end")

    def open_all(self) -> None:
        """The word of two people, for all that outreach knows to be waited for."""
        for him, file in list(self.outreach.states.items()):
            for pair in list(file.waited_for):
                for by in ("m.ortiz", "j.lee"):
                    reason = OverrideReason.VICTIM_UNREACHABLE
                    word = OverrideGate(offender_id=him, by=by, role=Role.COORDINATOR, pair_id=pair, reason=reason)
                    self.put(self.outreach, Topic.VICTIM_OUTREACH_COMMANDS, word, him)

    # the promises

    def judge(self, him: str) -> None:
        """Of each pair he waits for as the notifier was told, all that was said by then is worked, and answered by `clear`."""
        for pair in self.classifier.waits[self.read[him]].get(him, ()):
            asked = max((which for record, which in self.news[pair] if record <= self.read[him]), default=0)
            state, answers = self.words.get(pair, (GateState.SHUT, 0))
            assert state is GateState.CLEAR and answers >= asked, f"released, and {pair} has not been answered"

    def agree(self) -> None:
        """Once all is worked, both wait for the same pairs, and hold the same of them clear."""
        for him in (*PEOPLE, NEW):
            file: CaseFile = self.outreach.states[him]
            notices: Offender = self.notifier.states[him]
            assert {one.pair_id for one in notices.pairs.values() if one.waited_for} == file.waited_for.keys()
            assert {one.pair_id for one in notices.open_pairs} == file.waited_for.keys()
            for pair in file.waited_for:
                assert notices.pairs[pair].clear is (file.gates[pair].state is GateState.CLEAR)

    def end(self) -> None:
        """And nobody waits for ever."""
        self.arrive()
        self.agree()
        self.open_all()
        self.arrive()
        self.agree()
        for him in (*PEOPLE, NEW):
            offender: Offender = self.notifier.states[him]
            assert all(pair.clear for pair in offender.open_pairs)
            assert not [one for one in offender.of(UNSERVED) if HoldReason.GATE in one.reasons]


def teller(number: int) -> str:
    return PEOPLE[number % len(PEOPLE)]


Step = tuple[Any, ...]
"""A method of `World`, and with what."""

NUMBERS = st.integers(1, 3)
VICTIMS = st.sampled_from([("BG",), ("BG", "SE"), ("AQ", "SE"), ("BG", "AQ"), ("AQ",)])
WAYS = st.sampled_from([Topic.DECISIONS, Topic.REFERRALS, Topic.OUTREACH_GATES, Topic.VICTIM_OUTREACH_COMMANDS])
REPORTS: st.SearchStrategy[Step] = st.tuples(st.just("report"), NUMBERS, VICTIMS, st.sampled_from([0, 0, 0, 40]))
OTHERS: st.SearchStrategy[Step] = st.tuples(st.sampled_from(["retract", "expunge", "open", "split"]), NUMBERS)
PLAIN: st.SearchStrategy[Step] = st.sampled_from(["publish", "publish", "open_all", "open_all", "arrive", "merge"]).map(
    lambda name: (name,)
)
ARRIVALS: st.SearchStrategy[Step] = st.tuples(st.just("deliver"), WAYS, st.integers(1, 3))
STEPS = st.lists(st.one_of(REPORTS, REPORTS, OTHERS, PLAIN, PLAIN, PLAIN, ARRIVALS, ARRIVALS, ARRIVALS), max_size=40)


@given(st.booleans(), STEPS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_release_before_the_answer_and_none_waits_for_ever(was_clear: bool, steps: list[Step]) -> None:
    world = clear() if was_clear else World()
    for name, *how in steps:
        getattr(world, name)(*how)
    world.end()


def clear() -> World:
    """One incident, her outreach done, and he may be told."""
    world = World()
    world.report(1, ["BG"], 0)
    world.arrive()
    world.open_all()
    world.arrive()
    assert world.releases == 1
    return world


def held(world: World) -> set[HoldReason]:
    offender: Offender = world.notifier.states[teller(1)]
    return {reason for one in offender.of(UNSERVED) for reason in one.reasons}


def test_a_clear_does_not_stand_for_a_victim_added_since() -> None:
    """Whichever is quicker: the decision that adds her, or outreach."""
    for quicker in (Topic.DECISIONS, Topic.REFERRALS):
        world = clear()
        world.report(1, ["BG", "SE"], 0)
        world.publish()
        world.deliver(Topic.DECISIONS)
        assert held(world) == {HoldReason.GATE}
        if quicker is Topic.REFERRALS:
            world.deliver(Topic.REFERRALS)
            assert world.mail[Topic.OUTREACH_GATES]
        world.end()
        assert world.releases == 2


def test_a_clear_does_not_stand_for_a_pair_that_was_withdrawn_and_is_open_again() -> None:
    """Both within the lag: the old word is younger than the withdrawal."""
    world = clear()
    world.retract(1)
    world.publish()
    world.deliver(Topic.DECISIONS)
    world.now += timedelta(seconds=1)
    world.report(1, ["BG"], 0)
    world.publish()
    world.deliver(Topic.DECISIONS)
    assert held(world) == {HoldReason.GATE}
    world.end()


def test_what_asks_nothing_of_outreach_holds_nothing() -> None:
    """A later revision that tells nothing new of her: what is clear stays so."""
    world = clear()
    [him] = [one for one in world.classifier.offenders if one == teller(1)]
    before = world.classifier.offenders[him].askings
    world.report(1, ["BG"], 0)
    world.publish()
    assert world.classifier.offenders[him].askings == before
    world.deliver(Topic.DECISIONS)
    assert held(world) == set()
    assert world.releases == 1


def test_the_word_may_come_before_the_decision_it_answers() -> None:
    world = clear()
    world.report(3, ["SE"], 0)
    world.publish()
    world.deliver(Topic.REFERRALS)
    world.open_all()
    world.deliver(Topic.OUTREACH_GATES)
    world.deliver(Topic.DECISIONS)
    world.end()
