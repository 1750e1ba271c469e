"""How a route shows records: as JSON or CSV, in pages, with a version, and never without writing down who was shown what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.api import tables
from services.common.auth import Person
from services.common.paging import Page, Slice
from services.common.reads import Purpose, Read, ReadLog

T = TypeVar("T")

MAX_LIMIT = 500

Reader = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens a connection to the service's database."""


def found(one: T | None, code: str) -> T:
    """What was asked for. 404 with this code where there is none."""
    if one is None:
        raise HTTPException(404, code)
    return one


class Reading:
    """What a route that shows records depends on; without it the application does not start."""

    def __init__(self, request: Request) -> None:
        self._request = request

    @property
    def person(self) -> Person:
        """Who reads."""
        found: Person = self._request.state.person
        return found

    @property
    def reads(self) -> ReadLog:
        """Where it is written down."""
        found: ReadLog = self._request.app.state.reads
        return found

    async def log(self, kind: str, records: Iterable[str], purpose: Purpose = Purpose.CASE_WORK) -> None:
        """Write down that the caller is shown these records. Before they are shown: if it fails, they are not."""
        route = self._request.scope["route"].path
        await self.reads.write([Read(self.person.name, route, kind, record, purpose) for record in records])


class Showing(Reading):
    """For one record: `return await showing.answer(record, "task", task_id, version=...)`."""

    async def answer(self, shown: Any, kind: str, record: str, version: str | None = None) -> Response:
        """The record as JSON. `version` goes out as `ETag`, to come back as `If-Match` of an act on it."""
        await self.log(kind, [record])
        return JSONResponse(_plain(shown), headers={"ETag": f'"{version}"'} if version else None)

    async def several(self, shown: Sequence[T], kind: str, record: Callable[[T], str]) -> Response:
        """The few records that were sought, and all of them: no pages."""
        await self.log(kind, [record(item) for item in shown])
        return JSONResponse([_plain(item) for item in shown])


class Listing(Reading):
    """For a list: `page` says which part is asked for, `answer` gives it as JSON or, on `Accept: text/csv`, as CSV."""

    def __init__(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
        after: Annotated[str | None, Query(max_length=2_000)] = None,
        accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> None:
        super().__init__(request)
        self.page = Page(limit, after)
        self._csv = _prefers_csv(accept or "")

    async def answer(
        self, shown: Slice[T], kind: str, record: Callable[[T], str], purpose: Purpose = Purpose.CASE_WORK
    ) -> Response:
        """`record` is an item's id. Where there is more, header `Link` says where (`rel="next"`, RFC 8288)."""
        await self.log(kind, [record(item) for item in shown.items], purpose)
        headers = {"Link": f'<{self._next(shown.next)}>; rel="next"'} if shown.next else {}
        rows = [_plain(item) for item in shown.items]
        if not self._csv:
            return JSONResponse(rows, headers={**headers, "Vary": "Accept"})
        names = list(dict.fromkeys(name for row in rows for name in row))
        headers |= {"Content-Disposition": f'attachment; filename="{kind}.csv"', "Vary": "Accept"}
        return Response(tables.as_csv(names, rows), headers=headers, media_type=tables.MEDIA_TYPE)

    def _next(self, cursor: str) -> str:
        """Relative, so that it holds whatever stands in front."""
        kept = [(name, value) for name, value in self._request.query_params.multi_items() if name != "after"]
        return f"?{urlencode([*kept, ('after', cursor)])}"


Lists = Annotated[Listing, Depends()]
Shows = Annotated[Showing, Depends()]


def _plain(value: Any) -> Any:
    return TypeAdapter(type(value)).dump_python(value, mode="json")


def _prefers_csv(accept: str) -> bool:
    """Whether CSV is asked for by name, and JSON not more."""
    wanted: dict[str, float] = {}
    for part in accept.split(","):
        kind, _, rest = part.partition(";")
        quality = next((one.partition("=")[2] for one in rest.split(";") if one.strip().startswith("q=")), "1")
        try:
            wanted[kind.strip().lower()] = float(quality)
        except ValueError:
            continue
    return wanted.get("text/csv", 0.0) > wanted.get("application/json", 0.0)
