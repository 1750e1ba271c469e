"""Policies that differ from a shipped one, and what a database looks like in which one has come into force."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import delete, insert

from schemas.policy import Policy
from services.common.database import Database
from services.common.tables import lanes, policies


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


async def put_in_force(database: Database, *by_lane: Policy) -> None:
    """Lane 0 decides under the first of them, and so on. For a reader of the tables; lanes write them by themselves."""
    known = {policy.digest: policy for policy in by_lane}
    row = {"epoch": 1, "journal_next": 0, "last_tick": 0, "heard": {}, "counted": {}, "failures": 0}
    async with database.write() as conn:
        await conn.execute(delete(policies))
        await conn.execute(delete(lanes))
        for place, (digest, policy) in enumerate(known.items()):
            document = policy.model_dump_json()
            await conn.execute(insert(policies).values(digest=digest, place=place, document=document))
        for lane, policy in enumerate(by_lane):
            await conn.execute(insert(lanes).values(**row, lane=lane, kept=policy.digest))
