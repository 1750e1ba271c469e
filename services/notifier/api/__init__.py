"""What officers, coordinators and prosecutors do. Acts go to the log; lists come from SQL."""

from __future__ import annotations

from datetime import UTC, tzinfo

from fastapi import APIRouter

from services.notifier.api import call_ins, enforcement, helping, notices, paper
from services.notifier.api.acting import NotifierDesk, Reader
from services.notifier.letters import LetterBook


def router(desk: NotifierDesk, read: Reader, book: LetterBook | None = None, zone: tzinfo = UTC) -> APIRouter:
    """Routes of the notifier's API. `read` opens a connection to its database; `book` has the county's letters."""
    api = APIRouter()
    for part in (notices, helping, enforcement, call_ins):
        api.routes.extend(part.routes(desk, read).routes)
    api.routes.extend(paper.routes(desk, read, book, zone).routes)
    return api
