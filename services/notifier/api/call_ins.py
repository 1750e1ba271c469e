"""Routes of call-ins: planning, the roster, who came."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import AwareDatetime, Field
from starlette.responses import JSONResponse

from schemas.call_in import CallInState, Capacity, Speaker, Venue
from schemas.commands import Attend, CancelCallIn, PlanCallIn, Role, Seat, Unseat
from schemas.envelope import deterministic_id
from services.common.api import Form, FormId, Lists, Reader, SeenVersion
from services.common.auth import Needs, Person
from services.notifier.api.acting import Acts, NotifierDesk, sight
from services.notifier.store import CallInLine, RosterLine, is_call_in, listed_call_ins, roster
from services.notifier.usecases import PLANNERS, SERVERS

Planner = Annotated[Person, Depends(Needs(*PLANNERS))]
Server = Annotated[Person, Depends(Needs(*SERVERS))]


class PlanForm(Form):
    """When and where, for how many, and who speaks (by office)."""

    starts_at: AwareDatetime
    venue: Venue
    capacity: Capacity
    speakers: Annotated[list[Speaker], Field(max_length=30)] = []


class PlaceForm(Form):
    """Whose notice is to be given there."""

    notification_id: Annotated[str, Field(min_length=1, max_length=64)]


class AttendForm(PlaceForm):
    """Whether he came."""

    attended: bool


def routes(desk: NotifierDesk, read: Reader) -> APIRouter:
    """Under `/call-ins`."""
    api = APIRouter(prefix="/call-ins")
    acts = Acts(desk, read)

    @api.get("", dependencies=[Depends(Needs(*SERVERS))], response_model=list[CallInLine])
    async def list_call_ins(listing: Lists, state: Annotated[list[CallInState] | None, Query()] = None) -> Response:
        async with read() as conn:
            found = await listed_call_ins(conn, state or (CallInState.PLANNED,), listing.page)
        return await listing.answer(found, "call_in", lambda one: one.call_in_id)

    @api.get("/{call_in_id}/roster", dependencies=[Depends(Needs(*SERVERS))], response_model=list[RosterLine])
    async def list_roster(call_in_id: str, listing: Lists) -> Response:
        await _known(call_in_id)
        async with read() as conn:
            found = await roster(conn, call_in_id, listing.page, sight(listing.person))
        return await listing.answer(found, "notification", lambda one: one.notification_id)

    @api.post("")
    async def plan(form: PlanForm, form_id: FormId, person: Planner) -> JSONResponse:
        """The id of the call-in is made of the form: sent again, it is the same one."""
        call_in_id = deterministic_id("call_in", person.name, form_id)
        return await acts.submit_to(PlanCallIn(**_by(call_in_id, person, PLANNERS), **dict(form)), form_id)

    @api.post("/{call_in_id}/move")
    async def move(call_in_id: str, form: PlanForm, form_id: FormId, person: Planner) -> JSONResponse:
        await _known(call_in_id)
        return await acts.submit_to(PlanCallIn(**_by(call_in_id, person, PLANNERS), **dict(form)), form_id)

    @api.post("/{call_in_id}/cancel")
    async def cancel(call_in_id: str, form_id: FormId, person: Planner) -> JSONResponse:
        await _known(call_in_id)
        return await acts.submit_to(CancelCallIn(**_by(call_in_id, person, PLANNERS)), form_id)

    @api.post("/{call_in_id}/seat")
    async def seat(call_in_id: str, form: PlaceForm, form_id: FormId, person: Planner) -> JSONResponse:
        """On the roster as `asked`; his own lane answers `taken` or `refused` at once."""
        await _known(call_in_id)
        offender_id = await acts.owner("notification", form.notification_id, person)
        common = _by(call_in_id, person, PLANNERS)
        command = Seat(**common, seated_offender_id=offender_id, notification_id=form.notification_id)
        return await acts.submit_to(command, form_id)

    @api.post("/{call_in_id}/unseat")
    async def unseat(call_in_id: str, form: PlaceForm, form_id: FormId, person: Planner) -> JSONResponse:
        await _known(call_in_id)
        command = Unseat(**_by(call_in_id, person, PLANNERS), notification_id=form.notification_id)
        return await acts.submit_to(command, form_id)

    @api.post("/{call_in_id}/attend")
    async def attend(
        call_in_id: str, form: AttendForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        await _known(call_in_id)
        common = await acts.on("notification", form.notification_id, person, SERVERS, version)
        return await acts.submit(Attend(**common, call_in_id=call_in_id, attended=form.attended), form_id)

    async def _known(call_in_id: str) -> None:
        async with read() as conn:
            if not await is_call_in(conn, call_in_id):
                raise HTTPException(404, "unknown_call_in")

    return api


def _by(call_in_id: str, person: Person, may: frozenset[Role]) -> dict[str, Any]:
    return {"call_in_id": call_in_id, "by": person.name, "role": person.acting(may)}
