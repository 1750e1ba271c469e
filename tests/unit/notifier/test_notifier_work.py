"""The prosecutor is told at once; help that he asks for is found. Both have their clocks."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.classification import Change, Outreach, Tier
from schemas.commands import AskHelp, CloseEnforcement, CloseHelp, ReferHelp, Role, TakeEnforcement
from schemas.duty import DutyAlerted
from schemas.enforcement import (
    Enforcement,
    EnforcementEscalated,
    EnforcementOutcome,
    EnforcementReferred,
    EnforcementState,
    EnforcementWithdrawn,
    Lever,
)
from schemas.help import HelpAsked, HelpEscalated, HelpKind, HelpOutcome, HelpState
from schemas.topics import Topic
from tests.harness.notices import HIM, Bench, custody, decision, expunction, gate, pair, withdrawal


def told(bench: Bench) -> list[str]:
    """What the prosecutor was told since he was last asked, in short, and forgotten."""
    work, bench.work = bench.work, []
    return [one.TYPE.split(".")[2] for one in work if isinstance(one, Enforcement)]


def on_a(**more: Any) -> Bench:
    bench = Bench()
    bench.put(decision(1, Tier.A, **more))
    return bench


def act(bench: Bench, model: type[Any], role: Role = Role.PROSECUTOR, by: str = "a.whitfield", **more: Any) -> str:
    [key] = bench.offender.enforcements
    return bench.put(model(offender_id=HIM, by=by, role=role, enforcement_id=key, **more)).result


def test_it_goes_at_once_and_waits_for_no_gate() -> None:
    bench = Bench()
    bench.put(custody(held=True))
    outcome = bench.put(decision(1, Tier.A, agency="NC0410200"))
    [event] = [one for one in bench.work if isinstance(one, EnforcementReferred)]
    assert (event.statutes, event.in_custody, event.agency) == (["14-33(c)(2)"], True, "NC0410200")
    assert event.levers == list(Lever)
    assert bench.states() == ["A held"]
    [out] = [one for one in outcome.events if one.topic is Topic.ENFORCEMENT]
    assert (out.event.subject, out.about) == (HIM, pair(1))


@pytest.mark.parametrize(
    "holds", [{"mutual": True}, {"conflict_of_interest": True}, {"offender_informed": False}], ids=str
)
def test_no_hold_of_the_notice_keeps_it(holds: dict[str, bool]) -> None:
    assert told(on_a(**holds)) == ["referred"]


@pytest.mark.parametrize(
    "silent",
    [
        decision(1, Tier.B),
        decision(1, Tier.A, charged=False),
        decision(1, Tier.A, outreach=Outreach.NONE),
        decision(1, Tier.A, evidence=[]),
        decision(None, Tier.A),
    ],
    ids=["another list", "uncharged", "listed", "off the ladder", "no incident"],
)
def test_what_is_not_referred(silent: Any) -> None:
    bench = Bench()
    bench.put(silent)
    assert told(bench) == []


def test_once_an_incident_and_again_where_what_is_charged_has_changed() -> None:
    bench = on_a()
    assert told(bench) == ["referred"]
    bench.put(decision(1, Tier.A, change=Change.KEPT))
    assert told(bench) == []
    bench.put(decision(1, Tier.A, change=Change.KEPT, statutes=["14-32.4(b)"]))
    assert told(bench) == ["referred"]
    bench.put(decision(2, Tier.A, change=Change.KEPT))
    assert told(bench) == ["referred"]
    assert len(bench.offender.enforcements) == 2


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (withdrawal(1, None), "retracted"),
        (expunction(1, None), "expunged"),
        (decision(2, Tier.B, change=Change.LOWERED), "tier_lowered"),
        (decision(1, Tier.A, change=Change.KEPT, charged=False), "retracted"),
        (decision(None, None, merged_offender_id=HIM, withdrawn_pair_ids=[pair(1)]), "merged"),
    ],
)
def test_it_is_withdrawn_with_its_ground(record: Any, reason: str) -> None:
    bench = on_a()
    bench.work.clear()
    bench.put(record)
    [event] = [one for one in bench.work if isinstance(one, EnforcementWithdrawn)]
    assert event.reason == reason
    states = [one.state for one in bench.offender.enforcements.values()]
    assert states == ([] if reason == "expunged" else [EnforcementState.WITHDRAWN])


@pytest.mark.parametrize(
    "lost",
    [decision(1, Tier.A, change=Change.KEPT, charged=False), decision(1, Tier.B, change=Change.LOWERED)],
    ids=["no charge", "another list"],
)
def test_what_regains_its_ground_is_told_anew(lost: Any) -> None:
    bench = on_a()
    bench.put(lost)
    assert told(bench) == ["referred", "withdrawn"]
    for _ in range(2):
        bench.put(decision(1, Tier.A, change=Change.KEPT))
    assert told(bench) == ["referred"]
    states = [one.state for one in bench.offender.enforcements.values()]
    assert sorted(states) == [EnforcementState.REFERRED, EnforcementState.WITHDRAWN]


def test_a_prosecutor_takes_it_and_says_what_came_of_it() -> None:
    bench = on_a()
    assert act(bench, TakeEnforcement, Role.OFFICER) == "refused:role_missing"
    assert act(bench, TakeEnforcement) == "applied"
    assert act(bench, TakeEnforcement, by="l.marsh") == "refused:already_claimed"
    used: dict[str, Any] = {"outcome": EnforcementOutcome.LEVERS_USED}
    assert act(bench, CloseEnforcement, **used) == "refused:levers_missing"
    none: dict[str, Any] = {"outcome": EnforcementOutcome.DECLINED, "levers": [Lever.FAST_TRACK]}
    assert act(bench, CloseEnforcement, **none) == "refused:levers_not_used"
    assert act(bench, CloseEnforcement, **used, levers=[Lever.FAST_TRACK]) == "applied"
    assert act(bench, TakeEnforcement) == "refused:already_closed"
    [one] = bench.offender.enforcements.values()
    assert (one.over, one.taken_by, one.levers, one.due) == (True, "a.whitfield", (Lever.FAST_TRACK,), None)
    bench.put(decision(1, Tier.A, change=Change.KEPT, statutes=["14-39"]))
    assert told(bench)[-1] != "referred"  # he is done with it


def test_taken_again_by_the_same_it_gains_no_time() -> None:
    bench = on_a()
    act(bench, TakeEnforcement)
    before = bench.offender
    bench.wait(hours=1)
    assert act(bench, TakeEnforcement) == "none"
    assert bench.offender is before


def test_an_act_on_what_has_changed_since_or_is_not_there() -> None:
    bench = on_a()
    seen = next(iter(bench.offender.enforcements.values())).version
    assert act(bench, TakeEnforcement, expects=seen) == "applied"
    assert act(bench, TakeEnforcement, expects=seen) == "refused:stale"
    other = TakeEnforcement(offender_id=HIM, by="x", role=Role.PROSECUTOR, enforcement_id="none")
    assert bench.put(other).result == "refused:unknown_enforcement"


def test_nobody_takes_it() -> None:
    bench = on_a()

    def calls(hours: int) -> list[tuple[str, int]]:
        bench.work.clear()
        bench.wait(hours=hours).tick()
        alerts = sum(isinstance(one, DutyAlerted) for one in bench.work)
        found = [(str(one.role), one.escalation) for one in bench.work if isinstance(one, EnforcementEscalated)]
        assert alerts >= len(found)
        return found

    assert calls(23) == []
    assert calls(1) == [("prosecutor", 1)]
    assert calls(24) == [("coordinator", 2)]
    act(bench, TakeEnforcement)
    assert calls(24) == []
    assert calls(720) == [("prosecutor", 1)]


# help ------------------------------------------------------------------------------------------------------------------


def asking() -> Bench:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    bench.serve()
    bench.work.clear()
    assert ask(bench) == "applied"
    return bench


def ask(bench: Bench, role: Role = Role.OFFICER) -> str:
    common: dict[str, Any] = {"offender_id": HIM, "by": "m.ellison", "role": role}
    notice = bench.notice.notification_id
    return bench.put(AskHelp(**common, notification_id=notice, kind=HelpKind.HOUSING)).result


def on_help(bench: Bench, model: type[Any], role: Role = Role.OFFICER, **more: Any) -> str:
    [key, *_] = bench.offender.helps
    return bench.put(model(offender_id=HIM, by="m.ellison", role=role, help_id=key, **more)).result


def test_he_asks_is_referred_and_it_is_heard_what_came_of_it() -> None:
    bench = asking()
    [event] = [one for one in bench.work if isinstance(one, HelpAsked)]
    assert (event.kind, event.notification_id) == ("housing", bench.notice.notification_id)
    assert on_help(bench, ReferHelp, provider="Open Door") == "applied"
    assert on_help(bench, ReferHelp, provider="Family Service") == "applied"  # the first had no place
    assert on_help(bench, CloseHelp, outcome=HelpOutcome.ENGAGED) == "applied"
    assert on_help(bench, ReferHelp, provider="Open Door") == "refused:already_closed"
    [one] = bench.offender.helps.values()
    assert (one.state, one.provider, one.outcome, one.due) == ("closed", "Family Service", "engaged", None)


def test_he_may_ask_for_more_than_one_thing() -> None:
    bench = asking()
    assert ask(bench) == "applied"
    assert len(bench.offender.helps) == 2


def test_who_may_not() -> None:
    bench = asking()
    assert ask(bench, Role.PROSECUTOR) == "refused:role_missing"
    assert on_help(bench, ReferHelp, Role.ADVOCATE, provider="Open Door") == "refused:role_missing"
    other = CloseHelp(offender_id=HIM, by="x", role=Role.OFFICER, help_id="none", outcome=HelpOutcome.ENGAGED)
    assert bench.put(other).result == "refused:unknown_help"
    seen = next(iter(bench.offender.helps.values())).version
    assert on_help(bench, ReferHelp, provider="Open Door", expects=seen) == "applied"
    assert on_help(bench, CloseHelp, outcome=HelpOutcome.ENGAGED, expects=seen) == "refused:stale"


def test_his_asking_is_not_forgotten() -> None:
    bench = asking()

    def calls(hours: int) -> list[tuple[str, str, int]]:
        bench.work.clear()
        bench.wait(hours=hours).tick()
        return [(str(one.role), str(one.kind), one.escalation) for one in bench.work if isinstance(one, HelpEscalated)]

    assert calls(71) == []
    assert calls(1) == [("coordinator", "housing", 1)]
    on_help(bench, ReferHelp, provider="Open Door")
    assert calls(719) == []
    assert calls(1) == [("coordinator", "housing", 1)]
    [one] = bench.offender.helps.values()
    assert one.state is HelpState.REFERRED
