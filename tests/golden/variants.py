"""Policies that differ from a shipped one in one setting, as `variants.yaml` has them with what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from schemas.policy import Policy
from schemas.policy_file import load_policy, read_policy

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
    content = orjson.loads(load_policy(row["base"]).canonical())
    content["id"] = row["id"]
    for path, value in row.get("set", {}).items():
        *parents, name = path.split(".")
        part = content
        for parent in parents:
            part = part[parent]
        assert part[name] != value, f"{row['id']}: {path} is what it was"
        part[name] = value
    for rule_id, rows in row.get("rows", {}).items():
        place = [rule["id"] for rule in content["rules"]].index(rule_id)
        content["rules"][place : place + 1] = rows
    policy = read_policy(yaml.safe_dump(content), row["id"])
    return Variant(row["id"], row["base"], policy, row.get("own", {}), row.get("shared", {}))
