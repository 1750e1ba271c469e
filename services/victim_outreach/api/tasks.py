"""Tasks: what is to be done, who has taken it, how she was tried to be reached; and messages to her."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response
from pydantic import AwareDatetime, Field
from starlette.responses import JSONResponse

from schemas.advocacy import Language, MessageText, SendMessage
from schemas.commands import AnnulAttempt, Attempt, CancelTask, Claim, Complete, GiveBack
from schemas.envelope import deterministic_id
from schemas.outreach import AnnulReason, AttemptOutcome, ContactChannel, TaskKind, TaskState
from services.common.api import Form, FormId, Lists, SeenVersion, Shows, found
from services.victim_outreach.api.common import Advocate, Counter, Supervisor, Worker, sight
from services.victim_outreach.rules import ADVOCATES
from services.victim_outreach.store import UNFINISHED, TaskLine, Wanted, on_the_other_side, queue, shown_task


class ClaimForm(Form):
    """Where another has it: who, as seen. It is taken over."""

    instead_of: Annotated[str | None, Field(min_length=1, max_length=120)] = None


class AttemptForm(Form):
    """How and when she was tried to be reached, and what came of it. What she said is not asked."""

    channel: ContactChannel
    outcome: AttemptOutcome
    attempted_at: AwareDatetime


class AnnulForm(Form):
    """Why what was recorded holds no more, from a closed list."""

    reason: AnnulReason


class MessageForm(Form):
    """Which text goes to her, and which way. Where it goes stands in what she said of safe contact."""

    channel: ContactChannel
    text: MessageText
    language: Language = "en"


def add_routes(api: APIRouter, counter: Counter) -> None:
    @api.get("/tasks", response_model=list[TaskLine])
    async def list_tasks(
        person: Worker,
        listing: Lists,
        *,
        mine: bool = False,
        state: Annotated[list[TaskState] | None, Query()] = None,
        kind: Annotated[list[TaskKind] | None, Query()] = None,
        overdue: bool | None = None,
    ) -> Response:
        """What is not done, unless `state` says otherwise; soonest due first."""
        wanted = Wanted(person.name if mine else None, state or UNFINISHED, kind or (), overdue)
        async with counter.read() as conn:
            tasks = await queue(conn, sight(person), listing.page, wanted)
        return await listing.answer(tasks, "task", lambda line: line.task_id)

    @api.get("/tasks/{task_id}", response_model=TaskLine)
    async def show_task(task_id: str, person: Worker, showing: Shows) -> Response:
        async with counter.read() as conn:
            task = found(await shown_task(conn, task_id, sight(person)), "unknown_task")
        return await showing.answer(task, "task", task_id, task.version)

    @api.post("/tasks/{task_id}/claim")
    async def claim(
        task_id: str, form_id: FormId, person: Worker, version: SeenVersion, form: ClaimForm | None = None
    ) -> JSONResponse:
        """Of a fight in which both were arrested, one person works with one of the two."""
        common = await counter.on_task(task_id, person)
        async with counter.read() as conn:
            if await on_the_other_side(conn, task_id, person.name):
                raise HTTPException(409, "other_side")
        instead_of = form.instead_of if form is not None else None
        return await counter.submit(Claim(**common, expects=version, instead_of=instead_of), form_id)

    @api.post("/tasks/{task_id}/give-back")
    async def give_back(task_id: str, form_id: FormId, person: Worker, version: SeenVersion) -> JSONResponse:
        return await counter.submit(GiveBack(**await counter.on_task(task_id, person), expects=version), form_id)

    @api.post("/tasks/{task_id}/attempt")
    async def attempt(
        task_id: str, form: AttemptForm, form_id: FormId, person: Worker, version: SeenVersion
    ) -> JSONResponse:
        common = {**await counter.on_task(task_id, person), "expects": version}
        made = Attempt(**common, channel=form.channel, outcome=form.outcome, attempted_at=form.attempted_at)
        return await counter.submit(made, form_id)

    @api.post("/tasks/{task_id}/attempts/{number}/annul")
    async def annul(
        task_id: str,
        number: Annotated[int, Path(ge=1, le=1_000_000)],
        form: AnnulForm,
        form_id: FormId,
        person: Worker,
        version: SeenVersion,
    ) -> JSONResponse:
        """By whoever recorded it, or the outreach supervisor."""
        common = {**await counter.on_task(task_id, person), "expects": version}
        return await counter.submit(AnnulAttempt(**common, number=number, reason=form.reason), form_id)

    @api.post("/tasks/{task_id}/complete")
    async def complete(task_id: str, form_id: FormId, person: Worker, version: SeenVersion) -> JSONResponse:
        return await counter.submit(Complete(**await counter.on_task(task_id, person), expects=version), form_id)

    @api.post("/tasks/{task_id}/cancel")
    async def cancel(task_id: str, form_id: FormId, person: Supervisor, version: SeenVersion) -> JSONResponse:
        return await counter.submit(CancelTask(**await counter.on_task(task_id, person), expects=version), form_id)

    @api.post("/tasks/{task_id}/messages")
    async def send(
        task_id: str, form: MessageForm, form_id: FormId, person: Advocate, version: SeenVersion
    ) -> JSONResponse:
        """One act, one message. It leaves once, or not, or it is said that this is not known."""
        common = {**await counter.on_task(task_id, person, ADVOCATES), "expects": version}
        message_id = deterministic_id("message", task_id, person.name, form_id)
        asked = SendMessage(
            **common, message_id=message_id, channel=form.channel, text=form.text, language=form.language
        )
        return await counter.submit(asked, form_id)
