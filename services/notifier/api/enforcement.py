"""Routes of referrals to the prosecutor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field
from starlette.responses import JSONResponse

from schemas.commands import CloseEnforcement, TakeEnforcement
from schemas.enforcement import EnforcementOutcome, EnforcementState, Lever
from services.common.api import Form, FormId, Lists, Reader, SeenVersion
from services.common.auth import Needs, Person
from services.notifier.api.acting import Acts, NotifierDesk
from services.notifier.store import EnforcementLine, enforcement_queue
from services.notifier.usecases import PROSECUTORS

Prosecutor = Annotated[Person, Depends(Needs(*PROSECUTORS))]
_OPEN = (EnforcementState.REFERRED, EnforcementState.TAKEN)


class CloseForm(Form):
    """What came of it, and the levers that were used."""

    outcome: EnforcementOutcome
    levers: Annotated[list[Lever], Field(max_length=len(Lever))] = []


def routes(desk: NotifierDesk, read: Reader) -> APIRouter:
    """Under `/enforcement`."""
    api = APIRouter(prefix="/enforcement")
    acts = Acts(desk, read)

    @api.get("", dependencies=[Depends(Needs(*PROSECUTORS))], response_model=list[EnforcementLine])
    async def list_enforcement(
        listing: Lists, state: Annotated[list[EnforcementState] | None, Query()] = None
    ) -> Response:
        async with read() as conn:
            found = await enforcement_queue(conn, state or _OPEN, listing.page)
        return await listing.answer(found, "enforcement", lambda one: one.enforcement_id)

    @api.post("/{enforcement_id}/take")
    async def take(enforcement_id: str, form_id: FormId, person: Prosecutor, version: SeenVersion) -> JSONResponse:
        common = await acts.on("enforcement", enforcement_id, person, PROSECUTORS, version)
        return await acts.submit(TakeEnforcement(**common), form_id)

    @api.post("/{enforcement_id}/close")
    async def close(
        enforcement_id: str, form: CloseForm, form_id: FormId, person: Prosecutor, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("enforcement", enforcement_id, person, PROSECUTORS, version)
        return await acts.submit(CloseEnforcement(**common, outcome=form.outcome, levers=form.levers), form_id)

    return api
