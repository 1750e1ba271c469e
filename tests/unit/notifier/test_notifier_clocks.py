"""Every clock of a notice: when it runs out, whom it calls, and that it comes from records alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.calendar import BusinessHours
from schemas.classification import Change, ReviewCode, Tier
from schemas.commands import AskGiven, LiftableHold, Role, TellGiven
from schemas.duty import DutyAlerted
from schemas.notice_work import Correction, NoticeClock
from schemas.notification import Channel, FailureReason, HoldReason, NotificationReleased, NotificationState
from schemas.outreach import GateState
from schemas.person import Custody, OffenderDescribed
from schemas.policy_notices import Span
from services.common.calendar import Calendar
from services.notifier.rules.clocks import after
from tests.harness.notices import HIM, START, Bench, custody, decision, gate, withdrawal


def released(tier: Tier = Tier.C, **more: Any) -> Bench:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, tier, **more), gate(1))
    assert bench.notice.state is NotificationState.RELEASED
    bench.story()
    bench.calls()
    return bench


def later(bench: Bench, **time: float) -> list[str]:
    """Time goes by with the keeper heard, and the clock looks."""
    bench.wait(**time).heartbeat()
    bench.tick()
    return bench.calls()


def booked(hearing: datetime | None = None, at: datetime = START) -> OffenderDescribed:
    return OffenderDescribed(offender_id=HIM, custody=Custody(booking_id="J-1", booked_at=at, hearing_at=hearing))


def test_nobody_took_it() -> None:
    bench = released()
    assert later(bench, hours=23, minutes=59) == []
    assert later(bench, minutes=1) == ["claim notice_desk 1"]
    assert later(bench, hours=23) == []
    assert later(bench, hours=1) == ["claim notice_supervisor 2"]
    assert later(bench, hours=24) == ["claim coordinator 3"]
    assert later(bench, hours=24) == ["claim coordinator 4"]


def test_taken_and_not_given() -> None:
    bench = released()
    assert bench.claim() == "applied"
    assert bench.plan(START + timedelta(hours=47), hours=24) == "applied"
    assert later(bench, hours=47) == []
    assert later(bench, hours=1) == ["serve notice_desk 1"]
    assert bench.serve() == "applied"
    assert later(bench, days=30) == []


def test_taken_and_no_day_planned() -> None:
    """Nobody's notice is forgotten for lack of a plan, nor once its round has gone by."""
    bench = released()
    assert bench.claim() == "applied"
    assert later(bench, hours=23, minutes=59) == []
    assert later(bench, minutes=1) == ["claim notice_desk 1"]
    assert bench.plan(bench.now + timedelta(hours=5)) == "applied"
    assert later(bench, hours=9) == []  # given on it, or another is planned by the day it is to be given by
    assert later(bench, hours=14, minutes=59) == []
    assert later(bench, minutes=1) == ["claim notice_desk 1"]


def test_a_claim_is_one_persons() -> None:
    bench = released()
    assert bench.claim(by="m.ellison") == "applied"
    assert bench.claim(by="m.ellison") == "none"
    assert bench.claim(by="k.obi") == "refused:already_claimed"
    assert bench.claim(Role.COORDINATOR, by="j.castellano") == "applied"
    assert bench.notice.claimed_by == "j.castellano"
    assert bench.claim(Role.ADVOCATE) == "refused:role_missing"
    bench.put(gate(1, GateState.SHUT, version=2))
    assert bench.notice.claimed_by is None
    assert bench.claim() == "refused:not_released"


def test_long_silence_calls_once() -> None:
    bench = released()
    assert later(bench, days=20) == ["claim notice_desk 1"]


