"""The walk: what counts before what, and which step gives the tier."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas.classification import ReviewCode, Tier
from schemas.envelope import Event
from schemas.incident import Disposition, Offense, ProhibitedBehavior
from schemas.policy import Policy
from services.classifier.domain import Facts, Standing, find, walk
from services.classifier.rules import rulebook
from tests.harness.incidents import PRACTICE, SEED, incident_id, report
from tests.harness.policies import changed

BREACH = [ProhibitedBehavior.NO_CONTACT]


def walked(events: Iterable[Event[Any]], policy: Policy = PRACTICE) -> Standing:
    findings = [find(event.data, policy, lambda arrest, charge: None, listed=False) for event in events]
    return walk(findings, policy, rulebook(policy))


def tiers(standing: Standing) -> str:
    return "".join(tier or "-" for tier in standing.tiers.values())


def test_nothing_is_no_tier() -> None:
    assert walked([]) == Standing()


def test_the_seed_read_literally() -> None:
    """A: three or more before it. B: two and a violation, in whichever order. What no row covers is reviewed."""
    charges = [report(number, charged=True) for number in range(1, 6)]
    assert tiers(walked(charges, SEED)) == "CCCAA"
    assert {number for number, _ in walked(charges, SEED).reviews} == {incident_id(2), incident_id(3)}
    first = [report(1, breach=BREACH), report(2, charged=True), report(3, charged=True)]
    last = [report(1, charged=True), report(2, charged=True), report(3, breach=BREACH)]
    assert tiers(walked(first, SEED)) == "DCB"
    assert tiers(walked(last, SEED)) == "CCB"


def test_as_practised() -> None:
    assert tiers(walked([report(number, charged=True) for number in range(1, 5)])) == "CBAA"
    assert tiers(walked([report(1, charged=True), report(2, breach=BREACH)])) == "CB"
    assert tiers(walked([report(1, breach=BREACH), report(2, breach=BREACH)])) == "DD"
    assert tiers(walked([report(1, charged=True, force=["12"])])) == "A"


def test_the_step_that_gives_the_rules_and_the_one_that_gives_since() -> None:
    """`rules` are of the latest step whose highest is the tier, `since` of the first that fired it."""
    one = walked([report(1, charged=True), report(2, charged=True), report(3, breach=BREACH), report(4)])
    assert one.tier is Tier.B
    assert one.since == report(2).data.occurred_at
    assert one.rules == ("b-second-charge", "b-charge-and-violation", "d-suspicion")
    assert one.evidence == tuple(incident_id(number) for number in range(1, 5))


def test_order_is_of_occurrence_then_of_the_id() -> None:
    same_day = [report(2, day=1, charged=True, arrest="A"), report(1, day=1, charged=True, arrest="A", force=["12"])]
    assert walked(same_day).tier is Tier.A, "the first by its id bears the charge of the arrest"
    assert walked(same_day) == walked(reversed(same_day))


def test_one_arrest_is_one_charge() -> None:
    one = walked([report(1, charged=True, arrest="A"), report(2, charged=True, arrest="A", force=["12"]), report(3)])
    assert tiers(one) == "CCC"
    assert not one.reviews, "it is neither a charge without a rule nor a suspicion"


def test_off_the_ladder_nothing_counts() -> None:
    """Mutual, under age, not a partner: kept in history, with the tier as it stood."""
    one = walked(
        [
            report(1, charged=True),
            report(2, charged=True, victims=["BG", "VO"]),
            report(3, charged=True, born=None, offender={"age": 15}),
            report(4, charged=True, victims=["SB"]),
        ]
    )
    assert tiers(one) == "CCCC"
    assert one.evidence == (incident_id(1),)
    assert {code for _, code in one.reviews} == {ReviewCode.MUTUAL, ReviewCode.JUVENILE}


def test_look_back() -> None:
    """A county may forget: then an old charge does not count at a later incident, yet the tier it gave stays."""
    short = PRACTICE.model_copy(
        update={"charges": PRACTICE.charges.model_copy(update={"look_back_days": 365}), "id": "short"}
    )
    long_ago = [report(1, charged=True), report(2, day=400, charged=True), report(3, day=500, charged=True)]
    assert tiers(walked(long_ago)) == "CBA"
    assert tiers(walked(long_ago, short)) == "CCB"


def test_facts_are_given_whole() -> None:
    seen: list[Facts] = []

    def fire(facts: Facts) -> tuple[Any, ...]:
        seen.append(facts)
        return ()

    events = [
        report(1),
        report(2, charged=True, breach=BREACH, force=["20", "85"]),
        report(3, charged=True, arrest="A-O-1-2"),
    ]
    walk([find(event.data, PRACTICE, lambda arrest, charge: None, listed=False) for event in events], PRACTICE, fire)
    assert seen == [
        Facts(0, 0, 0, 1, 1, 0, False, True, False, False, False, False),
        Facts(1, 0, 1, 1, 2, 0, True, False, True, True, True, False),
        Facts(1, 1, 1, 1, 3, 0, False, False, False, False, False, False),
    ]


def test_a_conviction_is_one_of_a_charge_that_counts_and_one_an_arrest() -> None:
    """Also where another incident of the arrest is the one he was convicted of."""
    seen: list[Facts] = []

    def fire(facts: Facts) -> tuple[Any, ...]:
        seen.append(facts)
        return ()

    arrests = changed(PRACTICE, {"charges.unit": "arrest"})
    convicted = Offense(code="13B", charged=True, disposition=Disposition.CONVICTED)
    events = [
        report(1, offenses=[convicted]),  # without an arrest: no charge in this unit, hence no conviction of one
        report(2, charged=True, arrest="A"),
        report(3, offenses=[convicted], arrest="A"),
        report(4, offenses=[convicted], arrest="A"),
    ]
    walk([find(event.data, arrests, lambda arrest, charge: None, listed=False) for event in events], arrests, fire)
    assert [(facts.charges, facts.convictions, facts.suspicions) for facts in seen] == [
        (0, 0, 1), (1, 0, 1), (1, 1, 1), (1, 1, 1),
    ]  # fmt: skip


def test_what_no_row_covers_and_what_the_policy_does_then() -> None:
    two = [report(1, charged=True), report(2, charged=True)]
    at_least = changed(SEED, {"gaps.charge_tier": "B"})
    assert (walked(two, at_least).tier, walked(two, at_least).rules) == (Tier.B, ("gap",))
    assert walked(two, at_least).reviews == walked(two, SEED).reviews == {(incident_id(2), ReviewCode.NO_RULE)}
    lower = changed(SEED, {"gaps.charge_tier": "D"})
    assert (walked(two, lower).tier, walked(two, lower).rules) == (Tier.C, ("c-first-charge",))
    repeat = {"id": "d", "tier": "D", "source": "x", "when": {"suspicions": {"at_least": 2}}}
    calls = [report(1), report(2)]
    quiet, asked = changed(SEED, rules=[repeat]), changed(SEED, {"gaps.review_suspicions": True}, [repeat])
    assert tiers(walked(calls, quiet)) == tiers(walked(calls, asked)) == "-D"
    assert not walked(calls, quiet).reviews
    assert walked(calls, asked).reviews == {(incident_id(1), ReviewCode.NO_RULE)}
