"""A screen says that she may be killed: she is called, whoever she is, once, and wherever her incident goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.advocacy import Answer, CloseCase, RecordSafeContact, RecordScreen, TakeOver
from schemas.commands import Role
from schemas.envelope import Data, pair_id, referral_id
from schemas.outreach import AttemptOutcome, CaseCloseReason, TaskCancelReason, TaskKind, TaskOpened, TaskState
from schemas.person import DescribedVictim, VictimsDescribed
from services.victim_outreach.domain import CaseFile, Task
from tests.harness.outreach import (
    HIM,
    START,
    Bench,
    amended,
    asked,
    described,
    incident,
    listed,
    opened,
    ref,
    withdrawn,
)

CALL = TaskKind.HIGH_DANGER_CALL
HE = "O-2"
UNNAMED = [opened(victim_id=None), asked(), asked(victim_id=None)]
LONG_AGO = START - timedelta(days=200)


def screened(victim_id: str | None = "V-1", number: int = 1, asked_at: datetime | None = START, **more: Any) -> Data:
    one: dict[str, Any] = {
        "victim_no": 1,
        "incident_id": incident(number),
        "lethality_screen": "high",
        "screened_at": asked_at,
    }
    return described(DescribedVictim(victim_id=victim_id, **(one | more)))


def calls(bench: Bench) -> list[Task]:
    return [task for task in bench.file.tasks.values() if task.kind is CALL]


def open_calls(bench: Bench) -> list[Task]:
    return [task for task in calls(bench) if task.unfinished]


# not named, or not known to be his partner ---------------------------------------------------------------------------


@pytest.mark.parametrize("screen", [screened(), screened(None)])
@pytest.mark.parametrize("first", UNNAMED)
def test_one_who_is_not_named_or_not_known_to_be_his_partner_is_called_at_once(first: Any, screen: Data) -> None:
    for records in ([first, screen], [screen, first]):
        bench = Bench()
        bench.put(*records)
        [call] = open_calls(bench)
        assert (call.case_id, call.due_at, call.duty, call.alerts) == (bench.case(), bench.now, Role.ADVOCATE, 1)
        assert len(bench.open_kinds()) == 2  # beside what asks who she is
        assert CALL in {one.kind for one in bench.told(TaskOpened)}


def test_a_screen_of_another_place_or_incident_calls_nobody_here() -> None:
    bench = Bench()
    bench.put(opened(victim_id=None), screened(None, victim_no=2))
    assert not calls(bench)
    bench.put(screened(None, number=2))
    assert not calls(bench)
    bench.put(screened(None, lethality_screen="not_high"))
    assert not calls(bench)


@pytest.mark.parametrize("first", UNNAMED)
def test_named_it_is_the_same_call_with_its_person_and_its_time(first: Any) -> None:
    bench = Bench()
    bench.put(first, screened(first.victim_id))
    due = open_calls(bench)[0].due_at
    bench.claim(CALL)
    bench.wait(minutes=30).put(amended(), screened())
    [call] = open_calls(bench)
    assert (call.case_id, call.claimed_by, call.due_at) == (bench.case(), "ada", due)
    [before] = [task for task in calls(bench) if not task.unfinished]
    assert before.cancel_reason is TaskCancelReason.SUPERSEDED


@pytest.mark.parametrize("outcome", [AttemptOutcome.REACHED, AttemptOutcome.DECLINED])
@pytest.mark.parametrize("first", UNNAMED)
def test_called_before_she_was_named_she_is_not_called_again(first: Any, outcome: AttemptOutcome) -> None:
    bench = Bench()
    bench.put(first, screened(first.victim_id))
    bench.claim(CALL)
    bench.attempt(CALL, outcome)
    if outcome is AttemptOutcome.REACHED:
        assert bench.complete(CALL) == "applied"
    bench.put(amended(), screened())
    assert len(calls(bench)) == 1


def test_not_known_to_be_his_partner_after_all_she_is_not_called_again() -> None:
    bench = Bench()
    bench.put(opened(), screened())
    bench.claim(CALL)
    bench.attempt(CALL, AttemptOutcome.DECLINED)
    bench.put(asked())
    assert len(calls(bench)) == 1


def test_what_was_dropped_for_want_of_a_name_is_opened_once_she_has_one() -> None:
    bench = Bench()
    bench.put(opened(victim_id=None), screened(None))
    bench.cancel(CALL)
    assert not open_calls(bench)
    bench.put(amended(), screened())
    assert len(open_calls(bench)) == 1


def test_another_woman_than_was_called_is_called() -> None:
    bench = Bench()
    bench.put(asked(), screened())
    bench.claim(CALL)
    bench.attempt(CALL, AttemptOutcome.REACHED)
    bench.complete(CALL)
    bench.put(amended(victim_id="V-2"), screened("V-2"))
    assert [task.victim_id for task in open_calls(bench)] == ["V-2"]


@pytest.mark.parametrize("first", UNNAMED)
def test_an_advocates_own_screen_calls_before_she_is_named_too_and_once(first: Any) -> None:
    bench = Bench()
    bench.put(first)
    assert bench.advise(RecordScreen, answers=[Answer.YES] * 11) == "applied"
    bench.claim(CALL, role=Role.COMMUNITY_ADVOCATE)
    bench.attempt(CALL, AttemptOutcome.REACHED, role=Role.COMMUNITY_ADVOCATE)
    bench.complete(CALL, role=Role.COMMUNITY_ADVOCATE)
    bench.put(amended())
    assert len(calls(bench)) == 1


def test_of_two_calls_each_goes_on_with_its_own_person() -> None:
    bench = Bench()
    bench.put(opened(victim_id=None), screened(None))
    bench.claim(CALL, by="police's")
    bench.advise(RecordScreen, answers=[Answer.YES] * 11)
    [hers] = [task for task in open_calls(bench) if task.claimed_by is None]
    bench.put(amended(), screened())
    assert {(task.owner, task.claimed_by) for task in open_calls(bench)} == {
        (hers.owner, None),
        ("system_advocate", "police's"),
    }


def test_no_contact_and_her_death_are_as_with_any_other() -> None:
    bench = Bench()
    bench.put(opened(victim_id=None), screened(None))
    bench.advise(RecordSafeContact, channels=[], no_contact=True)
    assert len(open_calls(bench)) == 1  # an advocate decides
    bench.put(amended(victim_id=None, homicide=True))
    assert bench.open_kinds() == [TaskKind.FAMILY_LIAISON]


# listed --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("victim_id", ["V-1", None])
@pytest.mark.parametrize("late", [True, False])
def test_a_screen_of_these_days_calls_although_its_incident_is_listed(late: bool, victim_id: str | None) -> None:
    """Reported late; or part of a history load, and of these days itself."""
    incident = listed(victim_id=victim_id, occurred_at=LONG_AGO if late else START, bulk=not late)
    for records in ([incident, screened(victim_id)], [screened(victim_id), incident]):
        bench = Bench()
        bench.put(*records)
        [call] = open_calls(bench)
        assert bench.open_kinds() == [CALL]
        assert call.case_id in bench.file.cases
        assert (call.due_at - START, call.alerts) == (timedelta(seconds=bench.records - records.index(incident)), 1)
        assert bench.gate() is None  # he is told of nothing, so nothing waits
        bench.put(screened(victim_id, lethality_screen="not_high"))
        assert not open_calls(bench)


@pytest.mark.parametrize(
    ("more", "asked_at"),
    [
        ({"occurred_at": LONG_AGO, "bulk": True}, LONG_AGO),
        ({"occurred_at": LONG_AGO, "bulk": True}, START),  # the day the file was made
        ({"occurred_at": LONG_AGO}, LONG_AGO),
        ({"occurred_at": LONG_AGO}, None),
        ({"homicide": True, "bulk": True}, START),
    ],
)
def test_a_load_of_old_screens_calls_nobody(more: dict[str, Any], asked_at: datetime | None) -> None:
    bench = Bench()
    bench.put(listed(**more), screened(asked_at=asked_at))
    bench.wait(hours=30).tick()
    bench.put(described(), screened(asked_at=asked_at))
    assert bench.file.tasks == {}
    assert bench.file.cases == {}
    assert bench.file.wake_at is None


def test_opened_by_a_person_it_is_the_same_call() -> None:
    bench = Bench()
    bench.put(listed(bulk=True), screened())
    bench.claim(CALL)
    due = bench.task(CALL).due_at
    bench.put(amended())
    [call] = open_calls(bench)
    assert (call.claimed_by, call.due_at) == ("ada", due)
    assert TaskKind.CALL in bench.open_kinds()


def test_called_while_it_was_listed_she_is_not_called_again() -> None:
    bench = Bench()
    bench.put(listed(victim_id=None, bulk=True), screened(None))
    bench.claim(CALL)
    bench.attempt(CALL, AttemptOutcome.REACHED)
    bench.complete(CALL)
    bench.put(listed(bulk=True), screened(), amended())
    assert len(calls(bench)) == 1
    assert bench.case() == bench.file.referrals[ref()].case_id


def test_it_ends_with_the_incident_and_outlasts_the_closing_of_the_case() -> None:
    bench = Bench()
    bench.put(listed(bulk=True), screened())
    close: dict[str, Any] = {"role": Role.OUTREACH_SUPERVISOR, "reason": CaseCloseReason.SERVED}
    assert bench.advise(CloseCase, **close) == "applied"
    assert len(open_calls(bench)) == 1
    bench.put(withdrawn())
    [call] = calls(bench)
    assert (call.state, call.cancel_reason) == (TaskState.CANCELLED, TaskCancelReason.REFERRAL_WITHDRAWN)


# merged --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["referral", "hand-over"])
@pytest.mark.parametrize("given", [opened(victim_id=None), asked(), listed(bulk=True)])
def test_merged_into_another_record_she_is_called_there_however_late(given: Any, first: str) -> None:
    """Also of a listed incident: told there for the first time months after she was asked, the call was open still."""
    bench, other = Bench(), Bench(file=CaseFile(HE))
    bench.put(given, screened(given.victim_id))
    bench.wait(days=90).put(withdrawn().model_copy(update={"moved_to": HE}))
    [data] = [one for one in bench.told(TakeOver) if one.kept["referral"]]
    other.now = bench.now
    his = pair_id(incident(1), HE)
    there = {"offender_id": HE, "pair_id": his, "referral_id": referral_id(his, 1)}
    referral = given.model_copy(update=there)
    screen = VictimsDescribed(offender_id=HE, victims=screened(given.victim_id).victims)  # type: ignore[attr-defined]
    other.put(*([referral, data] if first == "referral" else [data, referral]), screen)
    [call] = open_calls(other)
    assert call.referral_id == there["referral_id"]
    assert not open_calls(bench)


def test_merged_on_before_her_screen_was_told_there_she_is_called_all_the_same() -> None:
    bench, other = Bench(), Bench(file=CaseFile(HE))
    bench.put(listed(bulk=True), screened())
    bench.wait(days=90).put(withdrawn().model_copy(update={"moved_to": HE}))
    [data] = [one for one in bench.told(TakeOver) if one.kept["referral"]]
    his = pair_id(incident(1), HE)
    there = {"offender_id": HE, "pair_id": his, "referral_id": referral_id(his, 1)}
    other.put(listed(bulk=True).model_copy(update=there), data)
    other.put(withdrawn().model_copy(update={**there, "moved_to": "O-3"}))
    [onwards] = other.told(TakeOver)
    assert onwards.kept["referral"][0]["to_be_called"]
    assert not any(one.to_be_called for one in other.file.referrals.values())


def test_made_before_the_merge_a_call_of_a_listed_incident_is_not_made_again() -> None:
    bench = Bench()
    bench.put(listed(bulk=True), screened())
    bench.claim(CALL)
    bench.attempt(CALL, AttemptOutcome.DECLINED)
    bench.put(withdrawn().model_copy(update={"moved_to": HE}))
    assert not [one for one in bench.told(TakeOver) if one.kept["referral"]]
    assert HIM not in {one.offender_id for one in bench.told(TakeOver)}
