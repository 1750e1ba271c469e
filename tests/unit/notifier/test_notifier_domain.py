"""Closed unless known to be open."""

from __future__ import annotations

from dataclasses import replace

from schemas.classification import Tier
from schemas.commands import Role
from schemas.notification import Channel, HoldReason
from schemas.outreach import GateState
from services.notifier.domain import Gate, LaneView, Lift, Notice, Offender, Pair, demands, lifted, reasons_to_hold
from tests.harness.notices import START

CLEAR = Gate(GateState.CLEAR, 1, START, answers=2)
NOTICE = Notice("N-1", "p", Tier.C, Channel.LETTER_IN_HAND, "en", START)
KEPT = LaneView(START, START, 1)


def test_nobody_to_wait_for_is_not_clear() -> None:
    assert not Offender("O").clear
    assert not Offender("O", pairs={"p": Pair("p", gate=CLEAR)}).clear  # known by its gate alone
    assert Offender("O", pairs={"p": Pair("p", opened=True, asked=2, gate=CLEAR)}).clear


def test_a_clear_counts_for_what_it_answers() -> None:
    assert not Offender("O", pairs={"p": Pair("p", opened=True, gate=CLEAR)}).clear  # nobody has asked
    assert not Offender("O", pairs={"p": Pair("p", opened=True, asked=3, gate=CLEAR)}).clear
    assert Offender("O", pairs={"p": Pair("p", opened=True, asked=1, gate=CLEAR)}).clear
    asked_alone = {"p": Pair("p", opened=True, asked=2, gate=CLEAR), "q": Pair("q", asked=3)}
    assert not Offender("O", pairs=asked_alone).clear  # the decision that opens it is still to come


def test_a_notice_on_a_pair_nobody_knows_is_unannounced() -> None:
    assert demands(Offender("O"), NOTICE) == {(HoldReason.UNANNOUNCED, "p")}


def test_a_keeper_never_heard_is_silent() -> None:
    offender = Offender("O", pairs={"p": Pair("p", opened=True, asked=2, gate=CLEAR)})
    assert reasons_to_hold(offender, NOTICE, KEPT) == ()
    assert reasons_to_hold(offender, NOTICE, replace(KEPT, heartbeat=None)) == (HoldReason.GATE,)


def test_two_roles_of_one_person_are_one_person() -> None:
    demand = (HoldReason.UNANNOUNCED, "p")
    as_coordinator = Lift(*demand, "m.ortiz", Role.COORDINATOR)
    as_supervisor = Lift(*demand, "m.ortiz", Role.OUTREACH_SUPERVISOR)
    another = Lift(*demand, "j.lee", Role.OUTREACH_SUPERVISOR)
    assert not lifted(replace(NOTICE, lifts=(as_coordinator, as_supervisor)), demand)
    assert not lifted(replace(NOTICE, lifts=(as_supervisor, another)), demand)
    assert lifted(replace(NOTICE, lifts=(as_coordinator, another)), demand)
    assert not lifted(replace(NOTICE, lifts=(as_coordinator, another)), (HoldReason.UNANNOUNCED, "q"))
