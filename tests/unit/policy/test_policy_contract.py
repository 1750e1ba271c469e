"""Sentences of the contract's section on tiers that no other test has by itself."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.classification import Tier
from schemas.envelope import Event, pair_id
from schemas.incident import Disposition, Offense, ProhibitedBehavior, Victim
from schemas.notification import Channel, NotificationServed, Proof
from schemas.policy import Policy
from tests.harness.incidents import (
    PRACTICE,
    SEED,
    Bench,
    disposed,
    event,
    expunged,
    later,
    merged,
    noticed,
    report,
    split,
)

NOBODY = Victim(victim_id="V-ST", relationship="ST", offenses=["13A"])
HERS = Victim(victim_id="V-BG", relationship="BG", offenses=["13B"])
BREACH = [ProhibitedBehavior.NO_CONTACT]


def tiers(*events: Event[Any], policy: Policy = PRACTICE) -> str:
    """After each incident, in the order they occurred."""
    bench = Bench(policy)
    bench.put(*events)
    return "".join(tier or "-" for tier in bench.offender().assessment.standing.tiers.values())


def served(tier: str, him: str = "O-1", *, name: str = "N-1", day: float = 5) -> Event[Any]:
    """A notice given by this system, as the notifier says it."""
    data = NotificationServed(
        notification_id=name, pair_id=pair_id("NC0990100:001", him), offender_id=him, tier=Tier(tier),
        channel=Channel.LETTER_IN_HAND, template="d-1", served_at=later(day), proof=Proof.SIGNATURE,
    )  # fmt: skip
    return event(data, him, later(day))


# a repeated arrest adds no charge, so neither A nor C fires for it ----------------------------------------------------


def test_the_first_incident_that_has_a_charge_bears_the_arrests() -> None:
    """Not one that is off the ladder, nor one in which he was charged for somebody else, nor one he was acquitted of."""
    last = report(5, charged=True, arrest="A", force=["12"], code="13A")
    mutual = report(1, victims=["BG", "VO"], charged=True, arrest="A")
    minor = report(2, charged=True, arrest="A", born=None, offender={"age": 17})
    for_another = report(
        3,
        victims=[HERS, NOBODY],
        arrest="A",
        offenses=[Offense(code="13A", charged=True), Offense(code="13B", charged=False)],
    )
    acquitted = report(4, charged=True, arrest="A", disposition=Disposition.ACQUITTED)
    assert tiers(mutual, minor, last) == "--A"
    assert tiers(for_another, acquitted, last) == "DDA"
    assert tiers(report(4, charged=True, arrest="A"), last) == "CC", (
        "the handgun of a repeated arrest is no charge of its own"
    )


def test_a_courts_word_moves_the_charge_to_the_next_incident_of_the_arrest() -> None:
    first, second = report(1, charged=True, arrest="A"), report(2, charged=True, arrest="A", code="13C")
    assert tiers(first, second, disposed("A", Disposition.ACQUITTED)) == "DC"


def test_a_violation_in_a_repeated_arrest_is_a_violation() -> None:
    assert tiers(report(1, charged=True, arrest="A"), report(2, charged=True, arrest="A", breach=BREACH)) == "CB"


# notices served -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notice", [served, noticed])
@pytest.mark.parametrize("tier", list("ABCD"))
def test_an_incident_after_a_served_notice_carries_the_violation(notice: Any, tier: str) -> None:
    """Whichever list it was for, whoever gave it, in any order of arrival; off in the seed policy."""
    events = [report(1, charged=True), notice(tier, day=5), report(9)]
    for some in (events, events[::-1], [events[1], events[0], events[2]]):
        assert tiers(*some) == "CB"
        assert tiers(*some, policy=SEED) == "CC"


def test_it_is_the_first_notice_that_counts_and_time_of_service_not_of_report() -> None:
    assert (
        tiers(report(1, charged=True), served("C", name="N-2", day=9), report(6), served("D", name="N-1", day=5))
        == "CB"
    )
    assert tiers(report(1, charged=True), served("C", day=7), report(6)) == "CC"


def test_a_notice_alone_leads_nowhere() -> None:
    assert tiers(served("D", day=1), report(2), report(3)) == "DD"


@pytest.mark.parametrize("notice", [served, noticed])
def test_a_notice_follows_the_person_through_a_merge(notice: Any) -> None:
    events = [report(1, charged=True), notice("C", "O-2", day=5), report(9), merged("O-2", "O-1")]
    for some in (events, events[::-1]):
        assert tiers(*some) == "CB"


def test_what_is_split_off_is_not_breached_by_another_mans_notice() -> None:
    bench = Bench(PRACTICE)
    bench.put(report(1, charged=True), served("C", day=5), report(9), report(10, charged=True), split([10], "O-9"))
    assert (bench.offender("O-1").tier, bench.offender("O-9").tier) == ("B", "C")


def test_an_expunged_incident_takes_with_it_what_it_made_of_the_others() -> None:
    assert tiers(report(1, charged=True), report(2, charged=True), report(3, breach=BREACH), expunged(3)) == "CB"
    assert tiers(report(1, charged=True), report(3, breach=BREACH), expunged(3), policy=SEED) == "C"


# total ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [SEED, PRACTICE], ids=lambda policy: policy.id)
def test_decisions_bear_the_rules_of_the_latest_step_that_is_the_tier(policy: Policy) -> None:
    """And evidence of every qualifying incident on the ladder, in walk order, the tier's or not."""
    bench = Bench(policy)
    bench.put(
        report(3), report(1, charged=True), report(2, victims=["SB"], charged=True), report(4, victims=["BG", "VO"])
    )
    (*_, last) = bench.decisions
    assert last.rules == ["c-first-charge"]
    assert last.evidence == ["NC0990100:001", "NC0990100:003"]
    assert (last.tier, last.policy) == ("C", policy.ref)
