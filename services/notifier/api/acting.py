"""What every route of the notifier shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from starlette.responses import JSONResponse

from schemas.commands import CallInCommand, PersonCommand, Role
from services.common.api import Reader, answer, found
from services.common.auth import Person
from services.common.desk import Reply
from services.notifier.store import Kind, Sight, owner_of
from services.notifier.usecases import LIFTERS


class NotifierDesk(Protocol):
    """See `services.common.desk.Desk`; takes what is for a call-in's lane too."""

    async def submit(self, command: PersonCommand | CallInCommand, *, form_id: str, offender_id: str) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Acts:
    """From a form to a command in the log."""

    desk: NotifierDesk
    read: Reader

    async def submit_to(self, command: CallInCommand, form_id: str) -> JSONResponse:
        """To the lane of a call-in."""
        return answer(await self.desk.submit(command, form_id=form_id, offender_id=command.call_in_id))

    async def submit(self, command: PersonCommand, form_id: str) -> JSONResponse:
        return answer(await self.desk.submit(command, form_id=form_id, offender_id=command.offender_id))

    async def owner(self, kind: Kind, key: str, person: Person) -> str:
        """The offender whose it is. 404 where there is none that the person may see."""
        async with self.read() as conn:
            return found(await owner_of(conn, kind, key, sight(person)), f"unknown_{kind}")

    async def on(
        self, kind: Kind, key: str, person: Person, may: frozenset[Role], version: str | None
    ) -> dict[str, Any]:
        """The fields that every act on one of his notices, referrals and requests has. 404 where there is none."""
        common = {
            "offender_id": await self.owner(kind, key, person),
            f"{kind}_id": key,
            "by": person.name,
            "role": person.acting(may),
            "expects": version,
        }
        return common if kind == "enforcement" else {**common, "by_agency": person.agency}


def sight(person: Person) -> Sight:
    """Whose notices this person may see. Who is an officer and no more sees none of a colleague."""
    return Sight(whole=bool(person.roles & LIFTERS), agency=person.agency)
