"""Cases: how she may be reached, how much danger she is in, what she allows; holds; who she is in other records."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field
from starlette.responses import JSONResponse

from schemas.advocacy import (
    Address,
    Answer,
    ChannelSafety,
    CloseCase,
    ConsentRecipient,
    ConsentScope,
    ContactSafety,
    GiveConsent,
    Language,
    LinkCommand,
    LinkVictims,
    RecordSafeContact,
    RecordScreen,
    ReopenCase,
    RevokeConsent,
    SafeHours,
    UnlinkVictims,
    Words,
)
from schemas.calendar import Clock, Weekday
from schemas.commands import LiftSafetyHold, OverrideGate, OverrideReason, SafetyHold
from schemas.envelope import deterministic_id
from schemas.incident import Identifier
from schemas.outreach import CaseCloseReason, CaseReopenReason, ContactChannel
from services.common.api import Form, FormId, Lists, Shows, found
from services.common.auth import Person
from services.victim_outreach.api.common import (
    WORKERS,
    Advocate,
    Counter,
    Holder,
    Linker,
    Overrider,
    Worker,
    acting,
    lifts,
    sight,
)
from services.victim_outreach.rules import ADVOCATES, HOLDERS, LINKERS, OVERRIDERS
from services.victim_outreach.store import (
    Candidate,
    Case,
    CaseLine,
    Sight,
    candidates,
    case_list,
    consent_at,
    offender_of_pair,
    offenders_of,
    shown_case,
)


class ChannelForm(Form):
    """One way to reach her."""

    channel: ContactChannel
    safety: ContactSafety
    address: Address | None = None


class HoursForm(Form):
    """On these days, from `start` until before `end`."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    start: Clock
    end: Clock


class SafeContactForm(Form):
    """How she may be reached, asked anew and whole. A way that is not named is unknown, and one she had forbidden stays so."""

    channels: Annotated[list[ChannelForm], Field(max_length=len(ContactChannel))] = []
    hours: Annotated[list[HoursForm], Field(max_length=21)] = []
    no_contact: bool
    """Whether she is not to be contacted at all: to be said each time, since `false` ends it."""
    instructions: Words | None = None
    language: Language | None = None
    valid_until: AwareDatetime | None = None


class ScreenForm(Form):
    """Eleven answers in the order of the form, or none: she declined."""

    answers: Annotated[list[Answer], Field(max_length=11)] = []
    believed: bool = False


class ConsentForm(Form):
    """What she signed: what may be told, to whom, until when."""

    scope: ConsentScope
    recipient: ConsentRecipient
    named: Words
    until: AwareDatetime
    signed: bool


class ReopenForm(Form):
    """Why there is something to be done after all, from a closed list."""

    reason: CaseReopenReason


class CloseForm(Form):
    """Why nothing more is to be done, from a closed list."""

    reason: CaseCloseReason


class LinkForm(Form):
    """Two victim ids."""

    victim_id: Identifier
    other_victim_id: Identifier


class OverrideForm(Form):
    """Why the gate is to open without the outreach done, from a closed list."""

    reason: OverrideReason


def add_routes(api: APIRouter, counter: Counter) -> None:
    _add_case(api, counter)
    _add_records(api, counter)
    _add_links(api, counter)
    _add_holds(api, counter)


def _add_case(api: APIRouter, counter: Counter) -> None:
    @api.get("/cases", response_model=list[CaseLine])
    async def list_cases(person: Worker, listing: Lists, *, closed: bool | None = None) -> Response:
        """Those with a task you may see."""
        async with counter.read() as conn:
            cases = await case_list(conn, sight(person), listing.page, closed=closed)
        return await listing.answer(cases, "case", lambda line: line.case_id)

    @api.get("/cases/{case_id}", response_model=Case)
    async def show_case(case_id: str, person: Worker, showing: Shows) -> Response:
        seen = Sight(sight(person), bool(person.roles & HOLDERS), bool(person.roles & ADVOCATES), lifts(person))
        async with counter.read() as conn:
            case = await shown_case(conn, case_id, seen, counter.clock())
        return await showing.answer(found(case, "unknown_case"), "case", case_id)

    @api.post("/cases/{case_id}/close")
    async def close(case_id: str, form: CloseForm, form_id: FormId, person: Advocate) -> JSONResponse:
        common = await counter.on_case(case_id, person, ADVOCATES)
        return await counter.submit(CloseCase(**common, case_id=case_id, reason=form.reason), form_id)

    @api.post("/cases/{case_id}/reopen")
    async def reopen(case_id: str, form: ReopenForm, form_id: FormId, person: Advocate) -> JSONResponse:
        common = await counter.on_case(case_id, person, ADVOCATES)
        return await counter.submit(ReopenCase(**common, case_id=case_id, reason=form.reason), form_id)


