"""How a route answers a person's act: with what became of the command."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header
from pydantic import BaseModel
from starlette.responses import JSONResponse

from services.common.api.reading import seen_version
from services.common.desk import KEY_REUSED, Reply, Standing
from services.common.problems import problem
from services.common.versions import STALE

FormId = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$")]
"""Made with the form, not with the request, so that a form sent twice is one command."""
SeenVersion = Annotated[str | None, Depends(seen_version)]
"""Version of the record that the person saw (`If-Match`), for the command's `expects`."""

_STATUS = {Standing.APPLIED: 200, Standing.ACCEPTED: 202, Standing.REFUSED: 409, Standing.UNAVAILABLE: 503}
_BY_CODE = {STALE: 412, KEY_REUSED: 422}


class Told(BaseModel):
    """`applied`: it has taken effect. `accepted`: it is in the log and will; the same form again tells the outcome."""

    standing: Standing
    command_id: str


def answer(reply: Reply) -> JSONResponse:
    """200 applied, 202 not applied yet; a problem where it is refused (409, 412 stale, 422 key reused) or not taken (503)."""
    status = _STATUS[reply.standing]
    if status < 300:
        return JSONResponse(Told(standing=reply.standing, command_id=reply.command_id).model_dump(mode="json"), status)
    code = reply.code or str(reply.standing)
    headers = {"Retry-After": "1"} if reply.standing is Standing.UNAVAILABLE else None
    more = {"standing": str(reply.standing), "command_id": reply.command_id}
    return problem(_BY_CODE.get(code, status) if reply.standing is Standing.REFUSED else status, code, headers, **more)
