"""Policies that differ from a shipped one in one setting, as `variants.yaml` has them with what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from schemas.policy import Policy
from schemas.policy_file import load_policy
from tests.harness.policies import changed

FILE = Path(__file__).with_name("variants.yaml")


@dataclass(frozen=True, slots=True)
class Variant:
    """One policy, and the tiers it leads to where they differ from those of `base`, by number of the history."""

    id: str
    base: str
    policy: Policy
    own: dict[int, str]
    shared: dict[int, str]


def variants() -> list[Variant]:
    return [_variant(row) for row in yaml.safe_load(FILE.read_text())]


def _variant(row: dict[str, Any]) -> Variant:
    base = load_policy(row["base"])
    settings = {"id": row["id"], **row.get("set", {})}
    rules = orjson.loads(base.canonical())["rules"]
    for rule_id, rows in row.get("rows", {}).items():
        place = [rule["id"] for rule in rules].index(rule_id)
        rules[place : place + 1] = rows
    policy = changed(base, settings, rules)
    assert len(row.get("set", {})) + len(row.get("rows", {})) == 1 and policy.digest != base.digest
    return Variant(row["id"], row["base"], policy, row.get("own", {}), row.get("shared", {}))
