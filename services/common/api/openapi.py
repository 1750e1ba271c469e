"""The OpenAPI document of a service, with what is true of every route: credential, problems, pages, answers to acts."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from services.common.api import tables
from services.common.api.acting import Told
from services.common.api.reading import Listing, Showing
from services.common.problems import MEDIA_TYPE, Problem

Json = dict[str, Any]

_ALWAYS = {
    "400": "The request cannot be read.",
    "401": "No known credential.",
    "403": "No role of the caller's may do this.",
    "409": "Refused as things stand; `code` says why.",
    "422": "The request is not valid; `fields` says where.",
    "429": "Too often; see `Retry-After`.",
    "503": "The service cannot tell or take this now.",
}
_ON_ACT = {"412": "The record has changed since its version in `If-Match` (code `stale`)."}
_ON_BODY = {
    "408": "The body did not come within 10 s.",
    "413": "The body is over 64 KiB.",
}
_NOT_FOUND = {"404": "There is none, or the caller may not see it."}


def document(app: FastAPI) -> Json:
    """OpenAPI 3.1. The same for every caller."""
    made = app.openapi()
    if "securitySchemes" in made.get("components", {}):
        return made  # FastAPI keeps it
    _, models = models_json_schema(
        [(Problem, "serialization"), (Told, "serialization")], ref_template="#/components/schemas/{model}"
    )
    components = made.setdefault("components", {})
    components.setdefault("schemas", {}).update(models["$defs"])
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    lists = {path for path, route in routes(app) if _is_list(route)}
    searches = {path for path, route in routes(app) if "POST" in (route.methods or ()) and _shows(route)}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            is_act = method != "get" and path not in searches
            _complete(operation, path, method, is_act=is_act, is_list=path in lists and method == "get")
    return made


def _complete(operation: Json, path: str, method: str, *, is_act: bool, is_list: bool) -> None:
    responses = operation["responses"]
    sent = {} if method == "get" else _ON_BODY | (_ON_ACT if is_act else {})
    problems = _ALWAYS | sent | (_NOT_FOUND if "{" in path else {})
    for status, description in problems.items():
        responses[status] = {"description": description, "content": {MEDIA_TYPE: {"schema": _ref("Problem")}}}
    if is_act:
        told = {"application/json": {"schema": _ref("Told")}}
        responses["200"] = {"description": "Applied.", "content": told}
        responses["202"] = {"description": "In the log, not applied yet: send the same form again.", "content": told}
    elif is_list:
        responses["200"]["content"][tables.MEDIA_TYPE] = {"schema": {"type": "string"}}
        responses["200"]["headers"] = {
            "Link": {"description": 'Where the next page is, `rel="next"`.', "schema": {"type": "string"}}
        }


def _ref(model: str) -> Json:
    return {"$ref": f"#/components/schemas/{model}"}


def routes(app: FastAPI) -> list[tuple[str, APIRoute]]:
    """Every route with its whole path."""
    found = []
    for included in app.router.routes:
        for context in getattr(included, "effective_route_contexts", lambda: ())():
            if isinstance(context.original_route, APIRoute):
                found.append((context.path_format, context.original_route))
    return found


def _is_list(route: APIRoute) -> bool:
    return any(inner.call is Listing for inner in route.dependant.dependencies)


def _shows(route: APIRoute) -> bool:
    """Of a `POST`: what is sought stands in the body, and it is no act."""
    return any(inner.call is Showing for inner in route.dependant.dependencies)
