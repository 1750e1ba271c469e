"""What every service's HTTP API is made of. `docs/api.md` says how a route is written with it."""

from services.common.api.acting import Form, FormId, SeenVersion, answer
from services.common.api.app import (
    Health,
    HealthReader,
    UnguardedRouteError,
    UnloggedRouteError,
    build_app,
    server,
)
from services.common.api.openapi import document
from services.common.api.reading import Listing, Lists, Reader, Reading, Showing, Shows, found

__all__ = [
    "Form",
    "FormId",
    "Health",
    "HealthReader",
    "Listing",
    "Lists",
    "Reader",
    "Reading",
    "SeenVersion",
    "Showing",
    "Shows",
    "UnguardedRouteError",
    "UnloggedRouteError",
    "answer",
    "build_app",
    "document",
    "found",
    "server",
]
