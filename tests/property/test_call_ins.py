"""Call-ins, whatever is on its way: never over capacity, and in the end both lanes say the same of every place."""

from __future__ import annotations

import os
import random
from datetime import timedelta

import pytest

from schemas.call_in import SeatState
from schemas.commands import CancelCallIn, Unseat
from schemas.outreach import GateState
from services.notifier.domain import CallIn, Offender
from tests.harness.hall import AT, MEETING, OTHER, Hall, custody

PEOPLE = ("O-1", "O-2", "O-3", "O-4")
MEETINGS = (MEETING, OTHER)
SEEDS = int(os.environ.get("IPVI_RACES", "1000")) // 10
HELD_PLACES = (SeatState.ASKED, SeatState.TAKEN, SeatState.ATTENDED, SeatState.MISSED)


class Slow(Hall):
    """Nothing has arrived when the next thing happens."""

    def settle(self) -> None:
        self.run(self.now + timedelta(seconds=self.lag()), ticks=False)

    def result(self, id_: str) -> str:
        return self._results.get(id_, "on its way")


def step(hall: Slow, chance: random.Random) -> None:
    name, meeting = chance.choice(PEOPLE), chance.choice(MEETINGS)
    match chance.randrange(9):
        case 0 | 1 | 2:
            hall.seat(name, meeting)
        case 3:
            hall.act(Unseat, meeting=meeting, notification_id=hall.notice(name).notification_id)
        case 4:
            hall.gate(name, chance.choice([GateState.SHUT, GateState.CLEAR, GateState.CLEAR]))
        case 5:
            hall.plan(meeting, capacity=2, at=AT + timedelta(hours=chance.randrange(5)))
        case 6:
            hall.beat()
        case 7:
            hall.attend(name, came=chance.random() < 0.5, meeting=meeting)
        case _:
            rare = chance.random()
            if rare < 0.1:
                hall.act(CancelCallIn, meeting=meeting)
            elif rare < 0.2:
                custody(hall)


@pytest.mark.parametrize("part", range(4))
def test_both_lanes_agree(part: int) -> None:
    for seed in range(part, SEEDS, 4):
        chance = random.Random(seed)
        most = chance.choice([0.001, 1.0, 5.0])
        hall = Slow(lambda chance=chance, most=most: chance.random() * most)  # type: ignore[misc]
        for meeting in MEETINGS:
            hall.plan(meeting, capacity=2)
        hall.on_b(*PEOPLE)
        hall.jump(hall.now)
        for turn in range(40):
            if turn == 30:
                hall.jump(AT)
            step(hall, chance)
            for meeting in MEETINGS:
                assert places(hall.meeting(meeting)) <= 2, f"seed {seed}"
        hall.jump(hall.now)
        assert agreed(hall), f"seed {seed}"


def places(meeting: CallIn) -> int:
    return sum(place.state in HELD_PLACES for place in meeting.roster.values())


def agreed(hall: Slow) -> bool:
    taken = {
        (key, place.offender_id)
        for key in MEETINGS
        for place in hall.meeting(key).roster.values()
        if place.state is SeatState.TAKEN
    }
    seated = set()
    for name in PEOPLE:
        state = hall.notifier.states[name]
        assert isinstance(state, Offender)
        seated |= {(one.seat.call_in_id, name) for one in state.notices.values() if one.seat is not None}
    asked = any(place.state is SeatState.ASKED for key in MEETINGS for place in hall.meeting(key).roster.values())
    return taken == seated and not asked
