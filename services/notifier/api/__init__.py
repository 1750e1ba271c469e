"""What officers and coordinators do with notices. Acts go to the log; lists come from SQL."""

from __future__ import annotations

from fastapi import APIRouter

from services.common.desk import Desk
from services.notifier.api import enforcement, helping, notices
from services.notifier.api.acting import Reader


def router(desk: Desk, read: Reader) -> APIRouter:
    """Routes of the notifier's API. `read` opens a connection to its database."""
    api = APIRouter()
    for part in (notices.routes(desk, read), helping.routes(desk, read), enforcement.routes(desk, read)):
        api.routes.extend(part.routes)
    return api
