"""Policies that differ from a shipped one."""

from __future__ import annotations

from typing import Any

import orjson

from schemas.policy import Policy


def changed(
    policy: Policy, settings: dict[str, Any] | None = None, rules: list[dict[str, Any]] | None = None
) -> Policy:
    """Made anew, so that its digest is its own. `settings`: a path, as `charges.unit`, to its value, as in the file."""
    content = orjson.loads(policy.canonical())
    for path, value in (settings or {}).items():
        *parents, name = path.split(".")
        part = content
        for parent in parents:
            part = part[parent]
        part[name] = value
    if rules is not None:
        content["rules"] = rules
    return Policy.model_validate_json(orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS))
