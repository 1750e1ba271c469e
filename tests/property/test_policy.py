"""What holds for any policy: deciding under it never fails, and what `check` claims of it is so for every history."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import combinations_with_replacement
from typing import Any

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from schemas.criteria import ChargeUnit, Fact
from schemas.envelope import Event
from schemas.incident import Disposition, Offense, ProhibitedBehavior
from schemas.nibrs import FORCES, OFFENSES
from schemas.policy import Policy
from services.classifier.domain import Facts, Step, climb, find
from services.classifier.domain.examination import examine
from services.classifier.domain.explanation import explain
from services.classifier.domain.finding import any_of
from services.classifier.domain.kinds import Kind
from services.classifier.domain.reach import Reach, TooManyFacts, capped, explore, missed
from services.classifier.rules import rulebook
from services.cli.policy.check import report as report_of
from services.cli.policy.explain import lines
from tests.harness.incidents import PRACTICE, Bench, noticed, report
from tests.harness.policies import changed
from tests.property.test_classifier import histories

thorough = settings(
    max_examples=int(os.environ.get("IPVI_POLICY_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
"""Each policy is tried against all histories that differ to it: few go a long way. `IPVI_POLICY_EXAMPLES` asks for more."""
COUNTS = [fact for fact in Fact if fact.is_count]
FLAGS = [fact for fact in Fact if not fact.is_count]


def some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), unique=True)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for number in range(draw(st.integers(1, 6))):
        when: dict[str, Any] = {}
        for fact in draw(st.lists(st.sampled_from(COUNTS), max_size=2, unique=True)):
            low, high = draw(st.integers(0, 3)), draw(st.integers(0, 3))
            when[fact] = draw(
                st.sampled_from([{"at_least": low}, {"at_most": high}, {"at_least": low, "at_most": high}])
            )
        for fact in draw(st.lists(st.sampled_from(FLAGS), min_size=0 if when else 1, max_size=3, unique=True)):
            when[fact] = draw(st.booleans())
        found.append({"id": f"row-{number}", "tier": draw(st.sampled_from("ABCD")), "source": "chance", "when": when})
    return found


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any that the schema takes."""
    unit = draw(st.sampled_from(ChargeUnit))
    dispositions = draw(some(*Disposition).filter(bool))
    assume(unit is not ChargeUnit.CONVICTION or Disposition.CONVICTED in dispositions)
    behavior = draw(some(*ProhibitedBehavior))
    settings_ = {
        "id": "any",
        "adult_age": draw(st.sampled_from([16, 18, 21])),
        "charges": {
            "unit": unit,
            "dispositions": dispositions,
            "look_back_days": draw(st.sampled_from([None, 3, 365])),
        },
        "violations": {
            "behavior": behavior,
            "charged_offenses": draw(some("13A", "09A", "290")),
            "statutes": draw(some("50B-4.1")),
            "notice_terms_from_service": "notice_terms" in behavior and draw(st.booleans()),
        },
        "gaps": {"charge_tier": draw(st.sampled_from([None, *"ABCD"])), "review_suspicions": draw(st.booleans())},
        "codes.intimate": draw(some("BG", "XS", "SB", "RU").filter(bool)),
        "codes.child_in_common": draw(st.booleans()),
        "codes.weapon_force": draw(some("12", "20", "85")),
        "codes.strangulation_force": draw(some("85", "12")),
        "codes.homicide": draw(some("09A", "13A")),
        "codes.felony": draw(some("13A", "09A", "35A")),
        "codes.felony_statutes": draw(some("14-32.4", "50B-4.1")),
    }
    return changed(PRACTICE, settings_, draw(rows()))


def reach_of(policy: Policy) -> Reach:
    try:
        return explore(policy)
    except TooManyFacts:
        assume(False)
        raise


def steps(bench: Bench) -> list[Step]:
    fire = rulebook(bench.policy)
    return [
        step
        for him in bench.offenders.values()
        for step in climb(him.assessment.findings.values(), bench.policy, fire)
        if step.facts is not None
    ]


