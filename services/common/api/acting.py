"""How a route takes a person's act, and answers it: with what became of the command."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse

from services.common.desk import KEY_REUSED, Reply, Standing
from services.common.problems import problem
from services.common.versions import STALE

FormId = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$")]
"""Made with the form, not with the request, so that a form sent twice is one command."""


class Form(BaseModel):
    """What a person fills in. A field nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def seen_version(if_match: Annotated[str | None, Header(max_length=64)] = None) -> str | None:
    """The version in `If-Match`, as `ETag` or a list gave it; None without the header, or with `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    version = if_match.strip().strip('"')
    if not version.isalnum() or not version.isascii():  # weak, or several: none of ours
        raise HTTPException(422, "if_match_not_one_version")
    return version


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
