"""One HTTP application per service: every route behind a credential and a role, and answers without personal data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.responses import JSONResponse
from starlette.routing import compile_path

from schemas.commands import Role
from services.common.api.bodies import MAX_BYTES, Bodies
from services.common.api.openapi import document, routes
from services.common.api.reading import Reading
from services.common.auth import Guard, Needs, Tokens
from services.common.errors import IpviError
from services.common.problems import add_handlers
from services.common.reads import ReadLog

VERSION = "/v1"


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


class UnloggedRouteError(IpviError):
    """A route that shows records and does not write down to whom; the application does not start with it."""


def build_app(
    name: str,
    routers: Iterable[APIRouter],
    tokens: Tokens,
    health: HealthReader,
    metrics: CollectorRegistry,
    reads: ReadLog,
    most_bytes: int = MAX_BYTES,
    pages: Iterable[APIRouter] = (),
) -> FastAPI:
    """The application of service `name`: `routers` under `/v1`, and what operators ask for. Bodies up to `most_bytes`.
    `pages` stand beside `/v1`, behind a role too, and show no record.

    Raises `UnguardedRouteError` where a route does not say who may call it, `UnloggedRouteError` where one that shows
    records depends on neither `Listing` nor `Showing`.
    """
    app = FastAPI(
        title=f"ipvi {name}",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(_only_known_parameters)],
    )
    app.state.reads = reads
    for router in routers:
        _check(name, router, logged=True)
        app.include_router(router, prefix=VERSION)
    for beside in (_operations(app, health, metrics), *pages):
        _check(name, beside, logged=False)
        app.include_router(beside)
    app.state.methods = [(compile_path(path)[0], route.methods or ()) for path, route in routes(app)]
    add_handlers(app)
    app.add_middleware(Bodies, most=most_bytes)
    app.add_middleware(Guard, tokens=tokens)  # the last added is the first asked
    return app


class Server(uvicorn.Server):
    """uvicorn inside a process that has its own way with signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def server(app: FastAPI, host: str, port: int) -> Server:
    """Ready to `serve()`; `should_exit = True` ends it. No access log: paths and times there would be a trail."""
    return Server(uvicorn.Config(app, host=host, port=port, access_log=False, log_config=None, server_header=False))


def _operations(app: FastAPI, health: HealthReader, metrics: CollectorRegistry) -> APIRouter:
    router = APIRouter()
    operator = [Depends(Needs(Role.OPERATOR))]

    @router.get("/health", dependencies=operator, response_model=Health)
    async def healthy() -> JSONResponse:
        now = await health()
        return JSONResponse(asdict(now), 200 if now.healthy else 503)

    @router.get("/ready", dependencies=operator, response_model=Health)
    async def ready() -> JSONResponse:
        now = await health()
        return JSONResponse(asdict(now), 200 if now.ready else 503)

    @router.get("/metrics", dependencies=operator, response_class=Response)
    async def measured() -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    @router.get(f"{VERSION}/openapi.json", dependencies=[Depends(Needs(*Role))], include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return document(app)

    return router


def _check(name: str, router: APIRouter, *, logged: bool) -> None:
    for route in router.routes:
        path = getattr(route, "path", "(no path)")
        if not isinstance(route, APIRoute) or not any(isinstance(call, Needs) for call in _calls(route.dependant)):
            raise UnguardedRouteError(f"{name}: route {path} names no role")
        if logged and "GET" in (route.methods or ()) and not any(_reads(call) for call in _calls(route.dependant)):
            raise UnloggedRouteError(f"{name}: route {path} depends on neither Listing nor Showing")


def _calls(dependant: Dependant) -> Iterator[Any]:
    return (one.call for one in _dependants(dependant))


def _reads(call: Any) -> bool:
    return isinstance(call, type) and issubclass(call, Reading)


async def _only_known_parameters(request: Request) -> None:
    """A filter that is misspelt must not show everything."""
    route = request.scope["route"]
    known = {name for one in _dependants(route.dependant) for name in (field.alias for field in one.query_params)}
    if set(request.query_params) - known:
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", "")}])


def _dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _dependants(inner)
