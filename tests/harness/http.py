"""What tests of HTTP routes share: a read log in memory, and the part of a problem that is stable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from httpx import Response

from services.common.reads import Read


@dataclass
class KeptReads:
    """See `services.common.reads.ReadLog`."""

    entries: list[Read] = field(default_factory=list)

    async def write(self, entries: Sequence[Read]) -> None:
        self.entries += entries

    async def count(self, person: str, kind: str, since: datetime) -> int:
        return sum(one.person == person and one.kind == kind and one.at >= since for one in self.entries)

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """Who, kind, record; oldest first."""
        return [(one.person, one.kind, one.record) for one in self.entries]


def coded(answered: Response) -> tuple[int, str]:
    """Status and code of a problem."""
    problem = answered.json()
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == answered.status_code
    assert problem["type"] == f"urn:ipvi:problem:{problem['code']}"
    return answered.status_code, problem["code"]
