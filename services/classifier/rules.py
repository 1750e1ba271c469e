"""A policy's rows in durable-rules: one short evaluation per distinct set of facts, all matching rules collected.

What the library does silently is guarded here (`DESIGN.md` 8): facts, not events, so that every matching rule fires; all
of them given and of their type, since text matches any number and a missing fact none; one session, deleted after each
use, since memory grows with them; no dispatch timers, since they steal actions; errors of actions brought up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from durable import engine

from schemas.criteria import Bound, Fact, Rule
from schemas.policy import Policy
from services.classifier.domain import Facts, Fire

_SESSION = "facts"
_CACHED = 16_384
_PRIMER = "_primer"
"""No id of a rule can begin like this."""


class RulesError(RuntimeError):
    """The rules engine did not do what it was asked; no decision may rest on this."""


class _Quiet(engine.Host):  # type: ignore[misc]  # durable-rules is untyped
    """Evaluates when asked and only then: the library's timers take pending actions away from the caller."""

    def _run(self) -> None:
        pass


class _Engine:
    """The process's one host, and the rules each policy has in it."""

    def __init__(self) -> None:
        self._host = _Quiet()
        self._lock = threading.Lock()
        self._matched: list[int] = []
        self._books: dict[str, Fire] = {}

    def book(self, policy: Policy) -> Fire:
        with self._lock:
            if policy.digest not in self._books:
                self._host.register_rulesets({policy.digest: ruleset(policy, self._note)})
                self._prime(policy.digest)
                self._books[policy.digest] = self._function(policy)
            return self._books[policy.digest]

    def _function(self, policy: Policy) -> Fire:
        name, rules = policy.digest, tuple(policy.rules)
        asked = {fact.value for row in rules for fact in row.when}
        unasked: dict[str, Any] = {name: value for name, value in Facts()._asdict().items() if name not in asked}

        @lru_cache(_CACHED)
        def evaluate(facts: Facts) -> tuple[Rule, ...]:
            given = check(facts)
            with self._lock:
                return tuple(rules[place] for place in self._evaluate(name, {**given, _PRIMER: False}))

        def fire(facts: Facts) -> tuple[Rule, ...]:
            # What no row asks for makes no difference, and would fill the cache with sets that differ in nothing else.
            return evaluate(facts._replace(**unasked))

        return fire

    def _prime(self, name: str) -> None:
        """Run one action before anything else. A session in which none ever ran is deleted through pointers that were
        never set (2.0.28, `createStateNode`), and the process dies; its memory is used again by all that follow."""
        if -1 not in self._evaluate(name, {**check(Facts()), _PRIMER: True}):
            raise RulesError("the rules engine does not answer")

    def _note(self, place: int) -> Callable[[Any], None]:
        def matched(closure: Any) -> None:  # exactly one parameter: with two the library would wait for a callback
            self._matched.append(place)

        return matched

    def _evaluate(self, name: str, facts: Mapping[str, int | bool]) -> list[int]:
        """Places of the rules that match, ascending."""
        self._matched.clear()
        try:
            self._host.assert_fact(name, {**facts, "id": _SESSION, "sid": _SESSION})
            failed = self._host.get_state(name, _SESSION).get("exception")
        except engine.MessageNotHandledException:
            failed = None  # no rule matches
        finally:
            self._host.delete_state(name, _SESSION)
        if failed:
            raise RulesError("the action of a rule failed")
        return sorted(self._matched)


_engine = lru_cache(1)(_Engine)


def rulebook(policy: Policy) -> Fire:
    """The rules of `policy` as a function of the facts. Equal facts are evaluated once; safe from any thread."""
    return _engine().book(policy)


def check(facts: Facts) -> dict[str, int | bool]:
    """All facts, each of exactly its type. Raises `TypeError`."""
    given = facts._asdict()
    for fact in Fact:
        kind = int if fact.is_count else bool
        if type(given.get(fact)) is not kind:
            raise TypeError(f"fact {fact} must be of type {kind.__name__}")
    return given


def ruleset(policy: Policy, action: Callable[[int], Callable[[Any], None]]) -> dict[str, Any]:
    """The rows as the engine's JSON: each line of `when` a term, all of them together; and the primer."""
    rows = {
        rule.id: _row(
            [term for fact, condition in rule.when.items() for term in _terms(fact, condition)], action(place)
        )
        for place, rule in enumerate(policy.rules)
    }
    return {**rows, _PRIMER: _row([{_PRIMER: True}], action(-1))}


def _row(terms: list[Mapping[str, Any]], action: Callable[[Any], None]) -> dict[str, Any]:
    return {"all": [{"m": {"$and": terms}}], "run": action}


def _terms(fact: Fact, condition: Bound | bool) -> list[Mapping[str, Any]]:
    if isinstance(condition, bool):
        return [{fact.value: condition}]
    limits = (("$gte", condition.at_least), ("$lte", condition.at_most))
    return [{operator: {fact.value: limit}} for operator, limit in limits if limit is not None]
