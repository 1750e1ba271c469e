"""Routes of paper: the letter that he will be given, and the packet for a court.

A letter is kept before anybody has it: printing is an act, and what it kept is read afterwards by its hash.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, HTTPException, Response
from starlette.responses import JSONResponse

from schemas.commands import PrintLetter
from schemas.envelope import Data, Event
from services.common.api import Form, FormId, Reader, SeenVersion, Shows, found
from services.common.auth import Needs, Person
from services.common.policies import Prevailing
from services.common.signoffs import NotSignedError
from services.notifier.api.acting import Acts, NotifierDesk
from services.notifier.domain import Notice, Offender
from services.notifier.letters import (
    LetterBook,
    LetterError,
    Made,
    Meeting,
    Service,
    audit_of,
    letter_of,
    service_packet,
)
from services.notifier.store import KeptLetter, NotifierStore, kept_letter, said_of
from services.notifier.usecases import CANCELLERS, SERVERS

Server = Annotated[Person, Depends(Needs(*SERVERS))]
STORE = NotifierStore()


class PrintForm(Form):
    """The day of the delivery round: it is printed as the letter's date, and never a day of the incident's."""

    dated: date


@dataclass(frozen=True, slots=True)
class Papers:
    """What letters are made of: the county's wordings, and the policy whose zone a day or an hour is printed in."""

    book: LetterBook
    policies: Prevailing


def routes(desk: NotifierDesk, read: Reader, papers: Papers | None) -> APIRouter:
    """Under `/notifications/...`. `papers` None: no county's letters are set up, and there is no paper (409)."""
    api = APIRouter(prefix="/notifications")
    acts = Acts(desk, read)

    @api.post("/{notification_id}/letter")
    async def print_letter(
        notification_id: str, form: PrintForm, form_id: FormId, person: Server, version: SeenVersion
    ) -> JSONResponse:
        """Makes the letter and keeps it; `GET .../letters` names it, `GET .../letters/{sha256}` is the PDF."""
        common = await acts.on("notification", notification_id, person, SERVERS, version)
        offender, notice = await _file(common["offender_id"], notification_id)
        made = await asyncio.to_thread(_made, offender, notice, form.dated, await _zone())
        command = PrintLetter(
            **common,
            dated=form.dated,
            content=b64encode(made.content).decode(),
            sha256=made.sha256,
            template=made.template,
            version=made.version,
            template_sha256=made.template_sha256,
        )
        return await acts.submit(command, form_id)

    @api.get("/{notification_id}/letters", dependencies=[Depends(Needs(*SERVERS))], response_model=list[str])
    async def list_letters(notification_id: str, showing: Shows) -> Response:
        """SHA-256 of each letter that was printed, the latest last."""
        _, notice = await _file(await acts.owner("notification", notification_id, showing.person), notification_id)
        return await showing.answer([one.sha256 for one in notice.printed], "notification", notification_id)

    @api.get("/{notification_id}/letters/{sha256}", dependencies=[Depends(Needs(*SERVERS))], response_class=Response)
    async def show_letter(notification_id: str, sha256: str, showing: Shows) -> Response:
        kept = await _kept(notification_id, sha256, showing.person)
        await showing.log("letter", [notification_id])
        return _attached(kept.content, "letter.pdf", "application/pdf")

    @api.get("/{notification_id}/packet", dependencies=[Depends(Needs(*CANCELLERS))], response_class=Response)
    async def show_packet(notification_id: str, showing: Shows) -> Response:
        """The service packet for a court, as ZIP."""
        _, notice = await _file(await acts.owner("notification", notification_id, showing.person), notification_id)
        kept = await _kept(notification_id, notice.letter_sha256 or "none", showing.person)
        async with read() as conn:
            said = await said_of(conn, notice.pair_id)
        packet = await asyncio.to_thread(_packet, notice, kept, said, await _zone())
        await showing.log("packet", [notification_id])
        return _attached(packet, "packet.zip", "application/zip")

    def _made(offender: Offender, notice: Notice, dated: date, zone: tzinfo) -> Made:
        seat = notice.seat
        local = seat.starts_at.astimezone(zone) if seat is not None else None
        try:
            meeting = Meeting(on=local.date(), at=local.time(), place=seat.venue) if seat and local else None
            return _county().book.render(letter_of(offender, notice, on=dated, zone=zone, meeting=meeting))
        except NotSignedError:
            raise HTTPException(409, "unsigned_template") from None
        except (LetterError, ValueError):
            raise HTTPException(409, "letter_incomplete") from None

    def _packet(notice: Notice, kept: KeptLetter, said: Sequence[Event[Data]], zone: tzinfo) -> bytes:
        assert notice.served_at is not None and notice.proof is not None, "a letter was given"
        template = _county().book.templates.get(kept.template.partition("/")[2])
        signed = _county().book.signoffs.of(template) if template is not None else None
        if template is None or template.digest != kept.template_sha256:
            signed = next(
                (one for one in _county().book.signoffs.root if one.sha256 == kept.template_sha256), None
            )  # the wording has changed since; its signature has not
        made = Made(kept.content, kept.sha256, kept.template, kept.version, kept.template_sha256, signed)
        service = Service(
            notification_id=notice.notification_id,
            letter=made,
            served_by=notice.served_by or "",
            served_at=notice.served_at,
            channel=notice.channel,
            proof=notice.proof,
            zone=zone,
            audit=audit_of(notice.notification_id, said),
        )
        try:
            return service_packet(service, _county().book.county)
        except LetterError:
            raise HTTPException(409, "letter_incomplete") from None

    async def _zone() -> tzinfo:
        return ZoneInfo((await _county().policies.now(read)).time_zone)

    def _county() -> Papers:
        if papers is None:
            raise HTTPException(409, "no_letters")
        return papers

    async def _file(offender_id: str, notification_id: str) -> tuple[Offender, Notice]:
        async with read() as conn:
            one = (await STORE.load(conn, [offender_id])).get(offender_id)
        if not isinstance(one, Offender) or notification_id not in one.notices:
            raise HTTPException(404, "unknown_notification")
        return one, one.notices[notification_id]

    async def _kept(notification_id: str, sha256: str, person: Person) -> KeptLetter:
        await acts.owner("notification", notification_id, person)
        async with read() as conn:
            return found(await kept_letter(conn, notification_id, sha256), "unknown_letter")

    return api


def _attached(content: bytes, name: str, kind: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
