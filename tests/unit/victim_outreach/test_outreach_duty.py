"""When a task is due, and whom it is brought before until somebody takes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from schemas import policy as terms
from schemas.calendar import BusinessHours
from schemas.classification import Tier
from schemas.commands import Role
from schemas.outreach import AttemptOutcome, TaskKind, TaskOverdue, TaskOwner
from schemas.outreach_terms import TaskClock
from services.victim_outreach.rules import next_alert
from services.victim_outreach.rules.clocks import due
from tests.harness.outreach import POLICY, START, Bench, custody, opened, released, withdrawn

HOUR = timedelta(hours=1)
INFORMATION = TaskKind.WRITTEN_INFORMATION


# clocks --------------------------------------------------------------------------------------------------------------


def task(hours: int, clock: TaskClock = TaskClock.ELAPSED) -> terms.Task:
    return terms.Task(kind=TaskKind.CALL, owner=TaskOwner.SYSTEM_ADVOCATE, due_within_hours=hours, clock=clock)


def with_holidays(*days: date) -> terms.Policy:
    return POLICY.model_copy(update={"business_hours": BusinessHours(holidays=frozenset(days))})


@pytest.mark.parametrize("night", [datetime(2026, 3, 7, 12, tzinfo=UTC), datetime(2026, 10, 31, 12, tzinfo=UTC)])
def test_72_hours_are_72_hours_when_the_clocks_change_and_on_a_holiday(night: datetime) -> None:
    policy = with_holidays(*[(night + timedelta(days=day)).date() for day in range(4)])
    assert due(night, task(72), policy) - night == 72 * HOUR
    bench = Bench(policy=policy, now=night)
    bench.put(opened(tier=None))
    assert bench.task(INFORMATION).due_at - bench.now == 72 * HOUR
    bench.wait(hours=72).tick()
    assert [one.escalation for one in bench.told(TaskOverdue) if one.kind is INFORMATION] == [1]


def test_business_hours_are_those_of_the_county() -> None:
    """Friday 16:00 in North Carolina; the office closes at 17:00, and Monday is a holiday."""
    friday = datetime(2025, 1, 17, 21, tzinfo=UTC)
    business = task(2, TaskClock.BUSINESS)
    assert due(friday, business, POLICY) == datetime(2025, 1, 20, 14, tzinfo=UTC)
    assert due(friday, business, with_holidays(date(2025, 1, 20))) == datetime(2025, 1, 21, 14, tzinfo=UTC)
    assert due(friday, task(0, TaskClock.BUSINESS), POLICY) == friday
    assert due(friday, task(27, TaskClock.BUSINESS), POLICY) == datetime(2025, 1, 22, 21, tzinfo=UTC)


def test_business_hours_across_a_change_of_the_clocks() -> None:
    """Friday 16:30 winter time, two business hours: Monday 09:30 summer time, an hour sooner in UTC."""
    assert due(datetime(2026, 3, 6, 21, 30, tzinfo=UTC), task(2, TaskClock.BUSINESS), POLICY) == datetime(
        2026, 3, 9, 13, 30, tzinfo=UTC
    )


def test_written_information_is_due_within_72_hours_whatever_the_clock() -> None:
    slow = [terms.Task(kind=INFORMATION, owner=TaskOwner.AGENCY, due_within_hours=72, clock=TaskClock.BUSINESS)]
    bench = Bench(policy=POLICY.model_copy(update={"no_tier": slow}))
    bench.put(opened(tier=None))
    assert bench.task(INFORMATION).due_at == bench.now + 72 * HOUR


# duty ----------------------------------------------------------------------------------------------------------------


def paged(bench: Bench, kind: TaskKind = TaskKind.CUSTODY_RELEASE) -> tuple[int, Role | None]:
    found = bench.task(kind)
    return found.alerts, found.duty


def out_of_jail() -> Bench:
    bench = Bench()
    bench.put(opened(), custody(released_at=START))
    return bench


def test_what_is_not_for_haste_pages_nobody_before_it_is_due() -> None:
    bench = Bench()
    bench.put(opened())
    assert {one.alerts for one in bench.file.tasks.values()} == {0}
    bench.wait(hours=48).tick()
    assert paged(bench, TaskKind.CALL) == (1, Role.ADVOCATE)
    assert paged(bench, INFORMATION) == (0, None)
    [told] = bench.told(TaskOverdue)
    assert (told.kind, told.duty) == (TaskKind.CALL, "advocate")


def test_his_release_pages_at_once_again_and_the_next_until_it_is_taken() -> None:
    bench = out_of_jail()
    assert paged(bench) == (1, Role.ADVOCATE)
    bench.wait(minutes=14).tick()
    assert paged(bench) == (1, Role.ADVOCATE)
    bench.wait(minutes=1).tick()
    assert paged(bench) == (2, Role.ADVOCATE)
    bench.wait(minutes=45).tick()
    assert paged(bench) == (3, Role.OUTREACH_SUPERVISOR)
    bench.claim(TaskKind.CUSTODY_RELEASE)
    told = paged(bench)
    bench.wait(minutes=1).tick()
    bench.wait(minutes=28).tick()
    assert paged(bench) == told


def test_what_is_for_haste_and_was_taken_rings_again_until_somebody_tries() -> None:
    """Whoever took it at three in the morning may have fallen asleep."""
    bench = out_of_jail()
    bench.wait(minutes=1)
    bench.claim(TaskKind.CUSTODY_RELEASE)
    bench.wait(minutes=59).tick()  # due, and taken 59 minutes ago
    assert paged(bench) == (1, Role.ADVOCATE)
    bench.wait(minutes=1).tick()
    assert paged(bench) == (2, Role.OUTREACH_SUPERVISOR)
    bench.wait(minutes=15).tick()
    assert paged(bench) == (3, Role.OUTREACH_SUPERVISOR)
    bench.attempt(TaskKind.CUSTODY_RELEASE)
    bench.wait(hours=23).tick()
    assert paged(bench) == (3, Role.OUTREACH_SUPERVISOR)


def test_who_takes_over_what_is_for_haste_is_to_try_as_well() -> None:
    bench = out_of_jail()
    bench.claim(TaskKind.CUSTODY_RELEASE)
    bench.attempt(TaskKind.CUSTODY_RELEASE)
    bench.wait(hours=10).tick()
    told = paged(bench)[0]
    bench.claim(TaskKind.CUSTODY_RELEASE, by="bea", instead_of="ada")
    bench.wait(minutes=59).tick()
    assert paged(bench)[0] == told
    bench.wait(minutes=1).tick()
    assert paged(bench) == (told + 1, Role.OUTREACH_SUPERVISOR)
    bench.attempt(TaskKind.CUSTODY_RELEASE, by="bea")
    bench.wait(hours=1).tick()
    assert paged(bench)[0] == told + 1


def test_taken_over_when_she_was_reached_it_is_not_for_haste_any_more() -> None:
    bench = out_of_jail()
    bench.claim(TaskKind.CUSTODY_RELEASE)
    bench.attempt(TaskKind.CUSTODY_RELEASE, AttemptOutcome.REACHED)
    bench.wait(hours=2).tick()
    told = paged(bench)[0]
    bench.claim(TaskKind.CUSTODY_RELEASE, by="bea", instead_of="ada")
    bench.wait(hours=3).tick()
    assert paged(bench)[0] == told


def test_given_back_it_is_rung_for_at_once_from_the_first_of_the_ladder() -> None:
    bench = out_of_jail()
    for _ in range(8):
        bench.wait(hours=6).tick()  # a day of pages is over: one a day
    bench.claim(TaskKind.CUSTODY_RELEASE)
    told = paged(bench)[0]
    bench.wait(minutes=5)
    assert bench.give_back(TaskKind.CUSTODY_RELEASE) == "applied"
    assert paged(bench) == (told + 1, Role.ADVOCATE)
    bench.wait(minutes=15).tick()
    assert paged(bench) == (told + 2, Role.ADVOCATE)
    bench.wait(minutes=45).tick()
    assert paged(bench) == (told + 3, Role.OUTREACH_SUPERVISOR)


def test_given_back_before_it_is_due_it_waits_for_that() -> None:
    bench = Bench()
    bench.put(opened())
    bench.claim(TaskKind.CALL)
    bench.give_back(TaskKind.CALL)
    assert paged(bench, TaskKind.CALL) == (0, None)
    bench.wait(hours=48).tick()
    assert paged(bench, TaskKind.CALL) == (1, Role.ADVOCATE)


def test_a_page_of_before_it_was_taken_does_not_keep_the_supervisor_from_hearing_that_it_is_late() -> None:
    bench = out_of_jail()
    bench.claim(TaskKind.CUSTODY_RELEASE)
    bench.attempt(TaskKind.CUSTODY_RELEASE)
    bench.wait(minutes=59).tick()
    assert paged(bench) == (1, Role.ADVOCATE)
    bench.wait(minutes=1).tick()
    assert paged(bench) == (2, Role.OUTREACH_SUPERVISOR)


def test_taken_and_still_not_done_goes_to_the_last_of_the_ladder() -> None:
    bench = Bench()
    bench.put(opened())
    bench.claim(TaskKind.CALL)
    bench.wait(hours=48).tick()
    assert paged(bench, TaskKind.CALL) == (1, Role.OUTREACH_SUPERVISOR)
    bench.wait(hours=23).tick()
    assert paged(bench, TaskKind.CALL)[0] == 1
    bench.wait(hours=1).tick()
    assert paged(bench, TaskKind.CALL)[0] == 2


def test_after_a_day_it_is_paged_for_once_a_day_and_never_not_at_all() -> None:
    bench = out_of_jail()
    for _ in range(4 * 24):
        bench.wait(minutes=15).tick()
    a_day = paged(bench)[0]
    assert 90 < a_day < 100
    for _ in range(4 * 24 * 3):
        bench.wait(minutes=15).tick()
    assert paged(bench)[0] in (a_day + 3, a_day + 4)


def test_in_jail_reaching_her_does_not_wait_until_it_is_due() -> None:
    bench = Bench()
    bench.put(custody(hearing_at=START + 20 * HOUR), opened())
    assert paged(bench, TaskKind.CALL) == (1, Role.ADVOCATE)
    assert paged(bench, INFORMATION) == (0, None)


@pytest.mark.parametrize("tier", [*Tier, None])
def test_in_jail_somebody_is_paged_at_once_whatever_hearing_is_set(tier: Tier | None) -> None:
    kind = TaskKind.IN_PERSON_CONTACT if tier in (Tier.A, Tier.B) else TaskKind.CALL
    pages = []
    for hearing_at in (None, START + 40 * HOUR):
        bench = Bench()
        bench.put(custody(hearing_at=hearing_at), opened(tier=tier))
        bench.wait(minutes=15).tick()
        bench.wait(minutes=45).tick()
        pages.append(paged(bench, kind))
    assert pages == [(3, Role.OUTREACH_SUPERVISOR)] * 2


def test_a_hearing_that_is_set_or_put_off_stops_no_page_that_runs() -> None:
    bench = Bench()
    bench.put(custody(), opened(tier=Tier.A))
    for hearing_at in (START + 40 * HOUR, START + 80 * HOUR):
        before, _ = paged(bench, TaskKind.IN_PERSON_CONTACT)
        bench.put(custody(hearing_at=hearing_at))
        bench.wait(minutes=15).tick()
        assert paged(bench, TaskKind.IN_PERSON_CONTACT)[0] == before + 1


def test_after_a_day_of_pages_the_alarm_before_the_hearing_rings_as_often_as_ever() -> None:
    bench = Bench()
    bench.put(custody(hearing_at=START + 60 * HOUR), opened(tier=Tier.A))
    for _ in range(58):
        bench.wait(hours=1).tick()
    for _ in range(3):
        before, duty = paged(bench, TaskKind.IN_PERSON_CONTACT)
        assert duty is Role.OUTREACH_SUPERVISOR
        bench.wait(minutes=15).tick()
        assert paged(bench, TaskKind.IN_PERSON_CONTACT)[0] == before + 1


@pytest.mark.parametrize(("tier", "pages"), [(Tier.A, True), (Tier.B, True), (Tier.C, False)])
def test_a_and_b_alarm_where_c_is_released_by_time(tier: Tier, pages: bool) -> None:
    bench = Bench()
    bench.put(opened(tier=tier), custody(hearing_at=START + 10 * HOUR))
    kind = TaskKind.CALL if tier is Tier.C else TaskKind.IN_PERSON_CONTACT
    bench.claim(kind)
    before = paged(bench, kind)
    bench.wait(hours=8).tick()
    if pages:
        assert paged(bench, kind) == (before[0] + 1, Role.OUTREACH_SUPERVISOR)
        assert bench.gate() == "shut"
    else:
        assert paged(bench, kind) == before
        assert bench.gate() == "clear"


def test_where_he_waits_as_b_the_alarm_rings_for_every_woman_he_waits_for() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1", tier=Tier.C), opened(2, victim_id="V-2", tier=Tier.B))
    bench.put(custody(hearing_at=START + 10 * HOUR))
    bench.claim(TaskKind.CALL, number=1)
    before = paged(bench, TaskKind.CALL)
    bench.wait(hours=8).tick()
    assert paged(bench, TaskKind.CALL) == (before[0] + 1, Role.OUTREACH_SUPERVISOR)


def test_what_is_finished_pages_nobody() -> None:
    bench = out_of_jail()
    bench.put(withdrawn())
    assert all(next_alert(bench.file, one, POLICY) is None for one in bench.file.tasks.values())
    assert bench.file.wake_at is None


def test_an_earlier_partner_is_told_only_where_policy_says_so() -> None:
    rule = terms.Task(kind=TaskKind.EARLIER_PARTNER, owner=TaskOwner.SYSTEM_ADVOCATE, due_within_hours=48)
    settings = {name: getattr(POLICY, name) for name in terms.Policy.model_fields}
    telling = terms.Policy(**(settings | {"occasions": [*POLICY.occasions, rule]}))
    for policy, expected in ((POLICY, []), (telling, ["V-1"])):
        bench = Bench(policy=policy)
        bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"), released())
        found = [one for one in bench.file.tasks.values() if one.kind is TaskKind.EARLIER_PARTNER]
        assert [one.victim_id for one in found] == expected
        # Nothing of the new incident, nor of her, is in what is hers.
        assert {(one.pair_id, one.referral_id) for one in found} <= {
            (one.pair_id, one.referral_id) for one in bench.file.referrals.values() if one.victim_id == "V-1"
        }