def _add_records(api: APIRouter, counter: Counter) -> None:
    @api.post("/cases/{case_id}/safe-contact")
    async def safe_contact(case_id: str, form: SafeContactForm, form_id: FormId, person: Worker) -> JSONResponse:
        common = await counter.on_case(case_id, person, WORKERS)
        profile = RecordSafeContact(
            **common,
            case_id=case_id,
            channels=[ChannelSafety(**one.model_dump()) for one in form.channels],
            hours=[SafeHours(**one.model_dump()) for one in form.hours],
            no_contact=form.no_contact,
            instructions=form.instructions,
            language=form.language,
            valid_until=form.valid_until,
        )
        return await counter.submit(profile, form_id)

    @api.post("/cases/{case_id}/screens")
    async def screen(case_id: str, form: ScreenForm, form_id: FormId, person: Advocate) -> JSONResponse:
        common = await counter.on_case(case_id, person, ADVOCATES)
        answered = RecordScreen(**common, case_id=case_id, answers=form.answers, believed=form.believed)
        return await counter.submit(answered, form_id)

    @api.post("/cases/{case_id}/consents")
    async def consent(case_id: str, form: ConsentForm, form_id: FormId, person: Advocate) -> JSONResponse:
        common = await counter.on_case(case_id, person, ADVOCATES)
        consent_id = deterministic_id("consent", case_id, person.name, form_id)
        given = GiveConsent(**common, case_id=case_id, consent_id=consent_id, **form.model_dump())
        return await counter.submit(given, form_id)

    @api.post("/cases/{case_id}/consents/{consent_id}/revoke")
    async def revoke(case_id: str, consent_id: str, form_id: FormId, person: Advocate) -> JSONResponse:
        """Wherever it is kept: she may take it back on any case of hers."""
        common = await counter.on_case(case_id, person, ADVOCATES)
        async with counter.read() as conn:
            kept = await consent_at(conn, case_id, consent_id)
        offender_id, at = kept or (common["offender_id"], case_id)
        common["offender_id"] = offender_id
        return await counter.submit(RevokeConsent(**common, case_id=at, consent_id=consent_id), form_id)


def _add_links(api: APIRouter, counter: Counter) -> None:
    async def linking(case_id: str, form: LinkForm, person: Person, model: type[LinkCommand]) -> LinkCommand:
        common = await counter.on_case(case_id, person, LINKERS)
        both = {form.victim_id, form.other_victim_id}
        async with counter.read() as conn:
            also = await offenders_of(conn, both) - {common["offender_id"]}
        return model(**common, **form.model_dump(), also=sorted(also))

    @api.get("/cases/{case_id}/candidates", response_model=list[Candidate])
    async def list_candidates(case_id: str, person: Linker, showing: Shows) -> Response:
        """Other victim ids that may be hers. A person decides."""
        await counter.on_case(case_id, person, LINKERS)
        async with counter.read() as conn:
            alike = await candidates(conn, case_id)
        await showing.log("victim", [one.victim_id for one in alike])
        return await showing.answer(alike, "case", case_id)

    @api.post("/cases/{case_id}/links")
    async def link(case_id: str, form: LinkForm, form_id: FormId, person: Linker) -> JSONResponse:
        return await counter.submit(await linking(case_id, form, person, LinkVictims), form_id)

    @api.post("/cases/{case_id}/links/undo")
    async def unlink(case_id: str, form: LinkForm, form_id: FormId, person: Linker) -> JSONResponse:
        return await counter.submit(await linking(case_id, form, person, UnlinkVictims), form_id)


def _add_holds(api: APIRouter, counter: Counter) -> None:
    @api.post("/cases/{case_id}/holds")
    async def hold(case_id: str, form_id: FormId, person: Holder) -> JSONResponse:
        common = await counter.on_case(case_id, person, HOLDERS, unseen=True)
        hold_id = deterministic_id("hold", case_id, person.name, form_id)
        return await counter.submit(SafetyHold(**common, hold_id=hold_id, case_id=case_id), form_id)

    @api.post("/cases/{case_id}/holds/{hold_id}/renew")
    async def renew(case_id: str, hold_id: str, form_id: FormId, person: Holder) -> JSONResponse:
        common = await counter.on_case(case_id, person, HOLDERS, unseen=True)
        return await counter.submit(SafetyHold(**common, hold_id=hold_id, case_id=case_id), form_id)

    @api.post("/cases/{case_id}/holds/{hold_id}/lift")
    async def lift(case_id: str, hold_id: str, form_id: FormId, person: Holder) -> JSONResponse:
        common = await counter.on_case(case_id, person, HOLDERS, unseen=True)
        return await counter.submit(LiftSafetyHold(**common, hold_id=hold_id, case_id=case_id), form_id)

    @api.post("/pairs/{pair_id}/override")
    async def override(pair_id: str, form: OverrideForm, form_id: FormId, person: Overrider) -> JSONResponse:
        async with counter.read() as conn:
            offender_id = await offender_of_pair(conn, pair_id)
        common = acting(person, OVERRIDERS, found(offender_id, "unknown_pair"))
        return await counter.submit(OverrideGate(**common, pair_id=pair_id, reason=form.reason), form_id)
