"""What one incident is under a policy: charge or suspicion, on the ladder or off it, and what a person should look at."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from schemas.classification import ReviewCode
from schemas.criteria import ChargeUnit
from schemas.incident import Arrest, Disposition, Offense, ProhibitedBehavior, Victim
from schemas.policy import Policy
from schemas.referral import ReferralPurpose
from services.classifier.domain import Finding, find
from services.classifier.domain.records import Force
from tests.harness.incidents import PRACTICE, disposed, report

BREACH = [ProhibitedBehavior.PROTECTIVE_ORDER]
PARTNER = Victim(victim_id="V", relationship="BG")


def found(policy: Policy = PRACTICE, **given: Any) -> Finding:
    return find(report(1, **given).data, policy, lambda arrest, charge: None, listed=False)


def charge(code: str = "13B", **rest: Any) -> Offense:
    return Offense(code=code, charged=True, **rest)


def call(code: str = "13B", **rest: Any) -> Offense:
    return Offense(code=code, charged=False, **rest)


def policy(section: str, **changed: Any) -> Policy:
    part = getattr(PRACTICE, section).model_copy(update=changed)
    return PRACTICE.model_copy(update={section: part})


# whose case ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["SE", "CS", "BG", "XS", "XR", "HR"])
def test_partners_by_the_policys_codes(code: str) -> None:
    assert found(victims=[code]).qualifies


@pytest.mark.parametrize("code", ["PA", "SB", "CH", "AQ", "FR", "CO", "OK", "ST", "RU", "VO"])
def test_others_are_not(code: str) -> None:
    """An order alone does not prove partnership."""
    assert not found(victims=[code], breach=BREACH, charged=True).qualifies


def test_a_child_in_common_makes_a_partner_where_policy_says_so() -> None:
    mother = Victim(victim_id="V", relationship="OK", child_in_common=True)
    assert found(victims=[mother]).qualifies
    assert not found(policy("codes", child_in_common=False), victims=[mother]).qualifies


@pytest.mark.parametrize(
    ("given", "on_ladder", "code"),
    [
        ({"born": date(2007, 3, 2)}, True, None),  # eighteen on the day
        ({"born": date(2007, 3, 3)}, False, ReviewCode.JUVENILE),
        ({"born": date(2008, 2, 29)}, False, ReviewCode.JUVENILE),
        ({"born": None, "offender": {"age": 17}}, False, ReviewCode.JUVENILE),
        ({"born": None, "offender": {"age": 18}}, True, None),
        ({"born": None, "offender": {"age": 17, "tried_as_adult": True}}, True, None),
        ({"born": date(2010, 1, 1), "offender": {"tried_as_adult": True}}, True, None),
        ({"born": date(1990, 1, 1), "offender": {"age": 12}}, True, None),  # the birth date stands above the age
        ({"born": None}, True, ReviewCode.AGE_UNKNOWN),
    ],
)
def test_age_at_the_time(given: dict[str, Any], on_ladder: bool, code: ReviewCode | None) -> None:
    one = found(charged=True, **given)
    assert one.on_ladder is on_ladder
    assert list(one.reviews) == ([code] if code else [])
    assert one.referred, "she is referred whatever his age"


def test_a_birthday_begins_where_the_agency_is() -> None:
    """20:00 UTC on the 2nd: still the 2nd in North Carolina, the 3rd in Guam."""
    there = PRACTICE.model_copy(update={"agency_time_zones": {"NC0990100": "Pacific/Guam"}})
    assert not found(born=date(2007, 3, 3)).on_ladder
    assert found(there, born=date(2007, 3, 3)).on_ladder


# charge or suspicion -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("disposition", "charges"),
    [
        (None, 1),
        (Disposition.PENDING, 1),
        (Disposition.CONVICTED, 1),
        (Disposition.DISMISSED, 1),
        (Disposition.ACQUITTED, 0),
    ],
)
def test_dispositions_that_count(disposition: Disposition | None, charges: int) -> None:
    assert found(charged=True, disposition=disposition).charges == charges


def test_only_convictions_where_policy_says_so() -> None:
    strict = policy("charges", dispositions=frozenset({Disposition.CONVICTED}))
    assert found(strict, charged=True).charges == 0
    assert found(strict, charged=True, disposition=Disposition.CONVICTED).charges == 1


def test_the_unit_is_the_incident_or_the_count() -> None:
    three = [charge(), charge("13C"), charge("290"), call("13A")]
    assert found(offenses=three).charges == 1
    assert found(policy("charges", unit=ChargeUnit.CHARGE), offenses=three).charges == 3


def test_the_other_units() -> None:
    by_arrest, by_conviction = policy("charges", unit=ChargeUnit.ARREST), policy("charges", unit=ChargeUnit.CONVICTION)
    convicted = charge(disposition=Disposition.CONVICTED)
    assert found(by_arrest, offenses=[charge(), charge("13C")]).charges == 0, "charged, and not arrested"
    assert found(by_arrest, offenses=[charge(), charge("13C")], arrest="A").charges == 1
    assert found(by_conviction, charged=True).charges == 0
    assert found(by_conviction, offenses=[charge(), convicted, convicted]).charges == 1
    assert found(offenses=[charge(), convicted]).convicted and not found(charged=True).convicted


def test_what_prohibited_behaviour_is() -> None:
    breach = [ProhibitedBehavior.PROBATION]
    assert found(breach=breach).violation and not found().violation
    orders = policy("violations", behavior=frozenset({ProhibitedBehavior.PROTECTIVE_ORDER}))
    assert not found(orders, breach=breach).violation and found(orders, breach=BREACH).violation
    threats = policy("violations", charged_offenses=frozenset({"13C"}))
    assert found(threats, code="13C", charged=True).violation and not found(threats, code="13C").violation
    hers = Victim(victim_id="V", relationship="BG", offenses=["13B"])
    theirs = [charge("13C"), call("13B")]
    assert not found(threats, victims=[hers, "ST"], offenses=theirs).violation, "charged for somebody else"


@pytest.mark.parametrize(
    ("statute", "is_one"),
    [
        ("50B-4.1", True),
        ("G.S. 50B-4.1(a)", True),
        ("N.C.G.S. 50b-4.1, felony", True),
        ("50B-4.10", False),
        ("150B-4.1", False),
        ("50B-4", False),
        ("50B-4.1.2", False),
        (None, False),
    ],
)
def test_a_statute_covers_its_parts_and_no_other(statute: str | None, is_one: bool) -> None:
    orders = policy("violations", statutes=frozenset({"50B-4.1"}))
    felonies = policy("codes", felony_statutes=frozenset({"50B-4.1"}))
    assert found(orders, offenses=[charge("90Z", statute=statute)]).violation is is_one
    assert found(felonies, offenses=[charge("90Z", statute=statute)]).felony is is_one
    assert not found(orders, offenses=[call("90Z", statute=statute)]).violation, "not charged"


def test_a_notice_served_is_breached_by_what_happens_after_it() -> None:
    one = report(1).data

    def violation(since: datetime | None, on: bool = True, until: datetime | None = None) -> bool:
        county = policy("violations", notice_terms_from_service=on)
        noticed = () if since is None else (Force(since, until),)
        return find(one, county, lambda arrest, charge: None, listed=False, noticed=noticed).violation

    assert violation(one.occurred_at - timedelta(seconds=1))
    assert not violation(one.occurred_at), "what was going on when he was served is not after it"
    assert not violation(one.occurred_at + timedelta(days=1)) and not violation(None)
    assert not violation(one.occurred_at - timedelta(days=1), on=False)
    served = one.occurred_at - timedelta(days=1)
    assert violation(served, until=one.occurred_at), "what lies before he is told that it is withdrawn stays as it was"
    assert not violation(served, until=one.occurred_at - timedelta(seconds=1))


def test_a_link_tells_whom_a_charge_is_for() -> None:
    hers = Victim(victim_id="V", relationship="BG", offenses=["13B"])
    assert found(victims=[hers, "ST"], offenses=[charge("13A"), call("13B")]).charges == 0
    assert found(victims=[hers, "ST"], offenses=[call("13A"), charge("13B")]).charges == 1
    assert found(victims=[PARTNER, "ST"], offenses=[charge("13A")]).charges == 1, "where no link is known, any counts"


def test_what_a_charge_was_done_with_is_that_charges_alone() -> None:
    hers = Victim(victim_id="V", relationship="BG", offenses=["13B"])
    one = found(victims=[hers, "ST"], offenses=[charge("13A", force=["12"]), charge("13B", force=["40"])])
    assert (one.charges, one.weapon, one.strangulation) == (1, False, False)
    assert found(charged=True, force=["15A"]).weapon
    assert found(charged=True, force=["85"]).strangulation
    assert found(charged=True, code="09A").homicide
    assert not found(charged=True, force=["30"]).weapon and not found(charged=True, code="09B").homicide


def test_the_later_word_on_a_disposition_holds() -> None:
    late = disposed("A", Disposition.ACQUITTED, day=70)
    early = disposed("A", Disposition.ACQUITTED, day=1)
    one = report(1, charged=True, arrest="A", disposition=Disposition.CONVICTED).data
    silent = report(1, charged=True, arrest="A").data
    assert find(one, PRACTICE, lambda arrest, code: late, listed=False).charges == 0
    assert find(one, PRACTICE, lambda arrest, code: early, listed=False).charges == 1
    assert find(silent, PRACTICE, lambda arrest, code: early, listed=False).charges == 0


def test_statutes_are_those_charged_for_her_each_once() -> None:
    statutes = [charge(statute="14-33(c)(2)"), charge("13C", statute="14-33(c)(2)"), call("13A", statute="14-32.4")]
    assert found(offenses=statutes).statutes == ("14-33(c)(2)",)


# reviews -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, ""),
        ({"victims": ["BG", "VO"]}, "mutual"),
        ({"victims": ["VO"]}, ""),
        ({"victims": ["VO", "ST"]}, ""),
        ({"force": ["12"]}, "weapon_uncharged"),
        ({"force": ["85"]}, "weapon_uncharged"),
        ({"force": ["40"]}, ""),
        ({"force": ["12"], "charged": True}, ""),
        ({"probable_cause": True}, "probable_cause_uncharged"),
        ({"probable_cause": None}, ""),
        ({"probable_cause": True, "charged": True, "disposition": Disposition.ACQUITTED}, ""),
        ({"code": "35A", "charged": True}, "charge_link_unknown"),
        ({"code": "35A", "charged": True, "breach": BREACH}, ""),
        ({"offenses": [charge("35A"), charge("13B")]}, ""),
        ({"victims": [Victim(relationship="BG", offenses=["290"])], "code": "290", "charged": True}, ""),
        ({"offender": {"conflict_of_interest": True}}, "conflict_of_interest"),
        ({"arrestee_unmatched": True}, "arrestee_unmatched"),
        ({"victims": ["RU"]}, "relationship_unknown"),
        ({"victims": ["RU", "BG"]}, ""),
        ({"victims": ["RU"], "code": "290"}, ""),
        ({"victims": ["RU"], "code": "290", "breach": BREACH}, "relationship_missing"),
        ({"victims": [], "code": "290", "breach": BREACH}, "relationship_missing"),
        ({"victims": ["RU", "ST"], "code": "290", "breach": BREACH}, ""),
        ({"victims": ["RU"], "code": "13B", "breach": BREACH}, "relationship_unknown"),
        ({"victims": [Victim(relationship="RU", offenses=["290"]), "ST"], "offenses": [call("290"), call("13B")]}, ""),
        ({"victims": ["SB"], "offender": {"conflict_of_interest": True}, "force": ["12"], "born": None}, ""),
    ],
)
def test_reviews(given: dict[str, Any], codes: str) -> None:
    assert sorted(found(**given).reviews) == codes.split()


# who is referred -----------------------------------------------------------------------------------------------------


def test_every_partner_is_referred_by_her_number() -> None:
    named = [Victim(victim_no=7, victim_id="V7", relationship="XS"), "SB", Victim(relationship="BG")]
    assert [(one.victim_no, one.victim_id) for one in found(victims=named).referred] == [(7, "V7"), (3, None)]


def test_both_people_of_a_mutual_incident() -> None:
    one = found(victims=["BG", "VO"])
    assert [one.victim_no for one in one.referred] == [1, 2]
    assert not one.on_ladder


def test_who_is_unknown_is_asked_after() -> None:
    asked = found(victims=["RU", "ST"]).referred
    assert [(one.victim_no, one.purpose) for one in asked] == [(1, ReferralPurpose.ASK_RELATIONSHIP)]


@pytest.mark.parametrize(
    ("victims", "code", "dead"),
    [
        (["BG"], "09A", [True]),
        (["BG"], "09B", [True]),
        (["BG"], "13A", [False]),
        (
            [Victim(relationship="BG", offenses=["09A"]), Victim(relationship="XS", offenses=["13A"])],
            "09A",
            [True, False],
        ),
        (["BG", "XS"], "09A", [False, False]),  # nobody can say which: each is sought
    ],
)
def test_her_family_is_met_where_she_was_killed(victims: list[Any], code: str, dead: list[bool]) -> None:
    assert [one.homicide for one in found(victims=victims, code=code).referred] == dead


def test_a_report_without_an_arrest_has_no_arrest_id() -> None:
    assert found(charged=True).arrest_id == "A-O-1-1"
    assert found().arrest_id is None
    assert isinstance(report(1, charged=True).data.arrest, Arrest)
