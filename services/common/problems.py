"""Errors as problem details (RFC 9457), each with a stable code, and nothing of what was sent or held."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import ErrorDetails
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from services.common.paging import BadCursorError

MEDIA_TYPE = "application/problem+json"

_CODE = re.compile(r"[a-z][a-z0-9_]{1,63}")
_BY_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
}


class WrongField(BaseModel):
    """Which field, and what is wrong with it; never its value."""

    field: str
    problem: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `type` is made of it and is no address; `title` is for people and may change."""

    type: str
    title: str
    status: int
    code: str
    fields: list[WrongField] | None = None
    """Where the request is not valid."""
    standing: str | None = None
    """Of a command: `refused` or `unavailable`."""
    command_id: str | None = None


def problem(status: int, code: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """The answer that something is wrong. `more`: further members of `Problem`."""
    told = Problem(
        type=f"urn:ipvi:problem:{code}", title=code.replace("_", " ").capitalize(), status=status, code=code, **more
    )
    return JSONResponse(told.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Every error of the application is told as a problem."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(BadCursorError, _bad_cursor)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(SQLAlchemyError, _store_unreachable)
    app.add_exception_handler(Exception, _failed)


async def _invalid(request: Request, failed: Exception) -> JSONResponse:
    errors = failed.errors() if isinstance(failed, RequestValidationError) else ()
    return problem(422, "invalid", fields=[_field(error) for error in errors])


def _field(error: ErrorDetails) -> WrongField:
    # The name of a field nobody asked for is the sender's own, and could say anything.
    loc = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return WrongField(field=".".join(str(part) for part in loc), problem=error["type"])


async def _bad_cursor(request: Request, failed: Exception) -> JSONResponse:
    return problem(422, "invalid", fields=[WrongField(field="query.after", problem="cursor")])


async def _refused(request: Request, failed: Exception) -> JSONResponse:
    """The detail is the code, where one of ours raised it; a framework's sentence is none."""
    assert isinstance(failed, HTTPException)  # registered for this class alone
    known = _CODE.fullmatch(str(failed.detail))
    code = known[0] if known else _BY_STATUS.get(failed.status_code, "refused")
    headers = {"Allow": _allowed(request)} if failed.status_code == 405 else failed.headers
    return problem(failed.status_code, code, headers)


def _allowed(request: Request) -> str:
    """The methods of every route of this path; the framework names those of the first."""
    methods = {
        method
        for pattern, methods in getattr(request.app.state, "methods", ())
        if pattern.match(request.scope["path"])
        for method in methods
    }
    return ", ".join(sorted(methods))


async def _store_unreachable(request: Request, failed: Exception) -> JSONResponse:
    return problem(503, "store_unreachable", {"Retry-After": "1"})


async def _failed(request: Request, failed: Exception) -> JSONResponse:
    return problem(500, "failed")
