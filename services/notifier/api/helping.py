"""Routes of help that he asks for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import JSONResponse

from schemas.commands import AskHelp, CloseHelp, ReferHelp
from schemas.help import HelpKind, HelpOutcome, HelpState, Provider
from services.common.api import Form, FormId, Lists, Reader, SeenVersion
from services.common.auth import Needs, Person
from services.notifier.api.acting import Acts, NotifierDesk, sight
from services.notifier.store import HelpLine, help_queue
from services.notifier.usecases import SERVERS

Server = Annotated[Person, Depends(Needs(*SERVERS))]
_OPEN = (HelpState.ASKED, HelpState.REFERRED)


class AskForm(Form):
    """What he asks for."""

    kind: HelpKind


class ReferForm(Form):
    """The organisation he is referred to."""

    provider: Provider


class OutcomeForm(Form):
    """What came of it."""

    outcome: HelpOutcome


def routes(desk: NotifierDesk, read: Reader) -> APIRouter:
    """`/notifications/.../help`, and under `/help`."""
    api = APIRouter()
    acts = Acts(desk, read)

    @api.post("/notifications/{notification_id}/help")
    async def ask(notification_id: str, form: AskForm, form_id: FormId, person: Server) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, SERVERS, None)
        return await acts.submit(AskHelp(**common, kind=form.kind), form_id)

    @api.get("/help", dependencies=[Depends(Needs(*SERVERS))], response_model=list[HelpLine])
    async def list_help(listing: Lists, state: Annotated[list[HelpState] | None, Query()] = None) -> Response:
        async with read() as conn:
            found = await help_queue(conn, state or _OPEN, listing.page, sight(listing.person))
        return await listing.answer(found, "help", lambda one: one.help_id)

    @api.post("/help/{help_id}/refer")
    async def refer(
        help_id: str, form: ReferForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("help", help_id, person, SERVERS, version)
        return await acts.submit(ReferHelp(**common, provider=form.provider), form_id)

    @api.post("/help/{help_id}/close")
    async def close(
        help_id: str, form: OutcomeForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("help", help_id, person, SERVERS, version)
        return await acts.submit(CloseHelp(**common, outcome=form.outcome), form_id)

    return api
