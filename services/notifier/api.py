"""What officers and coordinators do with notices. Acts go to the log; lists come from SQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import JSONResponse

from schemas.commands import CancelNotification, Fail, LiftableHold, LiftHold, PersonCommand, Role, Serve
from schemas.notification import CancelReason, FailureReason, Proof
from services.common.api import FormId, Listing, SeenVersion, Showing, answer
from services.common.auth import Needs, Person
from services.common.desk import Desk
from services.notifier.store import Hold, Listed, Shown, holds, listed, offender_of, shown_notification
from services.notifier.usecases.commands import CANCELLERS, LIFTERS, SERVERS

Reader = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

Server = Annotated[Person, Depends(Needs(*SERVERS))]
Canceller = Annotated[Person, Depends(Needs(*CANCELLERS))]
Lifter = Annotated[Person, Depends(Needs(*LIFTERS))]
Lists = Annotated[Listing, Depends()]
Shows = Annotated[Showing, Depends()]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServeForm(_Form):
    """When it was given, and how that is proved."""

    served_at: AwareDatetime
    proof: Proof


class FailForm(_Form):
    """Why it could not be given."""

    reason: FailureReason


class LiftForm(_Form):
    """The hold, and the role in which the person lifts it: for some it takes two."""

    hold: LiftableHold
    role: Role


def router(desk: Desk, read: Reader) -> APIRouter:
    """Routes of the notifier's API. `read` opens a connection to its database."""
    api = APIRouter(prefix="/notifications")

    async def owner(notification_id: str) -> str:
        async with read() as conn:
            found = await offender_of(conn, notification_id)
        if found is None:
            raise HTTPException(404, "unknown_notification")
        return found

    async def submit(command: PersonCommand, form_id: str) -> JSONResponse:
        return answer(await desk.submit(command, form_id=form_id, offender_id=command.offender_id))

    @api.get("", dependencies=[Depends(Needs(*SERVERS))], response_model=list[Listed])
    async def list_notifications(listing: Lists, state: Annotated[list[Shown] | None, Query()] = None) -> Response:
        async with read() as conn:
            found = await listed(conn, state or list(Shown), listing.page)
        return await listing.answer(found, "notification", lambda one: one.notification_id)

    @api.get("/holds", dependencies=[Depends(Needs(*LIFTERS))], response_model=list[Hold])
    async def list_holds(listing: Lists) -> Response:
        async with read() as conn:
            found = await holds(conn, listing.page)
        return await listing.answer(found, "notification", lambda one: one.notification_id)

    @api.get("/{notification_id}", dependencies=[Depends(Needs(*SERVERS))], response_model=Listed)
    async def show_notification(notification_id: str, showing: Shows) -> Response:
        async with read() as conn:
            found = await shown_notification(conn, notification_id)
        if found is None:
            raise HTTPException(404, "unknown_notification")
        return await showing.answer(found, "notification", notification_id, found.version)

    @api.post("/{notification_id}/serve")
    async def serve(
        notification_id: str, form: ServeForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        common = await _common(notification_id, person, SERVERS, version)
        return await submit(Serve(**common, served_at=form.served_at, proof=form.proof), form_id)

    @api.post("/{notification_id}/fail")
    async def fail(
        notification_id: str, form: FailForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        common = await _common(notification_id, person, SERVERS, version)
        return await submit(Fail(**common, reason=form.reason), form_id)

    @api.post("/{notification_id}/cancel")
    async def cancel(notification_id: str, form_id: FormId, person: Canceller, version: SeenVersion) -> JSONResponse:
        common = await _common(notification_id, person, CANCELLERS, version)
        return await submit(CancelNotification(**common, reason=CancelReason.BY_PERSON), form_id)

    @api.post("/{notification_id}/lift")
    async def lift(
        notification_id: str, form: LiftForm, form_id: FormId, person: Lifter, version: SeenVersion
    ) -> JSONResponse:
        common = await _common(notification_id, person, LIFTERS & {form.role}, version)
        return await submit(LiftHold(**common, hold=form.hold), form_id)

    async def _common(
        notification_id: str, person: Person, may: frozenset[Role], version: str | None
    ) -> dict[str, Any]:
        return {
            "offender_id": await owner(notification_id),
            "notification_id": notification_id,
            "by": person.name,
            "role": person.acting(may),
            "expects": version,
        }

    return api
