"""Who is who: questions for a records clerk, with both records beside each other, and what the clerk says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import JSONResponse

from schemas.commands import Role
from schemas.incident import Identifier, IncidentId
from services.common.api import FormId, Lists, SeenVersion, Shows, answer, found
from services.common.auth import Needs, Person
from services.intake.api.deliveries import Desk
from services.intake.linkage.rules import Answer, Known, Reason
from services.intake.store import identities, linkage
from services.intake.store.linkage import OPEN, Candidate
from services.intake.usecases import judging

Clerk = Annotated[Person, Depends(Needs(Role.RECORDS))]
State = Literal["open", "same", "different", "moot"]


class CandidateLine(BaseModel):
    """A question, without names. `probability` of the model; none where a number in common raised it."""

    candidate_id: str
    probability: float | None
    shared: list[str]
    contradiction: str | None
    state: State
    raised_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    version: str


class RecordView(BaseModel):
    """One agency's record of one man, and of which incidents it tells."""

    offender_id: str
    agency: str
    state_id: str | None
    fbi_number: str | None
    person: str | None
    name: str | None
    birth_date: date | None
    sex: str | None
    incidents: list[str]


class CandidateView(CandidateLine):
    """A question with both records, the earlier one first."""

    records: list[RecordView]


class Decision(BaseModel):
    """A clerk's word on two records."""

    model_config = ConfigDict(extra="forbid")

    decision: Answer
    reason: Reason


class Split(BaseModel):
    """Which part of a man's history is another's: all that came under an id that was merged into him, or these incidents."""

    model_config = ConfigDict(extra="forbid")

    offender_id: Identifier
    merged_offender_id: Identifier | None = None
    incident_ids: Annotated[list[IncidentId], Field(max_length=500)] = []
    reason: Reason

    @model_validator(mode="after")
    def _something(self) -> Split:
        if self.merged_offender_id is None and not self.incident_ids:
            raise ValueError("merged_offender_id or incident_ids")
        return self


def router(desk: Desk) -> APIRouter:
    """Routes under `/v1/identity`, for role `records` alone: names and birth dates stand there."""
    api = APIRouter(prefix="/identity")

    @api.get("/candidates", response_model=list[CandidateLine])
    async def list_candidates(
        person: Clerk, listing: Lists, *, state: Annotated[list[State] | None, Query()] = None
    ) -> Response:
        async with desk.database.read() as conn:
            page = await linkage.listed(conn, listing.page, state or [OPEN])
        return await listing.answer(page.map(_line), "candidate", lambda line: line.candidate_id)

    @api.get("/candidates/{candidate_id}", response_model=CandidateView)
    async def show_candidate(candidate_id: str, person: Clerk, showing: Shows) -> Response:
        async with desk.database.read() as conn:
            asked = found(await linkage.candidate(conn, candidate_id), judging.UNKNOWN)
            rows = sorted((await identities.by_id(conn, (asked.one, asked.other))).values(), key=lambda row: row[0])
            views = [_record(known, await identities.incidents_of(conn, [known.record_id])) for _, known in rows]
        await showing.log("identity_record", [known.record_id for _, known in rows])
        view = CandidateView(**_line(asked).model_dump(), records=views)
        return await showing.answer(view, "candidate", candidate_id, judging.version(asked))

    @api.post("/candidates/{candidate_id}/decision")
    async def decide(
        candidate_id: str, decision: Decision, form_id: FormId, person: Clerk, version: SeenVersion
    ) -> JSONResponse:
        form = judging.Form(person.name, decision.reason, form_id, version)
        now = datetime.now(UTC)
        reply = await judging.decide(desk.database, desk.terms, candidate_id, decision.decision, form, now)
        if reply.code == judging.UNKNOWN:
            raise HTTPException(404, judging.UNKNOWN)
        return answer(reply)

    @api.post("/splits")
    async def split(asked: Split, form_id: FormId, person: Clerk) -> JSONResponse:
        form = judging.Form(person.name, asked.reason, form_id)
        now = datetime.now(UTC)
        reply = await judging.split(
            desk.database, desk.terms, asked.offender_id, asked.merged_offender_id, asked.incident_ids, form, now
        )
        return answer(reply)

    return api


def _line(one: Candidate) -> CandidateLine:
    names = ("candidate_id", "probability", "contradiction", "state", "raised_at", "decided_at", "decided_by", "reason")
    told: dict[str, Any] = {name: getattr(one, name) for name in names}
    return CandidateLine(**told, shared=list(one.shared), version=judging.version(one))


def _record(known: Known, incidents: list[str]) -> RecordView:
    def bare(number: str | None) -> str | None:
        return number.partition(":")[2] if number else None

    return RecordView(
        offender_id=known.offender_id,
        agency=known.agency,
        state_id=bare(known.state_number),
        fbi_number=known.fbi_number,
        person=bare(known.own_number),
        name=known.name,
        birth_date=known.birth_date,
        sex=known.sex,
        incidents=incidents,
    )