@thorough
@given(policies(), histories(everybody=True))
def test_what_happens_is_what_check_says_can_happen(policy: Policy, events: list[Event[Any]]) -> None:
    """Nothing raises in deciding; every set of facts is one that was tried; so what never fires there never fires."""
    reach = reach_of(policy)
    tried = {one.facts for one in reach.met}
    found = examine(policy)
    bench = Bench(policy)
    bench.put(*events)
    fired = {problem.place[1] for problem in found.errors if "can never fire" in problem.what}
    event(f"errors: {min(len(found.errors), 3)}")
    gaps = {_alike(gap.facts) for gap in found.gaps}
    for step in steps(bench):
        assert step.facts is not None
        facts = capped(_asked(policy, step.facts), reach.limits)
        assert facts in tried
        assert list(step.fired) == [rule for rule in policy.rules if not missed(rule, step.facts)], (
            "durable-rules agrees"
        )
        assert not [rule for rule in step.fired if policy.rules.index(rule) in fired]
        if not step.fired and (facts.charged_here or facts.suspected_here) and not found.errors:
            assert _alike(facts) in gaps
    for him in bench.offenders.values():
        assert him.tier is None or him.tier in reach.tiers
        assert list(lines(explain(him, policy, rulebook(policy)), policy))
    assert list(report_of(policy, found))


@thorough
@given(policies(), st.data())
def test_what_check_says_can_happen_does(policy: Policy, data: st.DataObject) -> None:
    """Each shortest history, lived through with real reports, comes to the facts, the rows and the list it was given for."""
    reach = reach_of(policy)
    for met in data.draw(st.lists(st.sampled_from(reach.met), min_size=1, max_size=8, unique_by=id)):
        walked = lived(met.history, policy)
        last = walked[-1]
        assert last.facts is not None
        assert capped(_asked(policy, last.facts), reach.limits) == met.facts, met.history
        assert last.fired == met.fired
    for tier, history in reach.tiers.items():
        assert lived(history, policy)[-1].tier is tier


@thorough
@given(policies())
def test_rows_that_never_decide_can_go(policy: Policy) -> None:
    """Without a row in another's shadow, or one that adds nothing, every history ends on the same lists."""
    reach = reach_of(policy)
    found = examine(policy)
    idle = {
        problem.place[1] for problem in found.errors if "never decides" in problem.what or "never fire" in problem.what
    }
    if len(idle) == len(policy.rules):
        return
    kept = [rule for place, rule in enumerate(policy.rules) if place not in idle]
    for met in reach.met:
        before = {rule.tier.gravity for rule in met.fired}
        after = {rule.tier.gravity for rule in met.fired if rule in kept}
        assert max(before, default=0) == max(after, default=0)


@thorough
@given(policies(), histories(), st.permutations(range(3)))
def test_notices_count_in_any_order_of_arrival(policy: Policy, events: list[Event[Any]], order: list[int]) -> None:
    more = [noticed("C", name="N-7", day=1.5), noticed("B", name="N-8", day=3)]
    first, second = Bench(policy), Bench(policy)
    first.put(*events, *more)
    second.put(*more, *reversed(events))
    one, two = first.offender(), second.offender()
    assert (one.tier, one.since, one.assessment.standing) == (two.tier, two.since, two.assessment.standing)


# a history, lived through ---------------------------------------------------------------------------------------------


def lived(history: tuple[Kind, ...], policy: Policy) -> list[Step]:
    """The steps of real reports of these kinds."""
    arrests: list[tuple[str, bool]] = []
    day, findings = 1.0, []
    victim = sorted(policy.codes.intimate)[0]
    for number, kind in enumerate(history, start=1):
        day += (policy.charges.look_back_days or 0) + 1 if kind.after_pause else 0.001
        breach, offenses = _offenses(kind, policy)
        arrest = None
        if kind.repeated:
            arrest = next(name for name, untried in reversed(arrests) if untried or not kind.convicted)
            arrests = [(name, untried and not (kind.convicted and name == arrest)) for name, untried in arrests]
        elif kind.units:
            arrest = f"A-{number}"
            arrests.append((arrest, not kind.convicted))
        one = report(
            number, day=day, victims=[victim], offenses=offenses, breach=breach, arrest=arrest, late=timedelta()
        )
        findings.append(find(one.data, policy, lambda arrest, charge: None, listed=False))
    return list(climb(findings, policy, rulebook(policy)))


