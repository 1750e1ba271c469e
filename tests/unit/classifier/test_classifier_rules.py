"""Policy rows on durable-rules: the same as plain Python, for every combination of facts."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from schemas.criteria import Bound, Fact, Rule
from schemas.policy import Policy
from services.classifier import rules
from services.classifier.domain import Facts
from services.classifier.rules import RulesError, check, rulebook
from tests.harness.incidents import PRACTICE, SEED

NOTHING = Facts()


def plain(policy: Policy, facts: Facts) -> tuple[Rule, ...]:
    """What the rows say, read by Python."""
    values = facts._asdict()
    return tuple(rule for rule in policy.rules if all(holds(values[fact], each) for fact, each in rule.when.items()))


def holds(value: int | bool, condition: Bound | bool) -> bool:
    if isinstance(condition, bool):
        return value is condition
    at_least, at_most = condition.at_least, condition.at_most
    return (at_least is None or value >= at_least) and (at_most is None or value <= at_most)


def combinations() -> Iterator[Facts]:
    """Counts up to one above every limit of the policies, and every yes and no; of what no shipped row asks, a little."""
    for counts in itertools.product(range(5), range(5), range(3), range(2)):
        for number, flags in enumerate(itertools.product((False, True), repeat=6)):
            yield Facts(*counts, number % 4, number % 3, *flags)._replace(felony_here=number % 5 == 0)


@pytest.mark.parametrize("policy", [SEED, PRACTICE], ids=lambda policy: policy.id)
def test_all_combinations_agree_with_plain_python(policy: Policy) -> None:
    fire = rulebook(policy)
    wrong = [facts for facts in combinations() if fire(facts) != plain(policy, facts)]
    assert not wrong


def test_facts_bear_the_names_of_the_policy() -> None:
    assert Facts._fields == tuple(fact.value for fact in Fact)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("charges", "3"),
        ("charges", True),
        ("charges", 2.0),
        ("charges", None),
        ("charged_here", 1),
        ("weapon_here", ""),
    ],
)
def test_facts_are_of_their_type(field: str, value: Any) -> None:
    """The engine would take text for any number, and 1 for true."""
    with pytest.raises(TypeError, match=field):
        check(NOTHING._replace(**{field: value}))


def test_equal_facts_are_evaluated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = PRACTICE.model_copy(update={"id": "counted"})
    fire = rulebook(Policy.model_validate_json(policy.model_dump_json()))
    asked: list[Facts] = []

    def counted(facts: Facts) -> dict[str, int | bool]:
        asked.append(facts)
        return check(facts)

    monkeypatch.setattr(rules, "check", counted)
    assert [fire(NOTHING) for _ in range(3)] == [()] * 3
    assert asked == [NOTHING]


def test_one_book_a_policy() -> None:
    assert rulebook(SEED) is rulebook(Policy.model_validate_json(SEED.model_dump_json()))
    assert rulebook(SEED) is not rulebook(PRACTICE)


def test_an_action_that_fails_is_brought_up() -> None:
    engine = rules._Engine()
    policy = SEED.model_copy(update={"id": "failing"})

    def action(place: int) -> Any:
        def fails(closure: Any) -> None:
            raise ZeroDivisionError

        return fails

    engine._host.register_rulesets({"failing": rules.ruleset(policy, action)})
    for _ in range(2):  # and the session is as new after it
        with pytest.raises(RulesError):
            engine._evaluate("failing", {**check(NOTHING._replace(suspected_here=True)), "_primer": False})


def test_from_many_threads() -> None:
    fire = rulebook(PRACTICE)
    some = list(itertools.islice(combinations(), 0, None, 37))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fire, some)) == [plain(PRACTICE, facts) for facts in some]


def test_memory_that_was_never_set_is_never_freed() -> None:
    """A session in which no rule fired was deleted through whatever its memory held: here it holds rubbish."""
    program = (
        "from schemas.policy_file import load_policy\n"
        "from services.classifier.rules import rulebook\n"
        "from tests.unit.classifier.test_classifier_rules import combinations\n"
        "fire = rulebook(load_policy('high-point-seed'))\n"
        "print(sum(len(fire(facts)) for facts in list(combinations())[:2000]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"MALLOC_PERTURB_": "165", "PYTHONPATH": "."},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
