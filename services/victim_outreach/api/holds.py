"""Safety holds in force, soonest end first: what is found by whoever was called because one ends."""

from __future__ import annotations

from fastapi import APIRouter, Response

from services.common.api import Lists
from services.victim_outreach.api.common import Counter, Holder, lifts, sight
from services.victim_outreach.store import HoldInForce, holds_in_force


def add_routes(api: APIRouter, counter: Counter) -> None:
    @api.get("/holds", response_model=list[HoldInForce])
    async def list_holds(person: Holder, listing: Lists, *, ending: bool | None = None) -> Response:
        """`ending`: those whose end is near, until they are renewed or lifted on the page of a case."""
        async with counter.read() as conn:
            found = await holds_in_force(
                conn, sight(person), listing.page, person=person.name, lifts=lifts(person), ending=ending
            )
        await listing.log("case", [case_id for one in found.items for case_id in one.case_ids])
        return await listing.answer(found, "hold", lambda one: one.hold_id)
