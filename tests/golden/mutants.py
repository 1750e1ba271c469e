"""Every small mistake in a shipped policy, and the histories that notice it: `python -m tests.golden.mutants`.

Of each row: a limit one higher, one lower, turned round (at least, at most) or made exact; yes for no; a line left out; another
list; the row left out. Of the settings that decide: numbers one up and one down, yes for no, another unit, each code, kind and
disposition left out. What follows for her and for him (tasks, clocks, gate) decides no tier and is not mutated here.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from schemas.classification import Tier
from schemas.criteria import ChargeUnit
from schemas.envelope import from_json_line
from schemas.policy import Policy
from schemas.policy_file import load_policy
from schemas.rejects import InvalidRecord
from services.classifier.domain.reach import explore, missed
from services.cli.replay import Replay
from tests.golden import explained

POLICIES = ("high-point-seed", "high-point-practice")
NUMBERS = ("adult_age", "stale_after_days")
SWITCHES = ("codes.child_in_common", "violations.notice_terms_from_service")
LISTS = (
    "codes.intimate",
    "codes.weapon_force",
    "codes.strangulation_force",
    "codes.homicide",
    "violations.behavior",
    "charges.dispositions",
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change, in words, and the policy with it; None: the schema refuses it."""

    base: str
    what: str
    policy: Policy | None


def mutants(name: str) -> Iterator[Mutant]:
    whole: Json = orjson.loads(load_policy(name).canonical())
    for what, content in (*_rows(whole), *_settings(whole)):
        try:
            yield Mutant(name, what, Policy.model_validate_json(orjson.dumps(content)))
        except ValidationError:
            yield Mutant(name, what, None)


def _rows(whole: Json) -> Iterator[tuple[str, Json]]:
    for place, row in enumerate(whole["rules"]):
        for tier in Tier:
            if tier != row["tier"]:
                yield f"{row['id']}: list {tier}", _with_row(whole, place, {**row, "tier": tier})
        yield f"{row['id']}: left out", _with_row(whole, place, None)
        for fact, condition in row["when"].items():
            rest = {name: each for name, each in row["when"].items() if name != fact}
            when = rest or {"incidents": {"at_least": 0}}
            yield f"{row['id']}: {fact} left out", _with_row(whole, place, {**row, "when": when})
            for said, changed in _conditions(condition):
                yield (
                    f"{row['id']}: {fact} {said}",
                    _with_row(whole, place, {**row, "when": {**row["when"], fact: changed}}),
                )


def _conditions(condition: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(condition, bool):
        yield f"is {not condition}", not condition
        return
    (limit, number) = next((name, value) for name, value in condition.items() if value is not None)
    other = {"at_least": "at_most", "at_most": "at_least"}[limit]
    yield f"{limit} {number + 1}", {limit: number + 1}
    if number:
        yield f"{limit} {number - 1}", {limit: number - 1}
        yield f"exactly {number}", {"at_least": number, "at_most": number}
    yield f"{other} {number}", {other: number}


def _with_row(whole: Json, place: int, row: Json | None) -> Json:
    rules = [*whole["rules"][:place], *([row] if row else []), *whole["rules"][place + 1 :]]
    return {**whole, "rules": rules}


def _settings(whole: Json) -> Iterator[tuple[str, Json]]:
    for path in NUMBERS:
        for step in (1, -1):
            yield f"{path} {step:+}", _set(whole, path, _get(whole, path) + step)
    for path in SWITCHES:
        yield f"{path} turned round", _set(whole, path, not _get(whole, path))
    for path in LISTS:
        for each in _get(whole, path):
            yield f"{path} without {each}", _set(whole, path, [other for other in _get(whole, path) if other != each])
    yield (
        "charges.dispositions with acquitted",
        _set(whole, "charges.dispositions", [*_get(whole, "charges.dispositions"), "acquitted"]),
    )
    for unit in ChargeUnit:
        if unit != whole["charges"]["unit"]:
            yield f"charges.unit {unit}", _set(whole, "charges.unit", unit)
    yield "charges.look_back_days 365", _set(whole, "charges.look_back_days", 365)


def _get(whole: Json, path: str) -> Any:
    for name in path.split("."):
        whole = whole[name]
    return whole


def _set(whole: Json, path: str, value: Any) -> Json:
    whole = copy.deepcopy(whole)
    *parents, name = path.split(".")
    part = whole
    for parent in parents:
        part = part[parent]
    part[name] = value
    return whole


# who notices ---------------------------------------------------------------------------------------------------------


def noticed_by(mutant: Mutant, cases: list[Json]) -> str | None:
    """The first history that ends otherwise than expected; None: nobody notices."""
    if mutant.policy is None:
        return "the schema"
    for case in cases:
        run = Replay(mutant.policy)
        for event, expected in zip(case["events"], case["expect"][mutant.base], strict=True):
            if not _as_expected(run, event, expected):
                return f"{case['kind']} {case['case']}"
    return None


def _as_expected(run: Replay, event: Json, expected: Json) -> bool:
    try:
        decided = json.loads(run.decide(from_json_line(json.dumps(event).encode())).model_dump_json())
    except InvalidRecord as invalid:
        return expected == {"error": str(invalid.code)}
    return all(decided.get(key) == value for key, value in expected.items() if value is not None or key == "tier")


def same_to_all(mutant: Mutant) -> bool:
    """In no history there can be does another row fire: the change says the same in other words."""
    assert mutant.policy is not None
    base = load_policy(mutant.base)
    if any(
        getattr(base, name) != getattr(mutant.policy, name) for name in ("codes", "charges", "violations", *NUMBERS)
    ):
        return False
    both = base.model_copy(update={"rules": [*base.rules, *mutant.policy.rules]})
    return all(
        [rule.id for rule in base.rules if not missed(rule, met.facts)]
        == [rule.id for rule in mutant.policy.rules if not missed(rule, met.facts)]
        for met in explore(both).met
    )


def own_and_shared() -> list[Json]:
    """All histories at hand, ours first."""
    return [{**case, "kind": kind} for kind in ("own", "shared") for case in explained.histories(kind)]


def main() -> None:
    cases = own_and_shared()
    for name in POLICIES:
        every = list(mutants(name))
        survivors = [each for each in every if noticed_by(each, cases) is None]
        print(f"{name}: {len(every)} mutants, {len(every) - len(survivors)} noticed")
        for each in survivors:
            print(f"  {each.what}{' (no history tells them apart)' if same_to_all(each) else ''}")


if __name__ == "__main__":
    main()
