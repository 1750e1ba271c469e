"""What advocates record: how she may be reached, how much danger she is in, what she allows; and that a case ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.advocacy import (
    Answer,
    ChannelSafety,
    CloseCase,
    ConsentRecipient,
    ConsentScope,
    ContactSafety,
    GiveConsent,
    RecordSafeContact,
    RecordScreen,
    ReopenCase,
    RevokeConsent,
    SafeHours,
    UnlinkVictims,
)
from schemas.calendar import Weekday
from schemas.commands import Role
from schemas.outreach import (
    AttemptOutcome,
    CaseCloseReason,
    CaseReopenReason,
    ContactChannel,
    GateChanged,
    TaskCancelled,
    TaskCancelReason,
    TaskKind,
    TaskOpened,
    TaskOwner,
    TaskState,
)
from schemas.topics import Topic
from services.victim_outreach.rules import SafeContact, address_of, result, safe_contact
from services.victim_outreach.rules.contact import within
from tests.harness.outreach import (
    HIM,
    Bench,
    amended,
    custody,
    described,
    opened,
    planned,
    prepared,
    released,
    served,
    withdrawn,
)
from tests.harness.outreach_store import her

ZONE = ZoneInfo("America/New_York")
CALL, VOICEMAIL, TEXT = ContactChannel.CALL, ContactChannel.VOICEMAIL, ContactChannel.TEXT
EMAIL, MAIL, IN_PERSON = ContactChannel.EMAIL, ContactChannel.MAIL, ContactChannel.IN_PERSON


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.put(opened())
    made.claim(TaskKind.CALL)
    return made


def unsafe(channel: ContactChannel) -> ChannelSafety:
    return ChannelSafety(channel=channel, safety=ContactSafety.UNSAFE)


def contact(bench: Bench, number: int = 1) -> SafeContact:
    case = bench.case(number)
    return safe_contact(bench.file.profiles_of(case), bench.file.attempts_by_case.get(case, ()), bench.now)


def open_ways(bench: Bench, number: int = 1) -> set[ContactChannel]:
    found = contact(bench, number)
    return {channel for channel in (CALL, VOICEMAIL, TEXT, EMAIL, MAIL, IN_PERSON) if found.is_open(channel)}


# safe contact --------------------------------------------------------------------------------------------------------


def test_nobody_asked_her_yet_what_others_could_find_is_shut(bench: Bench) -> None:
    assert open_ways(bench) == {CALL, IN_PERSON}


def test_what_she_says_is_safe_is_open_until_it_runs_out(bench: Bench) -> None:
    assert bench.safe(TEXT, EMAIL) == "applied"
    assert open_ways(bench) == {CALL, IN_PERSON, TEXT, EMAIL}
    bench.wait(days=30)
    assert open_ways(bench) == {CALL, IN_PERSON}
    assert bench.safe(TEXT, valid_until=bench.now + timedelta(days=400)) == "applied"
    bench.wait(days=399)
    assert TEXT in open_ways(bench)


def test_what_is_not_safe_stays_so_when_the_rest_runs_out(bench: Bench) -> None:
    bench.safe(TEXT, unsafe=[unsafe(CALL)])
    assert open_ways(bench) == {IN_PERSON, TEXT}
    bench.wait(days=3_000)
    assert open_ways(bench) == {IN_PERSON}
    bench.safe(CALL)
    assert open_ways(bench) == {CALL, IN_PERSON}


def test_of_two_profiles_the_stricter_holds_channel_by_channel(bench: Bench) -> None:
    bench.safe(TEXT, CALL, MAIL, role=Role.ADVOCATE)
    bench.safe(TEXT, role=Role.COMMUNITY_ADVOCATE, unsafe=[unsafe(CALL)])
    assert open_ways(bench) == {IN_PERSON, TEXT}  # of mail she was asked by one of them only
    bench.safe(TEXT, MAIL, role=Role.COMMUNITY_ADVOCATE)
    assert open_ways(bench) == {IN_PERSON, TEXT, MAIL}  # nobody asked her of calls again
    bench.safe(TEXT, MAIL, CALL, role=Role.COMMUNITY_ADVOCATE)
    assert open_ways(bench) == {CALL, IN_PERSON, TEXT, MAIL}


def test_the_hours_of_each_profile_must_fit(bench: Bench) -> None:
    days = [Weekday.FRI, Weekday.SAT]
    bench.safe(TEXT, role=Role.ADVOCATE, hours=[SafeHours(days=days, start="09:00", end="15:00")])
    bench.safe(TEXT, hours=[SafeHours(days=days, start="12:00", end="18:00")])
    found = contact(bench)
    friday = datetime(2025, 1, 10, tzinfo=ZONE)
    allowed = [hour for hour in range(24) if found.permits(TEXT, friday + timedelta(hours=hour), ZONE)]
    assert allowed == [12, 13, 14]
    assert not found.permits(TEXT, friday + timedelta(days=2, hours=13), ZONE)


def test_hours_may_run_past_midnight() -> None:
    nights = [(("fri",), "22:00", "02:00")]
    friday = datetime(2025, 1, 10, tzinfo=ZONE)
    allowed = [hour for hour in range(48) if within(nights, friday + timedelta(hours=hour), ZONE)]
    assert allowed == [22, 23, 24, 25]


def test_hours_are_of_the_clock_on_her_wall() -> None:
    """The night the clocks go forward: 09:00 is 14:00 UTC the day before and 13:00 UTC that day."""
    mornings = [(tuple(Weekday), "09:00", "10:00")]
    assert within(mornings, datetime(2026, 3, 7, 14, 30, tzinfo=UTC), ZONE)
    assert not within(mornings, datetime(2026, 3, 8, 14, 30, tzinfo=UTC), ZONE)
    assert within(mornings, datetime(2026, 3, 8, 13, 30, tzinfo=UTC), ZONE)


@pytest.mark.parametrize("outcome", [AttemptOutcome.WRONG_CONTACT, AttemptOutcome.OTHER_PERSON])
def test_a_wrong_number_or_another_person_shuts_that_way_until_she_is_asked_anew(
    bench: Bench, outcome: AttemptOutcome
) -> None:
    bench.safe(CALL, TEXT)
    bench.attempt(outcome=outcome)
    assert open_ways(bench) == {IN_PERSON, TEXT}
    assert bench.task(TaskKind.CALL).unfinished
    assert bench.gate() == "shut"
    bench.safe(TEXT)  # of calls nobody asked her
    bench.safe(TEXT, role=Role.OFFICER)
    assert open_ways(bench) == {IN_PERSON, TEXT}
    bench.safe(CALL)
    assert CALL in open_ways(bench)


def test_an_address_is_hers_alone_and_only_while_it_is_safe(bench: Bench) -> None:
    bench.put(described(her(1, "+1 336 555 0100")))
    assert address_of(bench.file.profiles_of(bench.case()), TEXT, bench.now) is None
    bench.safe(TEXT)
    assert address_of(bench.file.profiles_of(bench.case()), TEXT, bench.now) == "+1 336 555 0142"
    bench.wait(days=31)
    assert address_of(bench.file.profiles_of(bench.case()), TEXT, bench.now) is None


def test_she_will_call_means_that_nobody_calls(bench: Bench) -> None:
    bench.put(released())
    assert TaskKind.BEFORE_DELIVERY in bench.open_kinds()
    assert bench.safe(TEXT, no_contact=True) == "applied"
    assert open_ways(bench) == set()
    assert bench.open_kinds() == [TaskKind.WRITTEN_INFORMATION]
    reasons = {task.owner: task.cancel_reason for task in bench.file.tasks.values() if not task.unfinished}
    assert reasons == {  # what she told the one is not said to the others
        TaskOwner.COMMUNITY_ADVOCATE: TaskCancelReason.NO_CONTACT,
        TaskOwner.SYSTEM_ADVOCATE: TaskCancelReason.SUPERSEDED,
    }
    bench.put(served(), opened(2))
    assert bench.open_kinds() == [TaskKind.WRITTEN_INFORMATION]
    bench.wait(days=500)
    assert open_ways(bench) == set()
    bench.put(custody(released_at=bench.now))
    assert TaskKind.CUSTODY_RELEASE in bench.open_kinds()  # an advocate decides
    bench.safe(CALL)
    assert TaskKind.CALL in bench.open_kinds()


def test_without_a_way_to_her_no_day_is_told(bench: Bench) -> None:
    bench.safe(unsafe=[unsafe(channel) for channel in (CALL, VOICEMAIL, TEXT, EMAIL, MAIL, IN_PERSON)])
    bench.put(released(), served())
    assert TaskKind.BEFORE_DELIVERY not in bench.open_kinds()
    assert TaskKind.AFTER_DELIVERY in bench.open_kinds()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valid_until": datetime(2020, 1, 1, tzinfo=UTC)}, "in_past"),
        ({"channels": [unsafe(CALL), unsafe(CALL)]}, "channel_twice"),
        ({"case_id": "elsewhere"}, "unknown_case"),
        ({"role": Role.OPERATOR}, "wrong_role"),
    ],
)
def test_a_profile_is_refused(bench: Bench, more: dict[str, Any], code: str) -> None:
    assert bench.advise(RecordSafeContact, **more) == f"refused:{code}"
    assert bench.file.profiles == {}


# lethality screen ----------------------------------------------------------------------------------------------------


def answers(*yes: int, no: int = 11) -> list[Answer]:
    return [Answer.YES if number in yes else Answer.NO for number in range(1, no + 1)]


@pytest.mark.parametrize(
    ("yes", "believed", "expected"),
    [
        ((), False, "not_high"),
        ((1,), False, "high"),
        ((3,), False, "high"),
        ((4, 5, 6), False, "not_high"),
        ((4, 5, 6, 11), False, "high"),
        ((), True, "high"),
    ],
)
def test_what_a_screen_comes_to(yes: tuple[int, ...], believed: bool, expected: str) -> None:
    assert result(answers(*yes), believed=believed) == expected


def test_what_is_left_open_is_neither_yes_nor_no() -> None:
    assert result([], believed=False) == "declined"
    assert result([Answer.UNANSWERED] * 11, believed=False) == "declined"
    assert result([Answer.UNANSWERED] * 10 + [Answer.NO], believed=False) == "not_high"
    assert result([Answer.UNANSWERED] * 11, believed=True) == "high"


def test_high_danger_is_a_call_due_at_once_and_pages_the_advocate_on_duty(bench: Bench) -> None:
    assert bench.advise(RecordScreen, answers=answers(2)) == "applied"
    call = bench.task(TaskKind.HIGH_DANGER_CALL)
    assert (call.due_at, call.duty, call.alerts) == (bench.now, Role.COMMUNITY_ADVOCATE, 1)
    assert call.owner is TaskOwner.COMMUNITY_ADVOCATE  # whose screen it is; nobody else is to know of it
    assert TaskKind.HIGH_DANGER_CALL not in {one.kind for one in bench.told(TaskOpened)}
    assert bench.advise(RecordScreen, answers=answers()) == "applied"
    assert bench.advise(RecordScreen, answers=answers()[:7]) == "refused:not_eleven_answers"
    assert bench.advise(RecordScreen, answers=answers(1), role=Role.OFFICER) == "refused:wrong_role"
    assert [screen.result for screen in bench.file.screens.values()] == ["high", "not_high"]


def test_polices_screen_calls_for_it_in_any_order_of_arrival() -> None:
    ends = []
    for records in (
        [described(her(1, lethality_screen="high")), opened()],
        [opened(), described(her(1, lethality_screen="high"))],
    ):
        bench = Bench()
        bench.put(*records)
        ends.append(bench.task(TaskKind.HIGH_DANGER_CALL).due_at)
        assert bench.task(TaskKind.HIGH_DANGER_CALL).duty is Role.ADVOCATE
        bench.put(described(her(1, lethality_screen="high", name="No Body")), amended())
        assert len([task for task in bench.file.tasks.values() if task.kind is TaskKind.HIGH_DANGER_CALL]) == 1
    assert ends[0] == ends[1]


@pytest.mark.parametrize("high", [True, False])
def test_a_screen_changes_nothing_for_him(bench: Bench, high: bool) -> None:
    """The same acts, the same gate at the same minutes."""
    bench.put(prepared())
    bench.advise(RecordScreen, answers=answers(*([1] if high else [])))
    story = []
    for _ in range(3):
        bench.wait(hours=13)
        bench.attempt()
        bench.attempt(channel=IN_PERSON)
    for _ in range(60):
        before = len(bench.told(GateChanged))
        bench.wait(minutes=5).on_the_round()
        story += [one.gate for one in bench.told(GateChanged)[before:]]
    assert story == ["clear"]
    assert bench.told(GateChanged)[-1].version == 2


# consent -------------------------------------------------------------------------------------------------------------


def consent(bench: Bench, **more: Any) -> str:
    given: dict[str, Any] = {
        "consent_id": "C-1",
        "scope": ConsentScope.SAFE_CONTACT,
        "recipient": ConsentRecipient.AGENCY,
        "named": "High Point police",
        "until": bench.now + timedelta(days=10),
        "signed": True,
    }
    return bench.advise(GiveConsent, **(given | more))


def test_a_consent_is_written_for_a_time_and_may_be_taken_back(bench: Bench) -> None:
    assert consent(bench) == "applied"
    assert consent(bench) == "none"
    held = bench.file.consents["C-1"]
    assert held.holds(bench.now)
    assert held.holds(held.until - timedelta(seconds=1))
    assert not held.holds(held.until)
    assert bench.advise(RevokeConsent, consent_id="C-1", by="bea") == "applied"
    assert not bench.file.consents["C-1"].holds(bench.now)
    assert bench.advise(RevokeConsent, consent_id="C-1") == "none"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"signed": False}, "not_signed"),
        ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, "in_past"),
        ({"until": datetime(2030, 1, 1, tzinfo=UTC)}, "too_long"),
        ({"role": Role.OFFICER}, "wrong_role"),
        ({"role": Role.COORDINATOR}, "wrong_role"),
        ({"case_id": "elsewhere"}, "unknown_case"),
    ],
)
def test_a_consent_is_refused(bench: Bench, more: dict[str, Any], code: str) -> None:
    assert consent(bench, **more) == f"refused:{code}"
    assert bench.advise(RevokeConsent, consent_id="C-1") == "refused:unknown_consent"


def test_no_service_hangs_on_a_consent(bench: Bench) -> None:
    """Tasks and gates are the same with and without."""
    before = (bench.file.tasks, bench.file.gates)
    consent(bench)
    bench.advise(RevokeConsent, consent_id="C-1")
    assert (bench.file.tasks, bench.file.gates) == before


# stop rules ----------------------------------------------------------------------------------------------------------


def test_so_many_attempts_in_vain_end_a_task_and_a_new_incident_starts_anew(bench: Bench) -> None:
    for _ in range(5):
        bench.attempt()
    assert bench.task(TaskKind.CALL).unfinished
    bench.attempt()
    [ended] = [one for one in bench.told(TaskCancelled) if one.kind is TaskKind.CALL]
    assert (ended.reason, ended.by) == (TaskCancelReason.ATTEMPTS_EXHAUSTED, "system")
    bench.put(amended())
    assert TaskKind.CALL not in bench.open_kinds()
    bench.put(opened(2))
    assert TaskKind.CALL in bench.open_kinds()


def test_once_she_was_reached_attempts_do_not_run_out(bench: Bench) -> None:
    bench.attempt(outcome=AttemptOutcome.REACHED)
    for _ in range(9):
        bench.attempt()
    assert bench.task(TaskKind.CALL).unfinished


@pytest.mark.parametrize("kind", [TaskKind.CALL, TaskKind.AFTER_DELIVERY])
def test_what_was_no_try_of_her_ends_no_task(bench: Bench, kind: TaskKind) -> None:
    bench.put(released(), served())
    bench.claim(kind)
    for outcome in (AttemptOutcome.UNSAFE, AttemptOutcome.OTHER_PERSON, AttemptOutcome.WRONG_CONTACT):
        for _ in range(6):
            bench.attempt(kind, outcome)
    assert bench.task(kind).unfinished
    for _ in range(6):
        bench.attempt(kind)
    assert bench.task(kind).cancel_reason is TaskCancelReason.ATTEMPTS_EXHAUSTED


def test_her_word_ends_what_she_declined_and_no_more(bench: Bench) -> None:
    bench.attempt(outcome=AttemptOutcome.DECLINED)
    call = bench.task(TaskKind.CALL)
    assert (call.state, call.cancel_reason) == (TaskState.CANCELLED, TaskCancelReason.HER_WORD)
    assert bench.open_kinds() == [TaskKind.SAFETY_PLANNING, TaskKind.WRITTEN_INFORMATION]
    bench.wait(hours=4).on_the_round()
    assert bench.gate() == "clear"  # she was asked


def test_who_may_be_killed_is_tried_for_as_long_as_it_takes(bench: Bench) -> None:
    bench.advise(RecordScreen, answers=answers(1))
    bench.claim(TaskKind.HIGH_DANGER_CALL)
    for _ in range(20):
        bench.attempt(TaskKind.HIGH_DANGER_CALL)
    assert bench.task(TaskKind.HIGH_DANGER_CALL).unfinished


# the case ------------------------------------------------------------------------------------------------------------


def test_a_case_is_opened_once_and_closed_by_a_person(bench: Bench) -> None:
    case = bench.file.cases[bench.case()]
    bench.put(opened(2))
    assert list(bench.file.cases) == [case.case_id]
    closing = {"reason": CaseCloseReason.SERVED}
    assert bench.advise(CloseCase, role=Role.COORDINATOR, **closing) == "refused:wrong_role"
    assert bench.advise(CloseCase, role=Role.ADVOCATE, **closing) == "refused:wrong_role"  # others' tasks are open
    assert bench.advise(CloseCase, role=Role.OUTREACH_SUPERVISOR, by="sue", **closing) == "applied"
    assert bench.advise(CloseCase, role=Role.OUTREACH_SUPERVISOR, by="sue", **closing) == "none"
    ended = bench.file.cases[case.case_id]
    assert (ended.closed_by, ended.close_reason) == ("sue", CaseCloseReason.SERVED)
    assert bench.open_kinds() == []
    assert {task.cancel_reason for task in bench.file.tasks.values()} >= {TaskCancelReason.CASE_CLOSED}
    bench.put(amended(2))
    assert bench.open_kinds() == []


def test_a_new_incident_opens_it_again(bench: Bench) -> None:
    bench.advise(CloseCase, role=Role.OUTREACH_SUPERVISOR, reason=CaseCloseReason.UNREACHABLE)
    bench.put(opened(2))
    case = bench.file.cases[bench.case()]
    assert (case.closed_at, case.openings) == (None, 2)
    assert TaskKind.CALL in bench.open_kinds()


def test_she_comes_back_and_all_is_open_to_her_again(bench: Bench) -> None:
    bench.claim(TaskKind.CALL)
    bench.attempt(TaskKind.CALL, outcome=AttemptOutcome.DECLINED)
    bench.advise(CloseCase, role=Role.OUTREACH_SUPERVISOR, reason=CaseCloseReason.HER_WORD)
    gates = bench.file.gates
    bench.wait(days=40)
    again = {"reason": CaseReopenReason.SHE_CAME_BACK}
    assert bench.advise(ReopenCase, role=Role.COORDINATOR, **again) == "refused:wrong_role"
    assert bench.advise(ReopenCase, role=Role.ADVOCATE, **again) == "applied"
    came_back = bench.now
    assert bench.advise(ReopenCase, role=Role.ADVOCATE, **again) == "none"
    case = bench.file.cases[bench.case()]
    assert (case.closed_at, case.close_reason, case.openings) == (None, None, 2)
    assert {TaskKind.CALL, TaskKind.WRITTEN_INFORMATION} <= set(bench.open_kinds())
    assert all(task.opened_at == came_back < task.due_at for task in bench.file.unfinished_tasks())
    assert bench.file.gates == gates, "what was done for her counts on"
    bench.put(amended(2))
    assert bench.file.cases[bench.case()].closed_at is None


def test_what_rests_on_nothing_is_not_opened_again(bench: Bench) -> None:
    bench.advise(CloseCase, role=Role.OUTREACH_SUPERVISOR, reason=CaseCloseReason.SERVED)
    case_id = bench.case()
    bench.put(withdrawn())
    again = {"reason": CaseReopenReason.BY_MISTAKE, "case_id": case_id}
    assert bench.advise(ReopenCase, role=Role.ADVOCATE, **again) == "refused:no_incident"


def test_a_closed_case_still_hears_of_a_visit_and_of_his_release(bench: Bench) -> None:
    bench.advise(CloseCase, role=Role.OUTREACH_SUPERVISOR, reason=CaseCloseReason.SERVED)
    bench.put(custody(released_at=bench.now), served())
    assert bench.open_kinds() == [TaskKind.AFTER_DELIVERY, TaskKind.CUSTODY_RELEASE]


@pytest.mark.parametrize(
    ("reason", "of_hers"),
    [(CaseCloseReason.SERVED, True), (CaseCloseReason.HER_WORD, True), (CaseCloseReason.DECEASED, False)],
)
def test_closed_she_hears_of_a_visit_on_her_own_account_unless_she_died(
    bench: Bench, reason: CaseCloseReason, of_hers: bool
) -> None:
    bench.advise(CloseCase, role=Role.OUTREACH_SUPERVISOR, reason=reason)
    bench.put(prepared(), planned(bench.now + timedelta(days=3)))
    assert (TaskKind.BEFORE_DELIVERY in bench.open_kinds()) is of_hers
    bench.put(released(), served())
    assert (TaskKind.AFTER_DELIVERY in bench.open_kinds()) is of_hers


@pytest.mark.parametrize(
    ("reason", "hears"),
    [(CaseCloseReason.SERVED, True), (CaseCloseReason.HER_WORD, False), (CaseCloseReason.DECEASED, False)],
)
def test_closed_at_her_word_she_hears_of_none_on_another_womans_account(
    bench: Bench, reason: CaseCloseReason, hears: bool
) -> None:
    def hers() -> set[TaskKind]:
        return {task.kind for task in bench.file.unfinished_tasks() if task.victim_id == "V-1"} - {TaskKind.GATE_REVIEW}

    bench.advise(CloseCase, role=Role.OUTREACH_SUPERVISOR, reason=reason)
    bench.wait(days=200).put(opened(2, victim_id="V-2"), prepared(2), planned(bench.now + timedelta(days=3), 2))
    assert hers() == ({TaskKind.BEFORE_DELIVERY} if hears else set())
    bench.put(released(2), served(2))
    assert hers() == ({TaskKind.AFTER_DELIVERY} if hears else set())
    bench.put(opened(3), served(2))
    assert TaskKind.AFTER_DELIVERY in hers(), "a new incident opens her case again"


# one woman under two ids ---------------------------------------------------------------------------------------------


def test_linked_she_has_one_case_and_what_was_done_counts_for_both() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
    assert bench.link() == "applied"
    assert bench.case(1) == bench.case(2)
    assert bench.open_kinds() == [TaskKind.CALL, TaskKind.SAFETY_PLANNING, TaskKind.WRITTEN_INFORMATION]
    bench.reach()
    bench.wait(hours=4).on_the_round()
    assert (bench.gate(1), bench.gate(2)) == ("clear", "clear")
    assert bench.link(UnlinkVictims) == "applied"
    assert bench.case(1) != bench.case(2)
    assert bench.gate(2) == "clear"
    assert bench.gate(1) == "shut"  # nobody spoke to that one


def test_linked_the_stricter_profile_holds_and_after_it_is_undone_for_both() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
    bench.safe(TEXT, CALL)
    bench.safe(TEXT, case_id=bench.case(2), unsafe=[unsafe(CALL)])
    assert CALL in open_ways(bench)
    bench.link()
    assert open_ways(bench) == {IN_PERSON, TEXT}
    bench.safe(EMAIL, no_contact=True)
    bench.link(UnlinkVictims)
    for number in (1, 2):
        assert any(one.no_contact for one in bench.file.profiles_of(bench.case(number)))


def test_what_she_forbade_before_a_link_stands_when_it_is_undone() -> None:
    """The other one was asked in between, and nobody knows whose word that was."""
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
    bench.safe(EMAIL, case_id=bench.case(2), no_contact=True, unsafe=[unsafe(TEXT)])
    bench.link()
    bench.safe(TEXT, EMAIL, case_id=bench.case(1))
    bench.link(UnlinkVictims)
    [profile] = bench.file.profiles_of(bench.case(2))
    assert profile.no_contact
    assert (profile.says(TEXT), profile.says(EMAIL)) == (ContactSafety.UNSAFE, ContactSafety.SAFE)
    assert [task.kind for task in bench.file.unfinished_tasks() if task.case_id == bench.case(2)] == [
        TaskKind.WRITTEN_INFORMATION
    ]


def test_what_was_replaced_while_linked_holds_again_when_it_is_undone() -> None:
    """The case of both goes by the id of one: what is said there replaces what was kept of her."""
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"), opened(3, victim_id="V-3"))
    bench.safe(EMAIL, case_id=bench.case(1), no_contact=True, unsafe=[unsafe(TEXT)])
    bench.link()
    for _ in range(2):
        bench.safe(TEXT, case_id=bench.case(1))
    assert TaskKind.CALL in bench.open_kinds()
    bench.link(UnlinkVictims)
    for number, no_contact in ((1, True), (2, False)):
        [profile] = bench.file.profiles_of(bench.case(number))
        assert profile.no_contact is no_contact
        assert TEXT not in open_ways(bench, number)
    assert len(bench.file.profiles) == 2, "nothing stays set aside"
    owners = [task.case_id for task in bench.file.unfinished_tasks() if task.kind is TaskKind.CALL]
    assert sorted(owners) == sorted([bench.case(2), bench.case(3)])


def test_of_three_ids_what_was_allowed_ends_with_any_of_the_links() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"), opened(3, victim_id="V-3"))
    bench.safe(case_id=bench.case(1), unsafe=[unsafe(MAIL)])
    bench.link()
    bench.link(one="V-2", other="V-3")
    bench.safe(TEXT, unsafe=[unsafe(CALL)])
    bench.link(UnlinkVictims, one="V-2", other="V-3")
    assert bench.case(1) == bench.case(2) != bench.case(3)
    for number in (1, 3):
        assert not {TEXT, CALL} & open_ways(bench, number)
    assert contact(bench, 1).channels[MAIL] is ContactSafety.UNSAFE


def test_an_address_of_the_other_one_is_not_hers_when_a_link_is_undone() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
    hers = ChannelSafety(channel=TEXT, safety=ContactSafety.SAFE, address="+1 336 555 0177")
    bench.safe(case_id=bench.case(2), unsafe=[hers])
    bench.link()
    bench.safe(TEXT, EMAIL, case_id=bench.case(1))
    bench.link(UnlinkVictims)
    for number in (1, 2):
        profiles = bench.file.profiles_of(bench.case(number))
        assert [address_of(profiles, one, bench.now) for one in (TEXT, EMAIL)] == [None, None]
        assert not safe_contact(profiles, (), bench.now).is_open(TEXT)


def test_a_consent_given_while_linked_ends_when_it_is_undone() -> None:
    """Nobody knows who signed it."""
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
    consent(bench, consent_id="C-1")
    bench.link()
    consent(bench, consent_id="C-2", case_id=bench.case(2))
    bench.link(UnlinkVictims)
    [before, between] = bench.file.consents.values()
    assert before.holds(bench.now)
    assert between.revoked_at == bench.now


def test_a_screen_done_while_linked_counts_for_both_when_it_is_undone() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
    bench.link()
    bench.advise(RecordScreen, answers=answers(1), case_id=bench.case(2))
    first = bench.task(TaskKind.HIGH_DANGER_CALL)
    bench.wait(minutes=5).link(UnlinkVictims)
    calls = [task for task in bench.file.unfinished_tasks() if task.kind is TaskKind.HIGH_DANGER_CALL]
    assert first.task_id in {task.task_id for task in calls}
    assert {task.victim_id for task in calls} == {"V-1", "V-2"}
    assert {task.due_at for task in calls} == {first.due_at}
    bench.link()
    bench.link(UnlinkVictims)
    calls = [task for task in bench.file.unfinished_tasks() if task.kind is TaskKind.HIGH_DANGER_CALL]
    assert sorted(task.victim_id or "" for task in calls) == ["V-1", "V-2"]
    assert len(bench.file.screens) == 2


def test_a_screen_that_was_dealt_with_while_linked_calls_the_other_one_alone() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"))
    bench.link()
    bench.advise(RecordScreen, answers=answers(1), case_id=bench.case(2))
    role = Role.COMMUNITY_ADVOCATE
    bench.claim(TaskKind.HIGH_DANGER_CALL, role=role)
    bench.attempt(TaskKind.HIGH_DANGER_CALL, AttemptOutcome.REACHED, role=role)
    assert bench.complete(TaskKind.HIGH_DANGER_CALL, role=role) == "applied"
    called = bench.task(TaskKind.HIGH_DANGER_CALL).victim_id
    bench.link(UnlinkVictims)
    assert {called, bench.task(TaskKind.HIGH_DANGER_CALL).victim_id} == {"V-1", "V-2"}


def test_a_link_is_told_to_the_lanes_of_the_other_offenders_and_goes_no_further(bench: Bench) -> None:
    bench.out.clear()
    assert bench.link(also=["O-9", HIM, "O-8"]) == "applied"
    relayed = [out for out in bench.out if out.topic is Topic.VICTIM_OUTREACH_COMMANDS]
    assert [(out.event.subject, out.other_lane) for out in relayed] == [("O-8", True), ("O-9", True)]
    assert [out.event.data.also for out in relayed] == [[], []]  # type: ignore[attr-defined]
    assert bench.link() == "none"
    assert bench.link(one="V-1", other="V-1") == "refused:same_victim"
    assert bench.link(one="V-8", other="V-9") == "refused:unknown_victim"
    assert bench.link(role=Role.COORDINATOR) == "refused:wrong_role"


def test_links_come_and_go_without_an_id_given_twice() -> None:
    bench = Bench()
    bench.put(opened(1, victim_id="V-1"), opened(2, victim_id="V-2"), custody(released_at=bench.now))
    for _ in range(3):
        bench.link()
        bench.link(UnlinkVictims)
    ids = [out.event.id for out in bench.out]
    assert len(ids) == len(set(ids))
    assert sorted(bench.open_kinds()) == sorted(
        2 * [TaskKind.CALL, TaskKind.CUSTODY_RELEASE, TaskKind.SAFETY_PLANNING, TaskKind.WRITTEN_INFORMATION]
    )
    bench.put(withdrawn(1), withdrawn(2))
    assert bench.open_kinds() == []


# nothing waits for ever ----------------------------------------------------------------------------------------------


def test_a_decision_that_a_hold_has_put_off_is_due_a_day_after_its_end(bench: Bench) -> None:
    bench.put(prepared())
    bench.hold()
    for kind in (TaskKind.CALL, TaskKind.SAFETY_PLANNING, TaskKind.WRITTEN_INFORMATION):
        bench.cancel(kind)
    bench.wait(days=3).tick()
    review = bench.task(TaskKind.GATE_REVIEW)
    assert (review.due_at, review.alerts) == (bench.now + timedelta(days=1), 0)


def test_where_nothing_left_could_end_the_wait_the_supervisor_decides(bench: Bench) -> None:
    bench.put(prepared())
    for kind in (TaskKind.CALL, TaskKind.SAFETY_PLANNING, TaskKind.WRITTEN_INFORMATION):
        assert TaskKind.GATE_REVIEW not in bench.open_kinds()
        bench.cancel(kind)
    assert bench.open_kinds() == [TaskKind.GATE_REVIEW]
    first = bench.task(TaskKind.GATE_REVIEW)
    bench.wait(hours=1)
    bench.claim(TaskKind.GATE_REVIEW, by="sue", role=Role.OUTREACH_SUPERVISOR)
    bench.complete(TaskKind.GATE_REVIEW, by="sue", role=Role.OUTREACH_SUPERVISOR)
    assert bench.task(TaskKind.GATE_REVIEW).task_id != first.task_id  # he still waits
    bench.override("cora")
    bench.override("carl")
    bench.wait(minutes=5).on_the_round()
    assert bench.gate() == "clear"
    assert bench.open_kinds() == []
