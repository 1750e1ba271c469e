"""What the routes share: who calls, whose lane an act goes to, and how it is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import JSONResponse

from schemas.commands import PersonCommand, Role
from schemas.outreach import TaskOwner
from services.common.api import Reader, answer, found
from services.common.auth import Needs, Person
from services.common.desk import Desk
from services.victim_outreach.rules import ADVOCATES, HOLDERS, LINKERS, OVERRIDERS, SEES, TAKES, supervises
from services.victim_outreach.store import case_of, task_of

WORKERS = frozenset(SEES)
SUPERVISORS = frozenset({Role.OUTREACH_SUPERVISOR})

Worker = Annotated[Person, Depends(Needs(*WORKERS))]
Advocate = Annotated[Person, Depends(Needs(*ADVOCATES))]
Supervisor = Annotated[Person, Depends(Needs(*SUPERVISORS))]
Holder = Annotated[Person, Depends(Needs(*HOLDERS))]
Linker = Annotated[Person, Depends(Needs(*LINKERS))]
Overrider = Annotated[Person, Depends(Needs(*OVERRIDERS))]


@dataclass(frozen=True, slots=True)
class Counter:
    """Where acts are handed in, and what is needed to hand one in is looked up."""

    desk: Desk
    read: Reader
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def submit(self, command: PersonCommand, form_id: str) -> JSONResponse:
        return answer(await self.desk.submit(command, form_id=form_id, offender_id=command.offender_id))

    async def on_task(self, task_id: str, person: Person, allowed: frozenset[Role] | None = None) -> dict[str, Any]:
        """What is common to every act on a task: whose lane, who, in which role."""
        async with self.read() as conn:
            offender_id, owner = found(await task_of(conn, task_id, sight(person)), "unknown_task")
        may = TAKES[owner] if allowed is None else TAKES[owner] & allowed
        return {"task_id": task_id, **acting(person, may, offender_id)}

    async def on_case(
        self, case_id: str, person: Person, allowed: frozenset[Role], *, unseen: bool = False
    ) -> dict[str, Any]:
        """Where a task may be seen: police can work out the id of a case. `unseen`: what only protects her, anywhere."""
        async with self.read() as conn:
            offender_id = await case_of(conn, case_id, None if unseen else sight(person))
        return acting(person, allowed, found(offender_id, "unknown_case"))


def sight(person: Person) -> frozenset[TaskOwner]:
    """Whose tasks this person may read."""
    return frozenset(owner for role in person.roles for owner in SEES.get(role, ()))


def lifts(person: Person) -> frozenset[str] | None:
    """Whose holds this person may lift, and is told whose they are; None: anyone's."""
    return None if any(map(supervises, person.roles)) else frozenset({person.name})


def acting(person: Person, allowed: frozenset[Role], offender_id: str) -> dict[str, Any]:
    """In the role that may do most, of those the person has."""
    role = person.acting(SUPERVISORS & person.roles & allowed or allowed)
    return {"offender_id": offender_id, "by": person.name, "role": role}
