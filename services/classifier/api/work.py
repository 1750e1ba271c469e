"""What coordinators see and do: the reviews that are open, and incidents that wait to be opened. Acts go to the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field
from starlette.responses import JSONResponse

from schemas.commands import OpenListed, Role
from schemas.incident import Identifier
from schemas.topics import KEPT_DAYS, SEGMENT_DAYS
from services.classifier.api.reviews import add_review_routes
from services.classifier.domain import Erasure
from services.classifier.store import ListedIncident, carried_out, listed_incidents
from services.classifier.usecases import OPENERS
from services.common.api import Form, FormId, Lists, Reader, answer
from services.common.auth import Needs, Person
from services.common.desk import Desk

Opener = Annotated[Person, Depends(Needs(*OPENERS))]


@dataclass(frozen=True, slots=True)
class Proof:
    """That an expunction was carried out, and when the last copy is gone; what was expunged it does not say.

    `proof_id` follows from source and id of the order's event: who sent it can work it out, nobody else.
    """

    proof_id: str
    agency: str
    erased_at: datetime
    """From then on nothing of it was in any table."""
    log_gone_at: datetime
    """The last segment of a topic that may hold it has been deleted or compacted."""
    backups_gone_at: datetime
    """The last backup taken before has been deleted (`IPVI_BACKUP_DAYS`)."""

    @classmethod
    def of(cls, erasure: Erasure, backup_days: int) -> Proof:
        at = erasure.erased_at
        log = at + timedelta(days=KEPT_DAYS + SEGMENT_DAYS)
        return cls(erasure.proof_id, erasure.agency, at, log, at + timedelta(days=backup_days))


class OpenForm(Form):
    """Which incident of whom."""

    offender_id: Identifier
    incident_id: Annotated[str, Field(min_length=1, max_length=128)]


def router(desk: Desk, read: Reader, backup_days: int) -> APIRouter:
    """`read` opens a connection to the classifier's database. `backup_days`: for how long backups are kept."""
    api = APIRouter()
    add_review_routes(api, desk, read)

    @api.get("/erasures", response_model=list[Proof], dependencies=[Depends(Needs(Role.COORDINATOR, Role.OPERATOR))])
    async def erasures(listing: Lists, proof_id: str | None = None) -> Response:
        async with read() as conn:
            found = await carried_out(conn, listing.page, proof_id)
        return await listing.answer(
            found.map(lambda one: Proof.of(one, backup_days)), "erasure", lambda proof: proof.proof_id
        )

    @api.get("/listed", response_model=list[ListedIncident], dependencies=[Depends(Needs(*OPENERS))])
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
