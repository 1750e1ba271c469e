"""The published contract, to browse: what a partner may subscribe to, field by field, with schemas and examples beside it.

Read only. It holds no record and no person: whoever is known here may read it, and no reading of it is written down.
"""

from __future__ import annotations

from functools import cache
from pathlib import PurePosixPath

from fastapi import APIRouter, Depends, HTTPException, Response

from schemas.commands import Role
from schemas.generate.site import site
from services.common.auth import Needs

MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json", ".yaml": "application/yaml"}
_STRICT = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
"""Nothing is loaded from anywhere, and no script runs."""


def router() -> APIRouter:
    """`/contract/`, and the files that it links to."""
    pages = APIRouter(prefix="/contract", dependencies=[Depends(Needs(*Role))])

    @pages.get("", status_code=307, response_class=Response, include_in_schema=False)
    async def with_a_slash() -> Response:
        return Response(status_code=307, headers={"Location": "contract/"})  # relative: links are, too

    @pages.get("/", response_class=Response, responses={200: {"content": {"text/html": {}}}})
    async def front_page() -> Response:
        return _file("index.html")

    @pages.get("/{path:path}", response_class=Response, responses={200: {"content": {"*/*": {}}}})
    async def one_file(path: str) -> Response:
        return _file(path)

    return pages


@cache
def _files() -> dict[str, bytes]:
    return {path: text.encode() for path, text in site().items()}


def _file(path: str) -> Response:
    """Of those there are; a path is looked up and never opened."""
    content = _files().get(path)
    if content is None:
        raise HTTPException(404, "not_found")
    return Response(content, media_type=MEDIA_TYPES[PurePosixPath(path).suffix], headers=_STRICT)
