"""The day he is to be told is known before it comes, so that she hears of it first; it lets go of nothing."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, timedelta
from hashlib import sha256

import pytest

from schemas.classification import ReviewCode, Tier
from schemas.commands import AskGiven, Attend, Invite, PrintLetter, Role, TellGiven
from schemas.envelope import Data
from schemas.notification import NotificationPlanned, NotificationReleased, NotificationServed, NotificationState
from schemas.outreach import GateHeartbeat
from schemas.person import Custody, OffenderDescribed
from tests.harness.hall import MEETING
from tests.harness.notices import HIM, LANE, START, Bench, custody, decision, gate

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
    assert waiting.notice.unplanned


def test_moved_and_off(waiting: Bench) -> None:
    begins = waiting.now + 3 * DAY
    for each in (begins, begins + DAY, None):
        assert waiting.plan(each) == "applied"
    assert [one.planned_from for one in told(waiting)] == [begins, begins + DAY, None]


def test_a_round_that_went_by_is_none(waiting: Bench) -> None:
    waiting.plan(waiting.now + 5 * HOUR)
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


def printing(bench: Bench, day: date, content: bytes = b"%PDF-1") -> str:
    made = PrintLetter(
        offender_id=HIM,
        by="some.officer",
        role=Role.OFFICER,
        notification_id=bench.notice.notification_id,
        dated=day,
        content=b64encode(content).decode(),
        sha256=sha256(content).hexdigest(),
        template="letters/d-en",
        version="1",
        template_sha256="0" * 64,
    )
    return bench.put(made).result


def test_a_d_letter_is_dated_with_its_round_and_printed_again_for_another() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.D), gate(), GateHeartbeat(lane=LANE))
    assert bench.notice.state is NotificationState.RELEASED
    day = (bench.now + 3 * DAY).date()
    assert printing(bench, day) == "refused:no_round"
    bench.plan(bench.now + 3 * DAY)
    assert printing(bench, day - DAY) == "refused:not_of_the_round"
    assert printing(bench, day) == "applied"
    bench.plan(bench.now + 5 * DAY)
    assert bench.serve() == "refused:print_again"
    assert printing(bench, day + 2 * DAY, b"%PDF-2") == "applied"
    bench.now += 6 * DAY
    bench.heartbeat()
    assert bench.notice.planned_from is None  # it went by; the word that he was told comes after it
    assert bench.serve() == "applied"


def test_what_a_charge_explains_is_dated_as_it_is_printed() -> None:
    bench = Bench()
    bench.put(decision(), gate(), GateHeartbeat(lane=LANE))
    bench.plan(bench.now + DAY)
    assert printing(bench, bench.now.date()) == "applied"


def released(*first: Data) -> Bench:
    bench = Bench()
    bench.put(*first, decision(), gate(), GateHeartbeat(lane=LANE))
    assert bench.notice.state is NotificationState.RELEASED
    return bench


def test_nothing_leads_to_it_before_she_can_hear_of_the_day() -> None:
    bench = released()
    assert bench.notice.needs_round
    assert printing(bench, bench.now.date()) == "refused:no_round"
    assert bench.claim() == "applied"
    assert bench.notice.needs_round
    assert bench.plan(bench.now + 5 * HOUR) == "applied"
    assert not bench.notice.needs_round
    assert printing(bench, bench.now.date()) == "applied"
    bench.plan(None)
    assert printing(bench, bench.now.date(), b"%PDF-2") == "refused:no_round"


def test_in_jail_seconds_matter() -> None:
    bench = released(custody(held=True))
    assert not bench.notice.needs_round
    assert printing(bench, bench.now.date()) == "applied"
    assert bench.plan(bench.now) == "applied"
    bench.plan(None)
    assert (bench.serve(), bench.notice.unplanned) == ("applied", False)


def test_who_was_told_in_jail_and_let_go_before_the_word_of_it_was_told_in_jail() -> None:
    bench = released(custody(held=True))
    told_at = bench.now
    bench.wait(hours=1).put(
        OffenderDescribed(
            offender_id=HIM, custody=Custody(booking_id="J-1", booked_at=START, released_at=told_at + HOUR / 2)
        )
    )
    assert (bench.serve(at=told_at), bench.notice.unplanned) == ("applied", False)


def let_out(bench: Bench) -> Bench:
    out = Custody(booking_id="J-1", booked_at=START, released_at=bench.now)
    bench.put(OffenderDescribed(offender_id=HIM, custody=out))
    return bench


def test_a_round_at_once_was_for_the_jail() -> None:
    bench = released(custody(held=True))
    bench.plan(bench.now, hours=24)
    bench.wait(hours=1).heartbeat()
    let_out(bench)
    assert (bench.notice.state, bench.notice.needs_round) == (NotificationState.RELEASED, True)
    assert [one.planned_from for one in told(bench)][-1] is None
    assert printing(bench, bench.now.date()) == "refused:no_round"
    bench.wait(hours=1).heartbeat()
    assert (bench.serve(), bench.notice.unplanned) == ("applied", True)


def test_a_round_that_leaves_time_to_tell_her_stays_when_he_is_let_out() -> None:
    bench = released(custody(held=True))
    begins = bench.now + 6 * HOUR
    bench.plan(begins)
    bench.wait(hours=1).heartbeat()
    assert let_out(bench).notice.plan == (begins, begins + 4 * HOUR)


def test_a_letter_given_in_jail_on_its_round_may_be_recorded_once_he_is_out() -> None:
    bench = Bench()
    bench.put(custody(held=True), decision(1, Tier.D), gate(), GateHeartbeat(lane=LANE))
    bench.plan(bench.now)
    assert printing(bench, bench.now.date()) == "applied"
    given_at = bench.now
    bench.wait(hours=1).heartbeat()
    assert (let_out(bench).serve(at=given_at), bench.notice.unplanned) == ("applied", False)


def test_a_call_in_is_such_a_day() -> None:
    bench = Bench()
    bench.put(decision(1, Tier.B), gate(), GateHeartbeat(lane=LANE))
    common = {"offender_id": HIM, "notification_id": bench.notice.notification_id, "call_in_id": MEETING}
    bench.put(Invite(**common, asking=1, moved=False, starts_at=bench.now + DAY, venue="City Hall"))
    assert not bench.notice.needs_round
    assert printing(bench, bench.now.date()) == "applied"
    bench.wait(days=1).heartbeat()
    bench.put(Attend(**common, by="j.castellano", role=Role.COORDINATOR, attended=True))
    assert (bench.notice.state, bench.notice.unplanned) == (NotificationState.SERVED, False)


@pytest.mark.parametrize(("after", "unplanned"), [(1, True), (5, False), (9, False), (10, True)])
def test_a_visit_outside_any_round_is_taken_and_marked(after: int, unplanned: bool) -> None:
    bench = released()
    bench.plan(bench.now + 5 * HOUR, hours=4)
    bench.wait(hours=after).heartbeat()
    assert bench.serve() == "applied"
    assert bench.notice.unplanned is unplanned
    [event] = [one for one in bench.said if isinstance(one, NotificationServed)]
    assert event.unplanned is unplanned


def test_a_round_leaves_time_to_tell_her() -> None:
    bench = released()
    assert bench.plan(bench.now + 4 * HOUR - timedelta(minutes=1)) == "refused:too_soon"
    assert bench.plan(bench.now + HOUR, role=Role.COORDINATOR) == "applied"
    begins = bench.now + HOUR
    bench.wait(hours=2).heartbeat()
    assert bench.plan(begins, hours=6) == "applied"  # it has begun, and lasts longer
    assert bench.plan(bench.now + HOUR) == "refused:too_soon"


def test_no_round_is_set_for_a_visit_that_was_made() -> None:
    bench = released()
    bench.wait(hours=1).heartbeat()
    assert bench.plan(bench.now - HOUR, role=Role.COORDINATOR) == "refused:too_soon"
    assert printing(bench, bench.now.date()) == "refused:no_round"


def test_a_round_goes_with_the_notice_to_the_record_that_survives(waiting: Bench) -> None:
    """Whichever of the merge and the question comes first over there, and of answer and notice here."""
    begins = waiting.now + 3 * DAY
    waiting.plan(begins)
    ask = AskGiven(offender_id=HIM, surviving_offender_id="O-9")
    waiting.put(ask)
    [asked] = [one for one in waiting.recent if isinstance(one, TellGiven)]
    waiting.put(decision(None, None, merged_offender_id=HIM, withdrawn_pair_ids=[decision().pair_id]))
    waiting.put(ask)
    [late] = [one for one in waiting.recent if isinstance(one, TellGiven)]
    assert asked.planned == late.planned
    [planned] = late.planned
    assert (planned.tier, planned.planned_from) == (Tier.C, begins)
    answer = TellGiven(offender_id=HIM, from_offender_id="O-0", given=[], planned=late.planned)
    for first in ("answer", "notice"):
        other = Bench()
        merge = decision(None, None, merged_offender_id="O-0", review=[ReviewCode.MERGE_PENDING], merge_pending=True)
        arrives = decision(1, Tier.C, merge_pending=True)
        other.put(merge, *((answer, arrives) if first == "answer" else (arrives, answer)))
        assert [one.planned_from for one in told(other)] == [begins]
        assert other.notice.plan == (begins, begins + 4 * HOUR)


def test_what_is_no_round_is_refused(waiting: Bench) -> None:
    for begins, hours in ((-2 * DAY, 4.0), (DAY, -1.0), (DAY, 25.0), (32 * DAY, 4.0)):
        assert waiting.plan(waiting.now + begins, hours) == "refused:not_planned"
    assert waiting.plan(waiting.now + DAY, role=Role.ADVOCATE) == "refused:role_missing"
    assert told(waiting) == []
