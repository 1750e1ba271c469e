"""Call-ins: the meeting in its lane, each man's notice in his, and records between them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from schemas.call_in import CallInEscalated, CallInHeld, CallInPlanned, CallInSeatChanged
from schemas.classification import Outreach
from schemas.commands import CancelCallIn, PlanCallIn, Role, Seat, Unseat
from schemas.duty import DutyAlerted
from schemas.envelope import pair_id
from schemas.notification import NotificationFailed, NotificationPlanned, NotificationReleased, NotificationServed
from schemas.outreach import GateState
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic
from services.notifier.domain import CallIn
from tests.harness.hall import AT, MEETING, OTHER, Hall, custody
from tests.harness.notices import Bench, decision, incident
from tests.harness.two_lanes import START


@pytest.fixture
def hall() -> Hall:
    made = Hall()
    assert made.plan() == "applied"
    return made


def test_planned_seated_held(hall: Hall) -> None:
    hall.on_b("O-1", "O-2")
    assert (hall.seat("O-1"), hall.seat("O-2")) == ("applied", "applied")
    assert hall.roster() == {"O-1": "taken", "O-2": "taken"}
    assert hall.notice("O-1").serve_by == AT
    assert hall.of(NotificationReleased)[-1][1].serve_by == AT
    assert {one.planned_from for _, one in hall.of(NotificationPlanned)} == {AT}  # she hears the day before it
    hall.wait_until(AT + timedelta(minutes=1))
    assert (hall.attend("O-1", came=True), hall.attend("O-2", came=False)) == ("applied", "applied")
    [(_, served)] = hall.of(NotificationServed)
    assert (served.served_at, served.proof, served.place) == (AT, "call_in_roster", "call_in")
    [(_, failed)] = hall.of(NotificationFailed)
    assert (failed.reason, failed.place, failed.attempt) == ("missed_visit", "call_in", 1)
    assert hall.roster() == {"O-1": "attended", "O-2": "missed"}
    [(_, held)] = hall.of(CallInHeld)
    assert (held.attended, held.missed, hall.meeting().over) == (1, 1, True)
    assert hall.attend("O-1", came=True) == "refused:already_served"


def test_the_roster_has_an_end(hall: Hall) -> None:
    assert hall.plan(OTHER, capacity=2) == "applied"
    hall.on_b("O-1", "O-2", "O-3")
    assert [hall.seat(name, OTHER) for name in ("O-1", "O-2", "O-3")] == ["applied", "applied", "refused:call_in_full"]
    assert hall.seat("O-1", OTHER) == "none"
    gone: dict[str, Any] = {"notification_id": hall.notice("O-1").notification_id}
    assert hall.act(Unseat, meeting=OTHER, **gone) == "applied"
    assert hall.act(Unseat, meeting=OTHER, **gone) == "refused:not_on_roster"
    assert hall.notice("O-1").seat is None
    assert hall.seat("O-3", OTHER) == "applied"
    assert hall.plan(OTHER, capacity=1) == "refused:call_in_full"


@pytest.mark.parametrize(
    "happens",
    [
        lambda hall: hall.gate("O-1", GateState.SHUT),
        custody,
        lambda hall: hall.put(
            Topic.DECISIONS,
            decision(
                1, None, offender_id="O-1", withdrawn_pair_ids=[pair_id(incident(1), "O-1")], outreach=Outreach.NONE
            ),
            "O-1",
        ),
    ],
    ids=["gate shut", "booked", "retracted"],
)
def test_who_may_not_be_told_has_no_place(hall: Hall, happens: Callable[[Hall], None]) -> None:
    hall.on_b("O-1", "O-2")
    hall.seat("O-1")
    happens(hall)
    hall.settle()
    assert hall.roster() == {"O-1": "freed"}
    assert hall.notice("O-1").seat is None
    assert hall.meeting().places_left == 20


def test_an_expunction_frees_his_place_too(hall: Hall) -> None:
    hall.on_b("O-1", "O-2")
    hall.seat("O-1")
    gone = {"incident_id": None, "withdrawn_pair_ids": [pair_id(incident(1), "O-1")], "outreach": Outreach.NONE}
    hall.put(Topic.DECISIONS, decision(1, None, offender_id="O-1", pair_id=pair_id(incident(1), "O-1"), **gone), "O-1")
    hall.settle()
    assert hall.roster() == {"O-1": "freed"}
    assert hall.meeting().places_left == 20


def test_a_hold_before_the_meeting_keeps_him_off_the_roster_until_a_person_puts_him_on_again(hall: Hall) -> None:
    hall.on_b("O-1")
    hall.seat("O-1")
    hall.gate("O-1", GateState.SHUT)
    hall.gate("O-1", GateState.CLEAR)
    assert (hall.roster(), hall.notice("O-1").seat) == ({"O-1": "freed"}, None)
    assert hall.seat("O-1") == "applied"
    assert hall.roster() == {"O-1": "taken"}


def test_who_waits_is_refused_by_his_own_lane_and_nobody_is_told_why(hall: Hall) -> None:
    hall.on_b("O-1", clear=False)
    assert hall.seat("O-1") == "applied"
    assert hall.roster() == {"O-1": "refused"}
    said = [event for _, event in hall.of(CallInSeatChanged)]
    assert [event.seat for event in said] == ["asked", "refused"]
    assert not any("gate" in event.model_dump_json() for event in said)


def test_one_place_at_a_time(hall: Hall) -> None:
    hall.plan(OTHER)
    hall.on_b("O-1")
    hall.seat("O-1")
    assert hall.seat("O-1", OTHER) == "applied"
    assert (hall.roster(), hall.roster(OTHER)) == ({"O-1": "taken"}, {"O-1": "refused"})


def test_moved_with_everybody_on_its_roster(hall: Hall) -> None:
    hall.on_b("O-1")
    hall.seat("O-1")
    later = AT + timedelta(days=7)
    assert hall.plan(at=later, venue="Library") == "applied"
    seat = hall.notice("O-1").seat
    assert seat is not None and (seat.starts_at, seat.venue, hall.notice("O-1").serve_by) == (later, "Library", later)
    assert len(hall.of(CallInPlanned)) == 2


def test_cancelled_with_everybody_set_free(hall: Hall) -> None:
    hall.on_b("O-1")
    hall.seat("O-1")
    assert hall.act(CancelCallIn) == "applied"
    assert (hall.roster(), hall.notice("O-1").seat) == ({"O-1": "freed"}, None)
    assert hall.seat("O-1") == "refused:call_in_over"
    assert hall.plan() == "refused:call_in_over"


def test_nobody_says_who_came(hall: Hall) -> None:
    hall.on_b("O-1")
    hall.seat("O-1")
    hall.wait_until(AT + timedelta(hours=23))
    hall.gate("O-1", GateState.CLEAR)
    assert hall.of(CallInEscalated) == []
    hall.wait_until(AT + timedelta(hours=24))
    [(_, event)] = hall.of(CallInEscalated)
    assert (event.role, event.escalation, event.due_at) == ("coordinator", 1, AT + timedelta(hours=24))
    assert any(True for _ in hall.of(DutyAlerted))


def test_an_empty_one_is_over_when_it_begins(hall: Hall) -> None:
    hall.wait_until(AT)
    [(_, held)] = hall.of(CallInHeld)
    assert (held.attended, held.missed, hall.of(CallInEscalated)) == (0, 0, [])


def test_who_may_not_and_what_is_not(hall: Hall) -> None:
    hall.on_b("O-1")
    assert hall.plan(OTHER, at=START) == "refused:starts_in_the_past"
    assert hall.act(CancelCallIn, role=Role.OFFICER) == "refused:role_missing"
    assert hall.act(CancelCallIn, meeting="no-such-meeting-no-such-meeting-no-s") == "refused:unknown_call_in"
    assert hall.attend("O-1", came=True) == "refused:not_on_roster"
    hall.seat("O-1")
    assert hall.attend("O-1", came=True) == "refused:served_in_the_future"
    hall.wait_until(AT)
    assert hall.act(Seat, seated_offender_id="O-1", notification_id="N") == "refused:call_in_over"


def test_an_id_is_a_persons_or_a_meetings() -> None:
    bench = Bench()
    bench.put(decision(1))
    common: dict[str, Any] = {"by": "x", "role": Role.COORDINATOR, "starts_at": AT, "venue": "x", "capacity": 1}
    assert bench.put(PlanCallIn(call_in_id=MEETING, **common)).result == "refused:unknown_call_in"
    given = bench.input(decision(1))
    with pytest.raises(InvalidRecord) as raised:
        bench.notifier.decide(CallIn(MEETING, AT, "x", 1), given)
    assert raised.value.code is RejectCode.KEY_MISMATCH