@pytest.mark.parametrize("tier", list(Tier))
def test_at_the_jail_before_the_hearing_whatever_the_list(tier: Tier) -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(booked(hearing=START + timedelta(hours=20)), decision(1, tier), gate(1))
    assert (bench.notice.channel, bench.notice.serve_by) == (Channel.CUSTODY_VISIT, START + timedelta(hours=20))
    assert bench.calls() == ["claim notice_desk 1"]
    assert later(bench, minutes=14) == []
    assert later(bench, minutes=1) == ["claim notice_supervisor 2"]
    bench.claim()
    assert later(bench, hours=19, minutes=44) == []
    assert later(bench, minutes=1) == ["serve notice_desk 1"]
    assert later(bench, minutes=15) == ["serve notice_supervisor 2"]


def test_after_a_day_of_it_the_jail_is_called_for_less_often() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(booked(), decision(1), gate(1))
    bench.calls()
    assert len(later(bench, hours=23, minutes=50)) == 1
    assert len(later(bench, minutes=15)) == 1
    assert later(bench, minutes=15) == []
    assert len(later(bench, hours=24)) == 1


def test_without_a_hearing_the_booking_counts_and_not_the_release_of_the_notice() -> None:
    bench = Bench()
    bench.put(booked())
    bench.wait(hours=30).heartbeat()
    bench.put(decision(1), gate(1))
    assert bench.notice.serve_by == START + timedelta(hours=48)


def test_a_change_of_custody_plans_it_anew() -> None:
    bench = released()
    assert bench.notice.serve_by == START + timedelta(hours=48)
    bench.claim()
    bench.wait(hours=1).heartbeat()
    bench.put(booked(at=bench.now))
    assert bench.notice.serve_by == START + timedelta(hours=49)
    assert bench.calls() == ["claim notice_desk 1"]  # another goes to the jail than was to find him
    bench.claim()
    bench.wait(hours=1).heartbeat()
    hearing = START + timedelta(hours=9)
    bench.put(booked(hearing=hearing, at=START + timedelta(hours=1)))
    assert bench.notice.serve_by == hearing
    assert bench.notice.claimed_by == "some.officer"
    said = bench.said[-1]
    assert isinstance(said, NotificationReleased) and said.serve_by == hearing
    bench.wait(hours=1).heartbeat()
    bench.put(custody(held=False))
    assert bench.notice.channel is not Channel.CUSTODY_VISIT
    assert bench.notice.serve_by == START + timedelta(hours=51)


def test_a_notice_that_waits_is_looked_at() -> None:
    bench = Bench()
    bench.put(decision(1, mutual=True))
    assert later(bench, hours=71) == []
    assert later(bench, hours=1) == ["held coordinator 1"]
    assert later(bench, hours=24) == ["held coordinator 2"]


def test_a_visit_that_met_nobody_is_made_again() -> None:
    bench = released()
    assert bench.fail() == "applied"
    assert (bench.notice.state, bench.notice.due and bench.notice.due.clock) == ("failed", NoticeClock.RETRY)
    bench.story()
    assert later(bench, hours=23, minutes=59) == []
    assert bench.story() == []
    bench.wait(minutes=1).tick()
    assert bench.story() == ["C held (gate)"]  # until the gate's keeper has spoken again
    bench.wait(seconds=5).heartbeat()
    assert bench.story() == ["C released"]
    bench.fail()
    later(bench, hours=24)
    later(bench, minutes=1)
    bench.fail()
    assert (len(bench.notice.attempts), bench.notice.due and bench.notice.due.clock) == (3, NoticeClock.CLOSE)
    bench.story()
    assert later(bench, hours=168) == ["close coordinator 1"]
    assert bench.story() == []
    assert bench.retry() == "applied"


def test_a_refusal_is_tried_again_only_by_a_coordinator() -> None:
    bench = released()
    bench.fail(reason=FailureReason.REFUSED)
    bench.story()
    assert later(bench, days=6) == []
    bench.put(booked(at=bench.now))
    assert bench.story() == []
    assert bench.retry() == "refused:refusal_needs_coordinator"
    assert bench.retry(Role.COORDINATOR) == "applied"
    assert bench.retry(Role.COORDINATOR) == "refused:not_failed"
    assert bench.story() == ["C released"]


