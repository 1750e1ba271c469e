"""What coordinators see and do: the reviews that are open, and incidents that wait to be opened. Acts go to the log."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import JSONResponse

from schemas.classification import ReviewCode
from schemas.commands import OpenListed
from schemas.incident import Identifier
from services.classifier.store import ListedIncident, OpenReview, listed_incidents, open_reviews
from services.classifier.usecases import OPENERS
from services.common.api import FormId, answer
from services.common.auth import Needs, Person
from services.common.desk import Desk

Reader = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

Opener = Annotated[Person, Depends(Needs(*OPENERS))]
Limit = Annotated[int, Query(ge=1, le=500)]
Skip = Annotated[int, Query(ge=0, le=1_000_000)]


class OpenForm(BaseModel):
    """Which incident of whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    offender_id: Identifier
    incident_id: Annotated[str, Field(min_length=1, max_length=128)]


def router(desk: Desk, read: Reader) -> APIRouter:
    """Routes of the classifier's API. `read` opens a connection to its database."""
    api = APIRouter(dependencies=[Depends(Needs(*OPENERS))])

    @api.get("/reviews")
    async def reviews(
        code: Annotated[list[ReviewCode] | None, Query()] = None, limit: Limit = 100, skip: Skip = 0
    ) -> list[OpenReview]:
        async with read() as conn:
            return list(await open_reviews(conn, code or list(ReviewCode), limit, skip))

    @api.get("/listed")
    async def listed(limit: Limit = 100, skip: Skip = 0) -> list[ListedIncident]:
        async with read() as conn:
            return list(await listed_incidents(conn, limit, skip))

    @api.post("/listed/open")
    async def open_one(form: OpenForm, form_id: FormId, person: Opener) -> JSONResponse:
        command = OpenListed(
            offender_id=form.offender_id, incident_id=form.incident_id, by=person.name, role=person.acting(OPENERS)
        )
        return answer(await desk.submit(command, form_id=form_id, offender_id=form.offender_id))

    return api
