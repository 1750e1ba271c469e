"""What officers, coordinators and prosecutors do. Acts go to the log; lists come from SQL."""

from __future__ import annotations

from fastapi import APIRouter

from services.notifier.api import call_ins, enforcement, helping, notices
from services.notifier.api.acting import NotifierDesk, Reader


def router(desk: NotifierDesk, read: Reader) -> APIRouter:
    """Routes of the notifier's API. `read` opens a connection to its database."""
    api = APIRouter()
    for part in (notices, helping, enforcement, call_ins):
        api.routes.extend(part.routes(desk, read).routes)
    return api
