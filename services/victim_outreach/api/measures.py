"""Counts over a quarter, as they were published: of no woman, and none of fewer than eleven."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from schemas.commands import Role
from services.common.api import Shows, found
from services.common.auth import Needs, Person
from services.victim_outreach.api.common import Counter
from services.victim_outreach.rules.measures import OutreachTable, Quarter
from services.victim_outreach.store import measures

Counts = Annotated[Person, Depends(Needs(Role.OUTREACH_SUPERVISOR, Role.COORDINATOR))]


def add_routes(api: APIRouter, counter: Counter) -> None:
    @api.get(
        "/measures",
        response_model=list[OutreachTable],
        responses={404: {"description": "Not settled yet, or from before this system counted."}},
    )
    async def published(
        quarter: Annotated[str, Query(pattern=r"^[0-9]{4}-Q[1-4]$", examples=["2025-Q3"])],
        person: Counts,
        showing: Shows,
    ) -> Response:
        """The tables of one calendar quarter, once it has settled: 30 days after its end. A null cell is withheld."""
        async with counter.read() as conn:
            shown = found(await measures.published(conn, Quarter.parse(quarter)), "not_published")
        return await showing.answer(shown, "measures", quarter)
