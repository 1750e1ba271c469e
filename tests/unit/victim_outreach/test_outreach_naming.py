"""She is named, or said to be his partner: what she said before goes on as hers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.advocacy import (
    Answer,
    ChannelSafety,
    ConsentRecipient,
    ConsentScope,
    ContactSafety,
    GiveConsent,
    RecordSafeContact,
    RecordScreen,
    RevokeConsent,
    UnlinkVictims,
)
from schemas.commands import Role
from schemas.envelope import Data
from schemas.outreach import AttemptOutcome, ContactChannel, TaskKind, TaskOwner
from services.victim_outreach.domain import case_of_victim
from services.victim_outreach.rules import is_quiet, safe_contact
from tests.harness.outreach import HIM, Bench, amended, asked, opened, withdrawn

CALL, TEXT = ContactChannel.CALL, ContactChannel.TEXT
BEFORE = [opened(victim_id=None), asked(), asked(victim_id=None)]


def told(first: Data) -> Bench:
    """One who is unnamed, or of whom a partner link is asked, has said how she may be reached, and was screened."""
    bench = Bench()
    bench.put(first)
    channels = [ChannelSafety(channel=CALL, safety=ContactSafety.UNSAFE)]
    assert bench.advise(RecordSafeContact, role=Role.OFFICER, no_contact=True, channels=channels) == "applied"
    assert bench.advise(RecordScreen, answers=[Answer.YES] * 11) == "applied"
    allow(bench)
    return bench


def allow(bench: Bench, consent_id: str = "C-1", **more: Any) -> None:
    until = bench.now + timedelta(days=10)
    consent: dict[str, Any] = {
        "scope": ConsentScope.SAFE_CONTACT,
        "recipient": ConsentRecipient.AGENCY,
        "named": "High Point police",
    }
    assert bench.advise(GiveConsent, consent_id=consent_id, until=until, signed=True, **consent, **more) == "applied"


def is_open(bench: Bench, channel: ContactChannel) -> bool:
    case = bench.case()
    return safe_contact(bench.file.profiles_of(case), bench.file.tries_of(case), bench.now).is_open(channel)


@pytest.mark.parametrize("first", BEFORE)
def test_what_she_said_before_she_was_named_holds_under_her_name(first: Data) -> None:
    bench = told(first)
    bench.wait(hours=1).put(amended(victim_id="V-1"))
    case = bench.case()
    assert is_quiet(bench.file, case)
    assert bench.open_kinds() == [TaskKind.HIGH_DANGER_CALL, TaskKind.WRITTEN_INFORMATION]
    bench.advise(RecordSafeContact, role=Role.OFFICER, channels=[])
    assert not is_quiet(bench.file, case)  # until she says otherwise
    assert bench.advise(RevokeConsent, consent_id="C-1") == "applied"


@pytest.mark.parametrize("first", BEFORE)
def test_withdrawn_in_between_it_holds_as_well(first: Data) -> None:
    bench = told(first)
    bench.put(withdrawn(), opened(victim_id="V-1"))
    assert is_quiet(bench.file, bench.case())


@pytest.mark.parametrize("first", BEFORE)
def test_what_is_recorded_on_a_page_that_was_open_when_she_was_named_holds_under_her_name(first: Data) -> None:
    bench = Bench()
    bench.put(first)
    page = bench.case()
    bench.put(amended(victim_id="V-1"))
    assert bench.safe(TEXT, no_contact=True, case_id=page) == "applied"
    assert bench.advise(RecordScreen, answers=[Answer.YES] * 11, case_id=page) == "applied"
    assert is_quiet(bench.file, bench.case())
    assert TaskKind.HIGH_DANGER_CALL in bench.open_kinds()
    bench.safe(TEXT)
    bench.advise(RecordScreen, answers=[Answer.NO] * 11)
    assert is_open(bench, TEXT)  # what was said on that page is not said again
    assert [one.result for one in bench.file.screens.values() if one.case_id == bench.case()] == ["high", "not_high"]


def test_beside_what_she_said_under_her_name_the_later_word_holds_with_what_either_forbids() -> None:
    bench = told(opened(victim_id=None))
    bench.put(opened(2, victim_id="V-1"))
    bench.safe(CALL, TEXT, role=Role.OFFICER, case_id=bench.case(2))
    assert not is_quiet(bench.file, bench.case(2))
    bench.put(amended(victim_id="V-1"))
    assert bench.case(1) == bench.case(2)
    assert is_quiet(bench.file, bench.case())
    [hers] = bench.file.profiles_of(bench.case())
    assert (hers.says(CALL), hers.says(TEXT)) == (ContactSafety.UNSAFE, ContactSafety.SAFE)


def test_said_twice_it_is_there_once() -> None:
    bench = told(opened(victim_id=None))
    bench.put(amended(victim_id="V-1"), amended(victim_id=None), amended(victim_id="V-1"))
    assert [one.number for one in bench.file.screens.values() if one.case_id == bench.case()] == [1]
    assert len(bench.file.profiles_of(bench.case())) == 1


@pytest.mark.parametrize("first", [opened(victim_id=None), asked()])
def test_what_she_has_taken_back_does_not_return_when_she_is_named_once_more(first: Data) -> None:
    bench = told(first)
    bench.put(amended(victim_id="V-1"))
    now_safe = ChannelSafety(channel=CALL, safety=ContactSafety.SAFE)
    bench.advise(RecordSafeContact, role=Role.OFFICER, channels=[now_safe])
    assert not is_quiet(bench.file, bench.case())
    bench.put(first.model_copy())
    page = bench.case()
    bench.put(amended(victim_id="V-1"))
    assert not is_quiet(bench.file, bench.case())
    assert is_open(bench, CALL)
    bench.put(first.model_copy())
    assert bench.advise(RecordSafeContact, role=Role.OFFICER, no_contact=True, case_id=page) == "applied"
    bench.put(amended(victim_id="V-1"))
    assert is_quiet(bench.file, bench.case())  # said since


def test_named_once_more_after_another_woman_was_what_she_said_in_between_goes_on() -> None:
    bench = told(opened(victim_id=None))
    page = bench.case()
    bench.put(amended(victim_id="V-1"))
    bench.advise(RecordSafeContact, role=Role.OFFICER, channels=[])
    bench.put(amended(victim_id="V-2"))
    bench.advise(RecordSafeContact, role=Role.OFFICER, no_contact=True, case_id=page)
    bench.put(amended(victim_id=None), amended(victim_id="V-1"))
    assert is_quiet(bench.file, bench.case())


@pytest.mark.parametrize("first", [opened(victim_id="V-2"), asked(victim_id="V-2")])
def test_of_another_woman_than_was_thought_nothing_goes_on(first: Data) -> None:
    bench = told(first)
    page = bench.case()
    bench.put(amended(victim_id="V-1"))
    bench.safe(TEXT, role=Role.ADVOCATE, case_id=page)
    assert not bench.file.profiles_of(bench.case())
    assert is_open(bench, CALL)
    assert bench.file.consents["C-1"].case_id == page
    assert not is_quiet(bench.file, bench.case())


def try_in_vain(bench: Bench) -> None:
    [task] = bench.file.unfinished_tasks()
    assert bench.claim(task.kind) == "applied"
    assert bench.attempt(task.kind, AttemptOutcome.OTHER_PERSON) == "applied"


@pytest.mark.parametrize("first", BEFORE)
def test_where_somebody_else_answered_before_she_was_named_stays_shut_until_she_is_asked(first: Data) -> None:
    bench = Bench()
    bench.put(first)
    try_in_vain(bench)
    assert not is_open(bench, CALL)
    bench.put(amended(victim_id="V-1"))
    assert not is_open(bench, CALL)
    assert bench.case() not in bench.file.attempts_by_case  # he waits for what was done since she is known
    bench.safe(TEXT)
    assert not is_open(bench, CALL)  # of calls nobody asked her
    bench.safe(CALL)
    assert is_open(bench, CALL)


def test_where_somebody_else_answered_says_nothing_of_another_woman_than_was_thought() -> None:
    bench = Bench()
    bench.put(asked(victim_id="V-2"))
    try_in_vain(bench)
    bench.put(amended(victim_id="V-1"))
    assert is_open(bench, CALL)


def test_linked_what_she_said_unnamed_is_kept_when_the_link_is_undone() -> None:
    bench = told(opened(victim_id=None))
    bench.put(opened(2, victim_id="V-1"), opened(3, victim_id="V-2"))
    bench.link()
    bench.put(amended(victim_id="V-2"))
    assert is_quiet(bench.file, bench.case(2))
    bench.link(UnlinkVictims)
    assert is_quiet(bench.file, bench.case(3))
    assert not is_quiet(bench.file, bench.case(2))


def test_named_wrongly_what_the_other_allowed_is_no_permission_of_hers() -> None:
    bench = Bench()
    bench.put(opened(victim_id=None))
    bench.safe(TEXT, unsafe=[ChannelSafety(channel=CALL, safety=ContactSafety.UNSAFE)])
    allow(bench)
    bench.put(opened(2, victim_id="V-1"), amended(victim_id="V-1"))
    assert is_open(bench, TEXT)
    bench.put(amended(victim_id="V-2"))
    [hers] = bench.file.profiles_of(bench.case(2))
    assert (hers.says(CALL), hers.says(TEXT), hers.address(TEXT)) == (ContactSafety.UNSAFE, ContactSafety.UNKNOWN, None)
    assert not bench.file.consents["C-1"].holds(bench.now)


def test_named_wrongly_what_she_forbade_and_her_screen_go_on_to_whom_she_is_named_then() -> None:
    bench = told(opened(victim_id=None))
    bench.safe(TEXT, role=Role.ADVOCATE)
    bench.wait(hours=1).put(amended(victim_id="V-1"))
    bench.wait(hours=1).put(amended(victim_id="V-2"))
    case = bench.case()
    assert is_quiet(bench.file, case)
    assert bench.open_kinds() == [TaskKind.HIGH_DANGER_CALL, TaskKind.WRITTEN_INFORMATION]
    said = {one.owner: one for one in bench.file.profiles_of(case)}
    assert said[TaskOwner.AGENCY].says(CALL) is ContactSafety.UNSAFE
    assert said[TaskOwner.SYSTEM_ADVOCATE].address(TEXT) is None  # what she allowed she is asked anew
    assert bench.file.consents["C-1"].case_id != case


def test_thought_to_be_another_before_she_was_named_nothing_goes_on_however_often_she_is_named() -> None:
    bench = told(asked(victim_id="V-2"))
    bench.put(amended(victim_id="V-1"), amended(victim_id="V-3"))
    assert not is_quiet(bench.file, bench.case())
    bench.put(asked(victim_id="V-2"))
    assert is_quiet(bench.file, bench.case())
    assert not any(one.case_id == case_of_victim(HIM, "V-2") for one in bench.file.profiles.values())


def test_named_wrongly_beside_her_own_word_the_other_ones_permission_is_taken_back() -> None:
    bench = Bench()
    bench.put(opened(2, victim_id="V-1"))
    own = ChannelSafety(channel=CALL, safety=ContactSafety.UNSAFE)
    bench.safe(unsafe=[own], case_id=bench.case(2))
    bench.put(opened(victim_id=None))
    bench.safe(TEXT)
    bench.put(amended(victim_id="V-1"))
    assert is_open(bench, TEXT)
    bench.put(amended(victim_id="V-2"))
    [hers] = bench.file.profiles_of(bench.case(2))
    assert (hers.says(CALL), hers.says(TEXT), hers.address(TEXT)) == (ContactSafety.UNSAFE, ContactSafety.UNKNOWN, None)


def test_named_wrongly_what_she_has_said_herself_since_stands() -> None:
    bench = Bench()
    bench.put(opened(2, victim_id="V-1"), opened(victim_id=None))
    bench.safe(TEXT)
    bench.put(amended(victim_id="V-1"))
    bench.safe(TEXT, case_id=bench.case(2))
    bench.put(amended(victim_id="V-2"))
    [hers] = bench.file.profiles_of(bench.case(2))
    assert hers.says(TEXT) is ContactSafety.SAFE


@pytest.mark.parametrize("between", [[], [withdrawn()]])
def test_named_wrongly_her_own_consent_of_before_stands(between: list[Data]) -> None:
    bench = Bench()
    bench.put(opened(2, victim_id="V-1"))
    allow(bench, "C-0", case_id=bench.case(2))
    bench.put(opened(victim_id=None))
    allow(bench)
    bench.put(amended(victim_id="V-1"), *between, opened(victim_id="V-2"))
    assert {key: one.holds(bench.now) for key, one in bench.file.consents.items()} == {"C-0": True, "C-1": False}
