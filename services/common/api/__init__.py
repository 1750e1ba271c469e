"""What every service's HTTP API is made of. `docs/api.md` says how a route is written with it."""

from services.common.api.acting import FormId, SeenVersion, answer
from services.common.api.app import (
    Health,
    HealthReader,
    UnguardedRouteError,
    UnloggedRouteError,
    build_app,
    server,
)
from services.common.api.openapi import document
from services.common.api.reading import Listing, Reading, Showing

__all__ = [
    "FormId",
    "Health",
    "HealthReader",
    "Listing",
    "Reading",
    "SeenVersion",
    "Showing",
    "UnguardedRouteError",
    "UnloggedRouteError",
    "answer",
    "build_app",
    "document",
    "server",
]
