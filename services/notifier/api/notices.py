"""Routes of notices: what waits, what may be given, what people do with it."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BeforeValidator, Field
from starlette.responses import JSONResponse

from schemas.commands import (
    CancelNotification,
    ClaimNotification,
    DecideCorrection,
    Fail,
    GiveCorrection,
    LiftableHold,
    LiftHold,
    PlanDelivery,
    RetryNotification,
    Role,
    Serve,
    Sha256,
    UndoService,
)
from schemas.envelope import Timestamp
from schemas.incident import Ori
from schemas.notice_work import Correction
from schemas.notification import CancelReason, FailureReason, Place, Proof, ServiceMistake
from services.common.api import Form, FormId, Lists, Reader, SeenVersion, Shows, found
from services.common.auth import Needs, Person
from services.notifier.api.acting import Acts, NotifierDesk, sight
from services.notifier.store import (
    Hold,
    Listed,
    Shown,
    ToCorrect,
    Unplanned,
    corrections,
    holds,
    listed,
    shown_notification,
    unplanned,
)
from services.notifier.usecases import CANCELLERS, DECIDERS, LIFTERS, SERVERS, UNDOERS

Server = Annotated[Person, Depends(Needs(*SERVERS))]
Canceller = Annotated[Person, Depends(Needs(*CANCELLERS))]
Decider = Annotated[Person, Depends(Needs(*DECIDERS))]
Undoer = Annotated[Person, Depends(Needs(*UNDOERS))]
Lifter = Annotated[Person, Depends(Needs(*LIFTERS))]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]


def _with_its_day(said: object) -> object:
    """Digits alone would be read as seconds since 1970, a year too."""
    if not re.match(r"\d{4}-\d\d-\d\d", str(said)):
        raise ValueError("no date")
    return said


Since = Annotated[Timestamp, BeforeValidator(_with_its_day)]


class ServeForm(Form):
    """When it was given, and how that is proved; by whom and in what kind of place."""

    served_at: AwareDatetime
    proof: Proof
    served_by: Name | None = None
    served_by_agency: Ori | None = None
    place: Place | None = None
    letter_sha256: Sha256 | None = None
    counsel_present: bool | None = None


class FailForm(Form):
    """Why it could not be given."""

    reason: FailureReason
    attempted_at: AwareDatetime | None = None
    place: Place | None = None


class PlanForm(Form):
    """The delivery round, from and until; neither: it is off."""

    planned_from: AwareDatetime | None = None
    planned_until: AwareDatetime | None = None


class LiftForm(Form):
    """The hold, and the role in which the person lifts it: for some it takes two. `conflict` names another agency."""

    hold: LiftableHold
    role: Role
    agency: Ori | None = None


class MistakeForm(Form):
    """Why a service was recorded that was none."""

    mistake: ServiceMistake


class CorrectionForm(Form):
    """What he is told where the facts changed after service."""

    correction: Correction


class CorrectionGivenForm(Form):
    """When he was told."""

    given_at: AwareDatetime


def _of_service(person: Person, served_by: str | None) -> frozenset[Role]:
    """Who gave it is held to what binds an officer, coordinator as well or not; a coordinator records what another has done."""
    gave = served_by is None or served_by.strip().casefold() == person.name.casefold()
    return frozenset({Role.OFFICER}) if gave and Role.OFFICER in person.roles else SERVERS


def routes(desk: NotifierDesk, read: Reader) -> APIRouter:
    """Under `/notifications`."""
    api = APIRouter(prefix="/notifications")
    acts = Acts(desk, read)

    @api.get("", dependencies=[Depends(Needs(*SERVERS))], response_model=list[Listed])
    async def list_notifications(listing: Lists, state: Annotated[list[Shown] | None, Query()] = None) -> Response:
        async with read() as conn:
            page = await listed(conn, state or list(Shown), listing.page, sight(listing.person))
        return await listing.answer(page, "notification", lambda one: one.notification_id)

    @api.get("/holds", dependencies=[Depends(Needs(*LIFTERS))], response_model=list[Hold])
    async def list_holds(listing: Lists) -> Response:
        async with read() as conn:
            page = await holds(conn, listing.page)
        return await listing.answer(page, "notification", lambda one: one.notification_id)

    @api.get("/corrections", dependencies=[Depends(Needs(*SERVERS))], response_model=list[ToCorrect])
    async def list_corrections(listing: Lists) -> Response:
        async with read() as conn:
            decides = not DECIDERS.isdisjoint(listing.person.roles)
            page = await corrections(conn, listing.page, sight(listing.person), decides=decides)
        return await listing.answer(page, "notification", lambda one: one.notification_id)

    @api.get("/unplanned", dependencies=[Depends(Needs(*CANCELLERS))], response_model=list[Unplanned])
    async def list_unplanned(listing: Lists, since: Annotated[Since | None, Query()] = None) -> Response:
        """Given on a day of which she could not hear before, since then."""
        async with read() as conn:
            page = await unplanned(conn, since, listing.page)
        return await listing.answer(page, "notification", lambda one: one.notification_id)

    @api.get("/{notification_id}", dependencies=[Depends(Needs(*SERVERS))], response_model=Listed)
    async def show_notification(notification_id: str, showing: Shows) -> Response:
        async with read() as conn:
            one = await shown_notification(conn, notification_id, sight(showing.person))
        notice = found(one, "unknown_notification")
        return await showing.answer(notice, "notification", notification_id, notice.version)

    @api.post("/{notification_id}/claim")
    async def claim(notification_id: str, form_id: FormId, person: Server, version: SeenVersion) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, SERVERS, version)
        return await acts.submit(ClaimNotification(**common), form_id)

    @api.post("/{notification_id}/serve")
    async def serve(
        notification_id: str, form: ServeForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        may = _of_service(person, form.served_by)
        common = await acts.on("notification", notification_id, person, may, version)
        return await acts.submit(Serve(**common, **dict(form)), form_id)

    @api.post("/{notification_id}/undo-service")
    async def undo_service(
        notification_id: str, form: MistakeForm, form_id: FormId, person: Undoer, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, UNDOERS, version)
        return await acts.submit(UndoService(**common, mistake=form.mistake), form_id)

    @api.post("/{notification_id}/fail")
    async def fail(
        notification_id: str, form: FailForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, SERVERS, version)
        return await acts.submit(Fail(**common, **dict(form)), form_id)

    @api.post("/{notification_id}/plan")
    async def plan(
        notification_id: str, form: PlanForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, SERVERS, version)
        return await acts.submit(PlanDelivery(**common, **dict(form)), form_id)

    @api.post("/{notification_id}/retry")
    async def retry(notification_id: str, form_id: FormId, person: Server, version: SeenVersion) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, SERVERS, version)
        return await acts.submit(RetryNotification(**common), form_id)

    @api.post("/{notification_id}/cancel")
    async def cancel(notification_id: str, form_id: FormId, person: Canceller, version: SeenVersion) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, CANCELLERS, version)
        return await acts.submit(CancelNotification(**common, reason=CancelReason.BY_PERSON), form_id)

    @api.post("/{notification_id}/lift")
    async def lift(
        notification_id: str, form: LiftForm, form_id: FormId, person: Lifter, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, LIFTERS & {form.role}, version)
        return await acts.submit(LiftHold(**common, hold=form.hold, agency=form.agency), form_id)

    @api.post("/{notification_id}/decide-correction")
    async def decide_correction(
        notification_id: str, form: CorrectionForm, form_id: FormId, person: Decider, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, DECIDERS, version)
        return await acts.submit(DecideCorrection(**common, correction=form.correction), form_id)

    @api.post("/{notification_id}/give-correction")
    async def give_correction(
        notification_id: str, form: CorrectionGivenForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        common = await acts.on("notification", notification_id, person, SERVERS, version)
        return await acts.submit(GiveCorrection(**common, given_at=form.given_at), form_id)

    return api
