"""What officers, coordinators and prosecutors do. Acts go to the log; lists come from SQL."""

from __future__ import annotations

from fastapi import APIRouter

from services.common.api import Reader
from services.notifier.api import call_ins, enforcement, helping, notices, paper
from services.notifier.api.acting import NotifierDesk
from services.notifier.api.paper import Papers

__all__ = ["Papers", "router"]


def router(desk: NotifierDesk, read: Reader, papers: Papers | None = None) -> APIRouter:
    """Routes of the notifier's API. `read` opens a connection to its database; `papers` None: there are no letters."""
    api = APIRouter()
    for part in (notices, helping, enforcement, call_ins):
        api.routes.extend(part.routes(desk, read).routes)
    api.routes.extend(paper.routes(desk, read, papers).routes)
    return api
