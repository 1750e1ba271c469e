"""Who is who, as far as is known: all records of one person together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from services.intake.linkage.rules import Known
from services.intake.store import identities
from services.intake.store.identities import Row
from services.intake.store.people import load_people


@dataclass
class Group:
    """All records of one person as far as is known. `root`: the id under which he goes now."""

    root: str
    records: list[Row] = field(default_factory=list)

    @property
    def known(self) -> list[Known]:
        return [known for _, known in self.records]

    @property
    def ids(self) -> list[str]:
        return [known.record_id for known in self.known]

    @property
    def since(self) -> int:
        return min((seq for seq, _ in self.records), default=0)


class Groups:
    """Who is who, within one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._root: dict[str, str] = {}
        self._groups: dict[str, Group] = {}

    async def load(self, offenders: Iterable[str]) -> None:
        """These, whoever they are now, and all who are the same."""
        names = set(offenders) - set(self._root)
        people = await load_people(self._conn, names)
        for name in names:
            at = name
            while (person := people.get(at)) and person.merged_into:
                at = person.merged_into
            self._root[name] = at
        roots = {self._root[name] for name in names} - set(self._groups)
        members = await identities.folded(self._conn, roots)
        self._root |= members
        for root in roots:
            self._groups[root] = Group(root)
        for row in await identities.of_offenders(self._conn, members):
            self._groups[members[row[1].offender_id]].records.append(row)

    def of(self, offender_id: str) -> Group:
        return self._groups[self._root[offender_id]]

    def unite(self, stays: Group, goes: Group) -> None:
        stays.records += goes.records
        self._root = {name: stays.root if root == goes.root else root for name, root in self._root.items()}
        del self._groups[goes.root]
