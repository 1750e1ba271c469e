"""What agencies' systems send, and what people ask of intake. What is taken is on the stream before it is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response
from pydantic import BaseModel
from starlette.responses import JSONResponse

from schemas.commands import Role
from schemas.envelope import deterministic_id
from services.common.api import Lists, Shows
from services.common.auth import Needs, Person
from services.common.database import Database
from services.common.paging import BadCursorError, Slice
from services.common.problems import WrongField, problem
from services.intake import checking
from services.intake.bodies import NotABatchError, UnsupportedError, units
from services.intake.domain import Feed, FeedPausedError, Terms
from services.intake.store import outbox
from services.intake.store.feeds import AgencyFeed, agency_feeds
from services.intake.store.receipts import Receipt, find_receipt
from services.intake.usecases import Sender, StreamError
from services.intake.usecases.receiving import receive
from services.intake.usecases.taking import digest_of

NAME = "api"
Sends = Annotated[Person, Depends(Needs(Role.AGENCY))]
Asks = Annotated[Person, Depends(Needs(Role.AGENCY, Role.OPERATOR))]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=8, max_length=128, pattern=r"^[\x21-\x7e]+$")]


class RejectedEvent(BaseModel):
    """`place` in what was sent, from 1. `code` and `mend` as in docs/rejects.md; never a value."""

    place: int
    code: str
    field: str | None
    mend: str


class ReceiptView(BaseModel):
    """What became of one delivery. `on_stream`: the broker has everything of it."""

    receipt_id: str
    received_at: datetime
    on_stream: bool
    events: int
    """Taken, those that were taken before among them."""
    repeated: int
    rejected: list[RejectedEvent]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes need of the service."""

    database: Database
    sender: Sender
    terms: Terms


def router(desk: Desk) -> APIRouter:
    """Routes of intake's API, under `/v1`."""
    api = APIRouter()

    @api.post("/incidents", status_code=202, response_model=ReceiptView)
    async def send(request: Request, person: Sends, key: Key = None) -> Response:
        assert person.agency is not None  # the tokens file says so
        body = await request.body()
        content_type = request.headers.get("content-type", "")
        named = {name: value for name, value in request.headers.items() if name.startswith("ce-")}
        digest = _digest(body, content_type, named)
        receipt_id = deterministic_id("receipt", person.agency, key or digest)
        try:
            found, single = units(body, content_type, named, person.agency, receipt_id)
        except UnsupportedError:
            raise HTTPException(415, "unsupported_media_type") from None
        except NotABatchError:
            raise HTTPException(422, "not_a_batch") from None
        sender = checking.Sender(person.agency, person.kinds, over_http=True)
        found = [checking.checked(unit, sender, _now(), f"receipt-{receipt_id}") for unit in found]
        try:
            receipt = await receive(
                desk.database, desk.sender, desk.terms, receipt_id, found, Feed(NAME, person.agency), digest
            )
        except FeedPausedError:
            raise HTTPException(503, "feed_paused", {"Retry-After": "600"}) from None
        except StreamError:
            raise HTTPException(503, "stream_unreachable", {"Retry-After": "5"}) from None
        if receipt.digest != digest:
            raise HTTPException(422, "key_reused")
        view = _view(receipt, on_stream=True)
        where = {"Location": f"/v1/receipts/{receipt_id}"}
        if single and view.rejected:
            wrong = view.rejected[0]
            return problem(422, wrong.code, where, fields=[WrongField(field=wrong.field or "body", problem=wrong.code)])
        return JSONResponse(view.model_dump(mode="json"), 202, where)

    @api.get("/receipts/{receipt_id}", response_model=ReceiptView)
    async def show(receipt_id: str, person: Asks, showing: Shows) -> Response:
        async with desk.database.read() as conn:
            receipt = await find_receipt(conn, receipt_id)
            oldest = await outbox.first(conn)
        if receipt is None or (person.agency not in (None, receipt.agency) and Role.OPERATOR not in person.roles):
            raise HTTPException(404, "unknown_receipt")
        view = _view(receipt, on_stream=oldest is None or oldest > receipt.upto)
        return await showing.answer(view, "receipt", receipt_id)

    @api.get("/agencies", response_model=list[AgencyFeed])
    async def list_agencies(person: Asks, listing: Lists) -> Response:
        own = None if Role.OPERATOR in person.roles else person.agency
        async with desk.database.read() as conn:
            found: Sequence[AgencyFeed] = await agency_feeds(conn, _now(), own)
        return await listing.answer(_page(found, listing), "feed", lambda feed: f"{feed.agency}:{feed.feed}")

    return api


def _page(found: Sequence[AgencyFeed], listing: Any) -> Slice[AgencyFeed]:
    """There are a few for each agency of a county: the cursor is a place in them."""
    after = listing.page.after or "0"
    if not (after.isascii() and after.isdigit() and len(after) < 7):
        raise BadCursorError
    start = int(after)
    end = start + listing.page.limit
    return Slice(found[start:end], str(end) if end < len(found) else None)


def _view(receipt: Receipt, *, on_stream: bool) -> ReceiptView:
    return ReceiptView(
        receipt_id=receipt.receipt_id,
        received_at=receipt.at,
        on_stream=on_stream,
        events=receipt.events,
        repeated=receipt.repeated,
        rejected=[RejectedEvent(**each) for each in receipt.rejects],
    )


def _digest(body: bytes, content_type: str, named: dict[str, str]) -> str:
    parts = [content_type.encode(), *(f"{name}={value}".encode() for name, value in sorted(named.items())), body]
    return digest_of(b"\n".join(parts))


def _now() -> datetime:
    return datetime.now(UTC)
