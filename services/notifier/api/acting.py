"""What every route of the notifier shares."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import JSONResponse

from schemas.commands import CallInCommand, PersonCommand, Role
from services.common.api import Listing, Showing, answer
from services.common.auth import Person
from services.common.desk import Reply
from services.notifier.store import offender_of

Reader = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

Lists = Annotated[Listing, Depends()]
Shows = Annotated[Showing, Depends()]


class Form(BaseModel):
    """What a person fills in. A field nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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

    async def on(
        self, notification_id: str, person: Person, may: frozenset[Role], version: str | None
    ) -> dict[str, Any]:
        """The fields that every act on a notice has. 404 where there is none."""
        async with self.read() as conn:
            offender_id = await offender_of(conn, notification_id)
        if offender_id is None:
            raise HTTPException(404, "unknown_notification")
        return {
            "offender_id": offender_id,
            "notification_id": notification_id,
            "by": person.name,
            "role": person.acting(may),
            "expects": version,
        }