def _offenses(kind: Kind, policy: Policy) -> tuple[list[ProhibitedBehavior], list[Offense]]:
    """Offences and breaches that make it that kind, as far as any row asks."""
    asks = {fact for rule in policy.rules for fact in rule.when}
    wanted = (kind.weapon, kind.strangulation, kind.homicide, kind.felony)
    names = (Fact.WEAPON_HERE, Fact.STRANGULATION_HERE, Fact.HOMICIDE_HERE, Fact.FELONY_HERE)
    violation = bool(asks & {Fact.VIOLATIONS, Fact.VIOLATION_HERE})
    breaches = sorted(policy.violations.behavior)[:1] if kind.violation else []
    charged = kind.units > 0 or kind.repeated
    plain = [Offense(code="13B", charged=False)]
    if not charged and (breaches or not kind.violation):
        return breaches, plain
    said = _disposition(kind, policy)
    options = _options(policy)
    counts = (
        range(kind.units, kind.units + 1) if policy.charges.unit is ChargeUnit.CHARGE and kind.units else range(1, 4)
    )
    for count in counts:
        for chosen in combinations_with_replacement(options.items(), count):
            marks = [any(mark[place] for mark, _ in chosen) for place in range(5)]
            fits = not kind.units or all(
                mark == want or name not in asks for mark, want, name in zip(marks, wanted, names, strict=False)
            )
            if fits and (not violation or bool(breaches) or marks[4] == kind.violation):
                return breaches, [one.model_copy(update={"disposition": said}) for _, one in chosen]
    raise AssertionError(f"no report makes {kind}")


def _disposition(kind: Kind, policy: Policy) -> Disposition:
    counted = policy.charges.dispositions
    open_ = sorted(counted - {Disposition.CONVICTED})
    if kind.convicted or not open_:
        return Disposition.CONVICTED
    needs = policy.charges.unit is ChargeUnit.CONVICTION and (kind.units or kind.repeated)
    return Disposition.CONVICTED if needs else open_[0]


def _options(policy: Policy) -> dict[tuple[bool, ...], Offense]:
    """One charged offence for each way the policy's lists can take one."""
    codes, violations = policy.codes, policy.violations
    statutes = [
        None,
        *codes.felony_statutes,
        *violations.statutes,
        " and ".join({*codes.felony_statutes, *violations.statutes}),
    ]
    forces = [[], *([code] for code in FORCES), ["12", "20", "85"], ["12", "85"], ["20", "85"]]
    found: dict[tuple[bool, ...], Offense] = {}
    for code in ("13B", "35A", *OFFENSES):
        for statute in statutes:
            for force in forces:
                marks = (
                    any(each in codes.weapon_force for each in force),
                    any(each in codes.strangulation_force for each in force),
                    code in codes.homicide,
                    any_of(code, statute, codes.felony, codes.felony_statutes),
                    any_of(code, statute, violations.charged_offenses, violations.statutes),
                )
                if marks not in found:
                    found[marks] = Offense(code=code, charged=True, statute=statute, force=force)
    return found


def _asked(policy: Policy, facts: Facts) -> Facts:
    """Without the flags that no row asks for."""
    asks = {fact for rule in policy.rules for fact in rule.when}
    if asks & {Fact.VIOLATIONS, Fact.VIOLATION_HERE}:
        asks |= {Fact.VIOLATION_HERE}
    kept = {Fact.CHARGED_HERE, Fact.SUSPECTED_HERE, *asks}
    return facts._replace(**{fact.value: False for fact in FLAGS if fact not in kept})


def _alike(facts: Facts) -> Facts:
    flags = ("violation_here", "weapon_here", "strangulation_here", "homicide_here", "felony_here")
    return facts._replace(**dict.fromkeys(flags, False))
