"""One HTTP application per service: every route behind a credential and a role, and answers without personal data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Annotated

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic_core import ErrorDetails
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from schemas.commands import Role
from services.common.auth import Guard, Needs, Tokens
from services.common.desk import Reply, Standing
from services.common.errors import IpviError

FormId = Annotated[str, Header(alias="Idempotency-Key", min_length=8, max_length=128)]
"""Made with the form, not with the request, so that a form sent twice is one command."""

_MAX_BODY_BYTES = 64 * 1024
_STATUS = {Standing.APPLIED: 200, Standing.ACCEPTED: 202, Standing.REFUSED: 409, Standing.UNAVAILABLE: 503}


@dataclass(frozen=True, slots=True)
class Health:
    """`healthy`: work moves on, not just a process that is there. `ready`: caught up with what was there at start."""

    healthy: bool
    ready: bool
    lanes: Mapping[str, str] = field(default_factory=dict)
    """Number of the lane to what it is doing, or the code why it refuses."""


HealthReader = Callable[[], Awaitable[Health]]


class UnguardedRouteError(IpviError):
    """A route that names no role; the application does not start with it."""


def build_app(
    name: str, routers: Iterable[APIRouter], tokens: Tokens, health: HealthReader, metrics: CollectorRegistry
) -> FastAPI:
    """The application of service `name`. Raises `UnguardedRouteError` where a route does not say who may call it."""
    app = FastAPI(title=f"ipvi {name}", docs_url=None, redoc_url=None, openapi_url=None, max_body_size=_MAX_BODY_BYTES)
    for router in (*routers, _operations(health, metrics)):
        for route in router.routes:
            if not isinstance(route, APIRoute) or not _names_a_role(route.dependant):
                raise UnguardedRouteError(f"{name}: route {getattr(route, 'path', '(no path)')} names no role")
        app.include_router(router)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(SQLAlchemyError, _store_unreachable)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(Guard, tokens=tokens)
    return app


def answer(reply: Reply) -> JSONResponse:
    """What a person's command came to: 200 applied, 202 not applied yet, 409 refused with its code, 503 not taken."""
    return JSONResponse(asdict(reply), _STATUS[reply.standing])


class Server(uvicorn.Server):
    """uvicorn inside a process that has its own way with signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def server(app: FastAPI, host: str, port: int) -> Server:
    """Ready to `serve()`; `should_exit = True` ends it. No access log: paths and times there would be a trail."""
    return Server(uvicorn.Config(app, host=host, port=port, access_log=False, log_config=None, server_header=False))


def _operations(health: HealthReader, metrics: CollectorRegistry) -> APIRouter:
    router = APIRouter(dependencies=[Depends(Needs(Role.OPERATOR))])

    @router.get("/health")
    async def healthy() -> JSONResponse:
        now = await health()
        return JSONResponse(asdict(now), 200 if now.healthy else 503)

    @router.get("/ready")
    async def ready() -> JSONResponse:
        now = await health()
        return JSONResponse(asdict(now), 200 if now.ready else 503)

    @router.get("/metrics")
    async def measured() -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    return router


def _names_a_role(dependant: Dependant) -> bool:
    return isinstance(dependant.call, Needs) or any(_names_a_role(inner) for inner in dependant.dependencies)


async def _invalid(request: Request, failed: Exception) -> JSONResponse:
    """Which field is wrong and how; never what was sent, which is personal data."""
    errors = failed.errors() if isinstance(failed, RequestValidationError) else ()
    return JSONResponse({"code": "invalid", "fields": [_field(error) for error in errors]}, 422)


def _field(error: ErrorDetails) -> dict[str, str]:
    # The name of a field nobody asked for is the sender's own, and could say anything.
    loc = error["loc"][:-1] if error["type"] == "extra_forbidden" else error["loc"]
    return {"field": ".".join(str(part) for part in loc), "problem": error["type"]}


async def _refused(request: Request, failed: Exception) -> JSONResponse:
    assert isinstance(failed, HTTPException)  # registered for this class alone
    return JSONResponse({"code": _slug(failed.detail)}, failed.status_code, failed.headers)


def _slug(detail: str) -> str:
    return detail.lower().replace(" ", "_")


async def _store_unreachable(request: Request, failed: Exception) -> JSONResponse:
    return JSONResponse({"code": "store_unreachable"}, 503)


async def _failed(request: Request, failed: Exception) -> JSONResponse:
    return JSONResponse({"code": "failed"}, 500)
