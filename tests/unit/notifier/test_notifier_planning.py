"""The day he is to be told is known before it comes, so that she hears of it first; it lets go of nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.commands import Role
from schemas.notification import NotificationPlanned, NotificationReleased, NotificationState
from schemas.outreach import GateHeartbeat
from tests.harness.notices import LANE, Bench, decision, gate

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def told(bench: Bench) -> list[NotificationPlanned]:
    return [one for one in bench.said if isinstance(one, NotificationPlanned)]


@pytest.fixture
def waiting() -> Bench:
    bench = Bench()
    bench.put(decision())
    return bench


def test_it_is_said_while_he_waits_and_he_waits_all_the_same(waiting: Bench) -> None:
    begins = waiting.now + 3 * DAY
    assert waiting.plan(begins) == "applied"
    [event] = told(waiting)
    assert (event.planned_from, event.planned_until) == (begins, begins + 4 * HOUR)
    [notice] = waiting.offender.notices.values()
    assert notice.state is NotificationState.HELD
    waiting.plan(begins)
    assert len(told(waiting)) == 1


def test_it_goes_when_the_gate_clears_whatever_the_day(waiting: Bench) -> None:
    waiting.plan(waiting.now + 3 * DAY)
    waiting.put(gate(), GateHeartbeat(lane=LANE))
    assert any(isinstance(one, NotificationReleased) for one in waiting.said)
    assert len(told(waiting)) == 1
    assert waiting.serve() == "applied"  # sooner than planned: a plan is nobody's leave, and nobody's bar


def test_moved_and_off(waiting: Bench) -> None:
    begins = waiting.now + 3 * DAY
    for each in (begins, begins + DAY, None):
        assert waiting.plan(each) == "applied"
    assert [one.planned_from for one in told(waiting)] == [begins, begins + DAY, None]


def test_a_round_that_went_by_is_none(waiting: Bench) -> None:
    waiting.plan(waiting.now + HOUR)
    waiting.now += DAY
    waiting.put(gate(), GateHeartbeat(lane=LANE))
    assert [one.planned_from for one in told(waiting)][-1] is None


def test_a_visit_ends_its_round(waiting: Bench) -> None:
    waiting.plan(waiting.now + DAY)
    waiting.put(gate(), GateHeartbeat(lane=LANE))
    assert waiting.fail() == "applied"
    [notice] = waiting.offender.notices.values()
    assert (notice.plan, notice.plan_told) == ((None, None), None)
    assert waiting.plan(waiting.now + DAY) == "refused:not_planned"
    assert waiting.retry(Role.COORDINATOR) == "applied"
    assert waiting.plan(waiting.now + DAY) == "applied"


def test_what_is_no_round_is_refused(waiting: Bench) -> None:
    for begins, hours in ((-2 * DAY, 4.0), (DAY, -1.0), (DAY, 25.0), (32 * DAY, 4.0)):
        assert waiting.plan(waiting.now + begins, hours) == "refused:not_planned"
    assert waiting.plan(waiting.now + DAY, role=Role.ADVOCATE) == "refused:role_missing"
    assert told(waiting) == []
