"""Which policy a lane decides under: kept in SQL, brought by the log, and never that of a file alone.

The whole policy travels in a command to each lane; the lane's row names its digest; the document is kept once in `policies`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.commands import ActivatePolicy
from schemas.envelope import Data, read
from schemas.policy import Policy
from schemas.rejects import InvalidRecord
from services.common.errors import LaneRefusedError
from services.common.service import Input
from services.common.sql import insert_new
from services.common.tables import lanes, policies

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Policies(Generic[T]):
    """What a replica has at hand, by digest: of its file, and those that came into force in the log.

    What is once known stays: which of them holds, the lane's own row says. `T`: the terms a service decides in.
    """

    def __init__(self, filed: Policy, terms: Callable[[Policy], T]) -> None:
        self.filed = filed
        """Of the file this replica was started with; holds only where nothing else has come into force."""
        self._make = terms
        self._terms: dict[str, T] = {}
        self.add(filed)

    def add(self, policy: Policy) -> T:
        if policy.digest not in self._terms:
            self._terms[policy.digest] = self._make(policy)
        return self._terms[policy.digest]

    def of(self, digest: str | None) -> T:
        """Raises `KeyError` for one that was never in force here. None: of the file."""
        return self._terms[digest or self.filed.digest]

    def kept(self, given: Input) -> str | None:
        """See `Service.lane_kept`: the digest of the policy in force after this record."""
        data = given.event.data
        policy = policy_of(data) if isinstance(data, ActivatePolicy) else None
        if policy is None:
            return given.kept
        self.add(policy)
        return policy.digest

    def __contains__(self, digest: object) -> bool:
        return digest in self._terms


def policy_of(command: ActivatePolicy) -> Policy | None:
    """What it brings into force; None where it is not what it says: then nothing changes."""
    try:
        policy = read(Policy, orjson.dumps(command.policy))
    except InvalidRecord:
        return None
    return policy if policy.digest == command.digest else None


class PolicyStore:
    """See `services.common.service.LaneStore`. What a store inherits whose lanes decide under a policy."""

    def __init__(self, policies: Policies[Any] | None = None) -> None:
        self._policies = policies
        """None: of those who only look at the states; they claim no lane."""

    @property
    def policies(self) -> Policies[Any]:
        assert self._policies is not None, "a store without policies claims no lane"
        return self._policies

    async def opened(self, conn: AsyncConnection, lane: int, kept: str | None) -> str:
        """The policy in force in the lane, with every other that somebody was decided under.

        A lane that is new takes that of the first of all, which is the one of the file the database was started with: a
        replica that starts with another file must not decide under it. Raises `LaneRefusedError`.
        """
        if await conn.scalar(select(policies.c.digest).limit(1)) is None:
            await _write(conn, self.policies.filed)
        rows = (await conn.execute(select(policies).order_by(policies.c.place))).all()
        for row in rows:
            self.policies.add(read_policy(row.document))
        digest, filed = kept or str(rows[0].digest), self.policies.filed.digest
        if digest not in {row.digest for row in rows}:
            raise LaneRefusedError("policy_unknown", "the policy in force in this lane is not in the database")
        if digest != filed:
            log.warning("policy.file_not_in_force", lane=lane, in_force=digest[:12], filed=filed[:12])
        return digest

    async def wanted(self, conn: AsyncConnection, lane: int, data: Data) -> Sequence[str] | None:
        """Those that are due."""
        return None

    async def keep(self, conn: AsyncConnection, lane: int, data: Data) -> None:
        """A policy that comes into force is kept with the first lane that hears of it."""
        if isinstance(data, ActivatePolicy) and (policy := policy_of(data)) is not None:
            await _write(conn, policy)


async def _write(conn: AsyncConnection, policy: Policy) -> None:
    """Many lanes may bring it at once."""
    last = select(func.coalesce(func.max(policies.c.place), 0) + 1).scalar_subquery()
    await insert_new(conn, policies, {"digest": policy.digest, "place": last, "document": policy.model_dump_json()})


class Prevailing:
    """The policy that most lanes decide under, for what runs beside them (senders, papers).

    While another comes into force, lane by lane, either of the two holds. A database that is away changes nothing: whoever is
    on duty is called all the same.
    """

    def __init__(self, filed: Policy) -> None:
        self._known = filed

    async def now(self, read: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> Policy:
        """The file's, before any lane was claimed."""
        try:
            async with read() as conn:
                digest = await conn.scalar(_PREVAILS)
                if digest is not None and digest != self._known.digest:
                    found = await conn.execute(select(policies.c.document).where(policies.c.digest == digest))
                    self._known = read_policy(found.scalar_one())
        except (SQLAlchemyError, OSError) as failed:
            log.warning("policy.not_read", error=type(failed).__name__)
        return self._known


_PREVAILS = (
    select(lanes.c.kept)
    .join(policies, policies.c.digest == lanes.c.kept)
    .group_by(lanes.c.kept)
    .order_by(func.count().desc(), func.max(policies.c.place).desc())
    .limit(1)
)


def read_policy(document: str) -> Policy:
    """As it was kept."""
    return read(Policy, document.encode())


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy, and in how many lanes of a service it is in force."""

    digest: str
    id: str
    version: str
    lanes: int


async def in_force(conn: AsyncConnection) -> list[InForce]:
    """Every policy that was in force in some lane, in the order they came."""
    per_lane = await conn.execute(select(lanes.c.kept, func.count()).group_by(lanes.c.kept))
    in_lanes: dict[str | None, int] = {row[0]: row[1] for row in per_lane}
    found = []
    for row in await conn.execute(select(policies).order_by(policies.c.place)):
        document = orjson.loads(row.document)
        found.append(InForce(row.digest, document["id"], document["version"], in_lanes.get(row.digest, 0)))
    return found