def test_who_was_not_found_is_found_at_the_jail() -> None:
    bench = released()
    bench.fail()
    bench.story()
    bench.wait(hours=1).heartbeat()
    bench.put(booked(at=bench.now))
    assert bench.story() == ["C released"]
    assert bench.notice.channel is Channel.CUSTODY_VISIT


def test_what_was_given_and_is_wrong_now_is_set_right() -> None:
    bench = released()
    bench.serve()
    bench.wait(days=1).put(withdrawal(1, None))
    assert bench.notice.state is NotificationState.CORRECTED
    bench.story()
    bench.calls()
    assert later(bench, hours=72) == ["decide coordinator 1"]
    assert bench.correct() == "refused:not_decided"
    assert bench.decide(Correction.LETTER, Role.OFFICER) == "refused:role_missing"
    assert bench.decide(Correction.WITHDRAWAL) == "applied"
    assert later(bench, hours=72) == ["correct coordinator 1"]
    assert bench.correct() == "applied"
    assert later(bench, days=90) == []
    assert bench.correct() == "refused:already_corrected"
    assert bench.decide(Correction.NONE) == "refused:already_corrected"


def test_a_correction_waits_for_the_gate_like_any_contact() -> None:
    bench = released()
    bench.serve()
    bench.put(decision(2), gate(2, GateState.SHUT), withdrawal(1, Tier.C))
    bench.decide(Correction.LETTER)
    assert bench.correct() == "refused:not_released"
    bench.wait(minutes=1).heartbeat()
    assert bench.correct() == "refused:not_released"
    bench.put(gate(2, version=2))
    assert bench.correct() == "applied"


def test_under_a_record_that_was_merged_into_another_nobody_knows_whether_her_gate_is_shut() -> None:
    bench = released()
    bench.serve()
    bench.put(withdrawal(1, None))
    assert bench.decide(Correction.LETTER) == "applied"
    bench.put(AskGiven(offender_id=HIM, surviving_offender_id="O-9"))
    assert bench.correct() == "refused:not_released"
    assert bench.correct(Role.COORDINATOR) == "applied"  # who records what was done all the same


def test_a_correction_waits_until_his_history_is_whole() -> None:
    bench = released()
    bench.serve()
    bench.put(withdrawal(1, None))
    bench.decide(Correction.LETTER)
    arriving = {"change": Change.KEPT, "merged_offender_id": "O-0", "review": [ReviewCode.MERGE_PENDING]}
    bench.put(decision(None, None, merge_pending=True, **arriving))
    assert bench.correct() == "refused:not_released"
    bench.put(TellGiven(offender_id=HIM, from_offender_id="O-0", given=[]), decision(None, None, change=Change.KEPT))
    assert bench.correct() == "applied"


def test_no_correction_is_an_end() -> None:
    bench = released()
    bench.serve()
    bench.put(withdrawal(1, None))
    bench.calls()
    assert bench.decide(Correction.NONE) == "applied"
    assert later(bench, days=90) == []
    assert released().decide(Correction.NONE) == "refused:not_corrected"


def test_an_alert_names_nobody() -> None:
    bench = released()
    bench.wait(hours=24).heartbeat()
    [alert] = [one for one in bench.recent if isinstance(one, DutyAlerted)]
    assert set(alert.model_dump()) == {"alert_id", "role", "escalation"}
    outcome = bench.wait(hours=24).heartbeat()
    [out] = [one for one in outcome.events if isinstance(one.event.data, DutyAlerted)]
    assert (out.event.subject, out.event.correlationid, out.event.causationid) == ("notice_supervisor", None, None)
    assert HIM not in out.event.data.model_dump_json()


