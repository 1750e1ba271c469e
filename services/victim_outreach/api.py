"""What advocates, officers and coordinators do for victims. Acts go to the log; lists come from SQL.

No address names an offender or a victim: routes go by task, case and pair. Whose act it is and in which role stands in
the credential, never in the form.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import JSONResponse

from schemas.commands import (
    Attempt,
    CancelTask,
    Claim,
    Complete,
    LiftSafetyHold,
    OverrideGate,
    OverrideReason,
    PersonCommand,
    Role,
    SafetyHold,
)
from schemas.envelope import deterministic_id
from schemas.outreach import AttemptOutcome, ContactChannel, TaskOwner
from services.common.api import FormId, Listing, SeenVersion, Showing, answer
from services.common.auth import Needs, Person
from services.common.desk import Desk
from services.victim_outreach.rules import HOLDERS, OVERRIDERS, SEES, TAKES
from services.victim_outreach.store import (
    Case,
    TaskLine,
    case_of,
    offender_of_pair,
    queue,
    shown_case,
    shown_task,
    task_of,
)

T = TypeVar("T")

Reader = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

WORKERS = frozenset(SEES)
SUPERVISORS = frozenset({Role.OUTREACH_SUPERVISOR})

Worker = Annotated[Person, Depends(Needs(*WORKERS))]
Supervisor = Annotated[Person, Depends(Needs(*SUPERVISORS))]
Holder = Annotated[Person, Depends(Needs(*HOLDERS))]
Overrider = Annotated[Person, Depends(Needs(*OVERRIDERS))]
Lists = Annotated[Listing, Depends()]
Shows = Annotated[Showing, Depends()]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AttemptForm(_Form):
    """How and when she was tried to be reached, and what came of it. What she said is not asked."""

    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: AwareDatetime


class OverrideForm(_Form):
    """Why the gate is to open without the outreach done, from a closed list."""

    reason: OverrideReason


def router(desk: Desk, read: Reader) -> APIRouter:
    """Routes of victim outreach's API. `read` opens a connection to its database."""
    api = APIRouter()

    async def submit(command: PersonCommand, form_id: str) -> JSONResponse:
        return answer(await desk.submit(command, form_id=form_id, offender_id=command.offender_id))

    async def on_task(task_id: str, person: Person) -> dict[str, Any]:
        """What is common to every act on a task: whose lane, who, in which role."""
        async with read() as conn:
            offender_id, owner = _found(await task_of(conn, task_id, sight(person)), "unknown_task")
        return {"task_id": task_id, **_by(person, TAKES[owner], offender_id)}

    async def on_case(case_id: str, person: Person) -> dict[str, Any]:
        async with read() as conn:
            offender_id = await case_of(conn, case_id)
        return _by(person, HOLDERS, _found(offender_id, "unknown_case"))

    @api.get("/tasks", response_model=list[TaskLine])
    async def list_tasks(person: Worker, listing: Lists, *, mine: bool = False) -> Response:
        async with read() as conn:
            claimed_by = person.name if mine else None
            found = await queue(conn, sight(person), listing.page, claimed_by=claimed_by)
        return await listing.answer(found, "task", lambda line: line.task_id)

    @api.get("/tasks/{task_id}", response_model=TaskLine)
    async def show_task(task_id: str, person: Worker, showing: Shows) -> Response:
        async with read() as conn:
            found = _found(await shown_task(conn, task_id, sight(person)), "unknown_task")
        return await showing.answer(found, "task", task_id, found.version)

    @api.get("/cases/{case_id}", response_model=Case)
    async def show_case(case_id: str, person: Worker, showing: Shows) -> Response:
        async with read() as conn:
            case = await shown_case(conn, case_id, sight(person), guarding=bool(person.roles & HOLDERS))
        return await showing.answer(_found(case, "unknown_case"), "case", case_id)

    @api.post("/tasks/{task_id}/claim")
    async def claim(task_id: str, form_id: FormId, person: Worker, version: SeenVersion) -> JSONResponse:
        return await submit(Claim(**await on_task(task_id, person), expects=version), form_id)

    @api.post("/tasks/{task_id}/attempt")
    async def attempt(
        task_id: str, form: AttemptForm, form_id: FormId, person: Worker, version: SeenVersion
    ) -> JSONResponse:
        common = {**await on_task(task_id, person), "expects": version}
        made = Attempt(**common, channel=form.channel, outcome=form.outcome, attempted_at=form.attempted_at)
        return await submit(made, form_id)

    @api.post("/tasks/{task_id}/complete")
    async def complete(task_id: str, form_id: FormId, person: Worker, version: SeenVersion) -> JSONResponse:
        return await submit(Complete(**await on_task(task_id, person), expects=version), form_id)

    @api.post("/tasks/{task_id}/cancel")
    async def cancel(task_id: str, form_id: FormId, person: Supervisor, version: SeenVersion) -> JSONResponse:
        return await submit(CancelTask(**await on_task(task_id, person), expects=version), form_id)

    @api.post("/cases/{case_id}/holds")
    async def hold(case_id: str, form_id: FormId, person: Holder) -> JSONResponse:
        common = await on_case(case_id, person)
        return await submit(
            SafetyHold(**common, hold_id=deterministic_id("hold", case_id, person.name, form_id)), form_id
        )

    @api.post("/cases/{case_id}/holds/{hold_id}/renew")
    async def renew(case_id: str, hold_id: str, form_id: FormId, person: Holder) -> JSONResponse:
        return await submit(SafetyHold(**await on_case(case_id, person), hold_id=hold_id), form_id)

    @api.post("/cases/{case_id}/holds/{hold_id}/lift")
    async def lift(case_id: str, hold_id: str, form_id: FormId, person: Holder) -> JSONResponse:
        return await submit(LiftSafetyHold(**await on_case(case_id, person), hold_id=hold_id), form_id)

    @api.post("/pairs/{pair_id}/override")
    async def override(pair_id: str, form: OverrideForm, form_id: FormId, person: Overrider) -> JSONResponse:
        async with read() as conn:
            offender_id = await offender_of_pair(conn, pair_id)
        common = _by(person, OVERRIDERS, _found(offender_id, "unknown_pair"))
        return await submit(OverrideGate(**common, pair_id=pair_id, reason=form.reason), form_id)

    return api


def sight(person: Person) -> frozenset[TaskOwner]:
    """Whose tasks this person may read."""
    return frozenset(owner for role in person.roles for owner in SEES.get(role, ()))


def _by(person: Person, allowed: frozenset[Role], offender_id: str) -> dict[str, Any]:
    """In the role that may do most, of those the person has."""
    role = person.acting(SUPERVISORS & person.roles & allowed or allowed)
    return {"offender_id": offender_id, "by": person.name, "role": role}


def _found(found: T | None, code: str) -> T:
    if found is None:
        raise HTTPException(404, code)
    return found
