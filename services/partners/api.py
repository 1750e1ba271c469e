"""What partners say of what they were sent, and what whoever answers for them is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from pydantic import Field
from starlette.responses import JSONResponse

from schemas.commands import ConfirmNote, Role
from schemas.partner import PartnerKind
from schemas.partner_file import Partner
from services.common.api import Form, FormId, Lists, Reader, answer, found
from services.common.auth import Needs, Person
from services.common.desk import Desk
from services.common.paging import Slice
from services.partners.rules import has_lapsed
from services.partners.store import Counts, NoteLine, counts, note_lines, offender_of_note

OVERSEERS = frozenset({Role.COORDINATOR, Role.OPERATOR})
PARTNER = frozenset({Role.PARTNER})


@dataclass(frozen=True, slots=True)
class Office:
    """One partner: where its confirmations are handed in, and what SQL has of it."""

    partner: Partner
    desk: Desk
    read: Reader


class ConfirmForm(Form):
    """What a note asked for is done: everything it names is gone."""

    note_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """`ce_id` of the note."""


@dataclass(frozen=True, slots=True)
class PartnerLine(Counts):
    """One partner, and how it stands with it."""

    partner: str
    kind: PartnerKind
    expires: date
    lapsed: bool


def router(offices: Mapping[str, Office]) -> APIRouter:
    """Routes under `/partners`. A partner's credential opens its own and no other's."""
    api = APIRouter(prefix="/partners")

    @api.get("", dependencies=[Depends(Needs(*OVERSEERS))], response_model=list[PartnerLine])
    async def list_partners(listing: Lists) -> Response:
        after = listing.page.after or ""
        ids = [each for each in sorted(offices) if each > after]
        shown = [await _line(offices[each]) for each in ids[: listing.page.limit]]
        more = shown[-1].partner if len(ids) > len(shown) else None
        return await listing.answer(Slice(shown, more), "partner", lambda line: line.partner)

    @api.get("/{partner_id}/notes", response_model=list[NoteLine])
    async def list_notes(
        partner_id: str,
        listing: Lists,
        person: Annotated[Person, Depends(Needs(*OVERSEERS, *PARTNER))],
        confirmed: Annotated[bool | None, Query()] = None,
    ) -> Response:
        async with _office(partner_id, person).read() as conn:
            page = await note_lines(conn, listing.page, confirmed)
        return await listing.answer(page, "partner_note", lambda line: line.note_id)

    @api.post("/{partner_id}/confirmations")
    async def confirm(
        partner_id: str, form: ConfirmForm, form_id: FormId, person: Annotated[Person, Depends(Needs(*PARTNER))]
    ) -> JSONResponse:
        office = _office(partner_id, person)
        async with office.read() as conn:
            offender_id = found(await offender_of_note(conn, form.note_id), "unknown_note")
        command = ConfirmNote(
            offender_id=offender_id, by=person.name, role=Role.PARTNER, partner=partner_id, note_id=form.note_id
        )
        return answer(await office.desk.submit(command, form_id=form_id, offender_id=offender_id))

    def _office(partner_id: str, person: Person) -> Office:
        """Of others a partner is not even told whether they are there."""
        own = OVERSEERS & person.roles or person.partner == partner_id
        if not own or partner_id not in offices:
            raise HTTPException(404, "unknown_partner")
        return offices[partner_id]

    return api


async def _line(office: Office) -> PartnerLine:
    async with office.read() as conn:
        now = await counts(conn)
    partner = office.partner
    lapsed = now.clock is not None and has_lapsed(partner, now.clock)
    return PartnerLine(**asdict(now), partner=partner.id, kind=partner.kind, expires=partner.expires, lapsed=lapsed)