def test_the_breaker_calls_once_an_hour() -> None:
    bench = Bench()
    bench.counted = [("releases", bench.now)] * 1_000
    bench.heartbeat()
    bench.put(decision(1, Tier.C), gate(1))
    assert sum(isinstance(one, DutyAlerted) for one in bench.work) == 1
    bench.work.clear()
    bench.put(decision(2, Tier.B), gate(2))
    assert bench.notice.reasons == (HoldReason.BREAKER,)
    assert not any(isinstance(one, DutyAlerted) for one in bench.work)


def test_a_lift_waits_for_the_keepers_next_word() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, mutual=True), gate(1))
    bench.wait(seconds=30)
    assert bench.lift(LiftableHold.MUTUAL) == "applied"
    assert bench.notice.reasons == (HoldReason.GATE,)
    bench.tick()
    assert bench.notice.reasons == (HoldReason.GATE,)
    bench.wait(seconds=30).heartbeat()
    assert bench.notice.state is NotificationState.RELEASED


# the calendar ----------------------------------------------------------------------------------------------------------

EASTERN = ZoneInfo("America/New_York")


def office(*holidays: str) -> Calendar:
    return Calendar(EASTERN, BusinessHours.model_validate_json(f'{{"holidays": {list(holidays)}}}'.replace("'", '"')))


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 3, 7, 12, tzinfo=EASTERN),  # the night after, an hour is left out
        datetime(2026, 10, 31, 12, tzinfo=EASTERN),  # the night after, an hour comes twice
        datetime(2026, 12, 24, 12, tzinfo=EASTERN),  # over a holiday and a weekend
    ],
)
def test_72_hours_are_72_hours(start: datetime) -> None:
    end = after(start, Span(hours=72), office("2026-12-25"))
    assert end - start.astimezone(UTC) == timedelta(hours=72)
    assert end.tzinfo is UTC


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=EASTERN)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("start", "hours", "holidays", "end"),
    [
        (local(2026, 12, 21, 9), 4, (), local(2026, 12, 21, 13)),
        (local(2026, 12, 21, 16), 2, (), local(2026, 12, 22, 9)),
        (local(2026, 12, 24, 16), 2, ("2026-12-25",), local(2026, 12, 28, 9)),
        (local(2026, 12, 26, 3), 9, (), local(2026, 12, 28, 17)),
        (local(2026, 12, 25, 10), 1, ("2026-12-25",), local(2026, 12, 28, 9)),
        (local(2026, 3, 6, 16), 9, (), local(2026, 3, 9, 16)),
        (local(2026, 10, 30, 16), 9, (), local(2026, 11, 2, 16)),
    ],
    ids=["within a day", "overnight", "over christmas", "from a saturday", "on the holiday", "spring", "autumn"],
)
def test_office_hours(start: datetime, hours: int, holidays: tuple[str, ...], end: datetime) -> None:
    assert after(start, Span(hours=hours, business=True), office(*holidays)) == end


def test_which_clock_counts_office_hours_is_the_policys_choice() -> None:
    bench = released()
    notices = bench.policy.notices.model_copy(update={"claim_within": Span(hours=2, business=True)})
    friday = datetime(2026, 12, 18, 21, 30, tzinfo=UTC)  # 16:30 in New York
    bench = Bench(policy=type(bench.policy)(bench.policy.channels, 9, notices, "America/New_York"), now=friday)
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    assert bench.notice.due is not None
    # Two open hours are half of one on Friday and one and a half on Monday; but it is to be given by Sunday.
    assert bench.notice.due.first == bench.notice.serve_by == friday + timedelta(hours=48)
    slower = notices.model_copy(update={"serve_within": {Tier.C: Span(hours=168)}})
    bench = Bench(policy=type(bench.policy)(bench.policy.channels, 9, slower, "America/New_York"), now=friday)
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    assert bench.notice.due is not None
    assert bench.notice.due.first == local(2026, 12, 21, 9, 30)
