"""What coordinators see and do: the reviews that are open, and incidents that wait to be opened. Acts go to the log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import JSONResponse

from schemas.classification import ReviewCode
from schemas.commands import OpenListed
from schemas.incident import Identifier
from services.classifier.store import ListedIncident, OpenReview, listed_incidents, open_reviews
from services.classifier.usecases import OPENERS
from services.common.api import FormId, Listing, answer
from services.common.auth import Needs, Person
from services.common.desk import Desk

Reader = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

Opener = Annotated[Person, Depends(Needs(*OPENERS))]
Lists = Annotated[Listing, Depends()]


class OpenForm(BaseModel):
    """Which incident of whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    offender_id: Identifier
    incident_id: Annotated[str, Field(min_length=1, max_length=128)]


def router(desk: Desk, read: Reader) -> APIRouter:
    """Routes of the classifier's API. `read` opens a connection to its database."""
    api = APIRouter(dependencies=[Depends(Needs(*OPENERS))])

    @api.get("/reviews", response_model=list[OpenReview])
    async def reviews(listing: Lists, code: Annotated[list[ReviewCode] | None, Query()] = None) -> Response:
        async with read() as conn:
            found = await open_reviews(conn, code or list(ReviewCode), listing.page)
        return await listing.answer(found, "offender", lambda review: review.offender_id)

    @api.get("/listed", response_model=list[ListedIncident])
    async def listed(listing: Lists) -> Response:
        async with read() as conn:
            found = await listed_incidents(conn, listing.page)
        return await listing.answer(found, "offender", lambda one: one.offender_id)

    @api.post("/listed/open")
    async def open_one(form: OpenForm, form_id: FormId, person: Opener) -> JSONResponse:
        command = OpenListed(
            offender_id=form.offender_id, incident_id=form.incident_id, by=person.name, role=person.acting(OPENERS)
        )
        return answer(await desk.submit(command, form_id=form_id, offender_id=form.offender_id))

    return api
