"""A text for her on paper, to be handed over in the task at hand. Bears no name: found, it does not say whose it is."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, HTTPException, Response

from schemas.advocacy import Language, MessageText
from services.common.api import Shows, found
from services.common.signoffs import NotSignedError
from services.victim_outreach.api.common import Counter, Worker, sight
from services.victim_outreach.store import task_of
from services.victim_outreach.texts import Kind, TextBook, VictimText

PDF = "application/pdf"


def add_routes(api: APIRouter, counter: Counter, papers: TextBook | None) -> None:
    @api.get(
        "/tasks/{task_id}/paper",
        response_class=Response,
        responses={200: {"content": {PDF: {}}}, 409: {"description": "No text, or not signed off."}},
    )
    async def paper(
        task_id: str, text: MessageText, person: Worker, showing: Shows, language: Language = "en"
    ) -> Response:
        """The text as tagged PDF, with the number of who holds the task, and whether what she says stays confidential."""
        async with counter.read() as conn:
            _, owner = found(await task_of(conn, task_id, sight(person)), "unknown_task")
        if papers is None:
            raise HTTPException(409, "no_texts")
        wanted = VictimText(kind=Kind(text), owner=owner, dated=counter.clock().date(), language=language)
        try:
            made = await asyncio.to_thread(papers.pdf, wanted)
        except NotSignedError:
            raise HTTPException(409, "text_not_signed") from None
        await showing.log("task", [task_id])
        return Response(made, media_type=PDF, headers={"Content-Disposition": f'inline; filename="{text}.pdf"'})
