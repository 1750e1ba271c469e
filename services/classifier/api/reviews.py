"""What reviewers see and do: the queue, raises, D to be validated, challenges. Acts go to the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime
from starlette.responses import JSONResponse

from schemas.classification import ReviewCode, Tier
from schemas.commands import PersonCommand, Role
from schemas.incident import Identifier, IncidentId
from schemas.reviews import (
    AnswerChallenge,
    ChallengeGround,
    ChallengeListing,
    ChallengeOutcome,
    Challenger,
    ClaimReview,
    ConcludeReview,
    EndRaise,
    RaiseReason,
    RaiseTier,
    ReviewOutcome,
    ValidateD,
)
from services.classifier.domain.levers import Lever
from services.classifier.store import (
    Act,
    InForce,
    Lapsing,
    OpenReview,
    acts,
    in_force,
    lapsing,
    levers_of,
    open_reviews,
    words_on,
)
from services.classifier.usecases import CHALLENGE_DUE, REVIEWERS
from services.common.api import Form, FormId, Lists, Reader, Shows, answer, found
from services.common.auth import Needs, Person
from services.common.desk import Desk
from services.common.paging import Slice

Reviewer = Annotated[Person, Depends(Needs(*REVIEWERS))]
Lawyer = Annotated[Person, Depends(Needs(Role.PROSECUTOR, Role.COORDINATOR))]
UNCLAIMED = "nobody"


class _Form(Form):
    offender_id: Identifier


class ReviewForm(_Form):
    """Which review of whom."""

    incident_id: IncidentId
    code: ReviewCode


class ConclusionForm(ReviewForm):
    """What was found, and in which role: some reviews take one of each."""

    outcome: ReviewOutcome
    role: Role | None = None


class RaiseForm(_Form):
    """To which list, why, and until when."""

    tier: Tier
    reason: RaiseReason
    until: AwareDatetime


class EndForm(_Form):
    """Whose raise."""


class ValidationForm(_Form):
    """Whose D."""


class ChallengeForm(_Form):
    """Who disputes what."""

    challenger: Challenger
    ground: ChallengeGround


class AnswerForm(_Form):
    """The answer; two people of one answer close it."""

    outcome: ChallengeOutcome


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge: due in 30 days, answered by two people of one mind."""

    challenge_id: str
    offender_id: str
    challenger: str
    ground: str
    entered_by: str
    opened_at: datetime
    due_at: datetime
    overdue: bool
    answers: tuple[tuple[str, str], ...]
    outcome: str | None
    """Null: open, and every notice to him waits."""

    @classmethod
    def of(cls, act: Act, answers: list[tuple[str, str]], now: datetime) -> Challenge:
        given = [outcome for _, outcome in answers]
        outcome = min((one for one in given if given.count(one) > 1), default=None)
        due_at = act.at + CHALLENGE_DUE
        overdue = outcome is None and due_at < now
        who, what = act.data["challenger"], act.data["ground"]
        return cls(
            act.act_id, act.offender_id, who, what, act.by, act.at, due_at, overdue, tuple(sorted(answers)), outcome
        )


def add_review_routes(api: APIRouter, desk: Desk, read: Reader) -> None:
    """The routes of reviewers."""

    async def submit(
        kind: type[PersonCommand], form: _Form, form_id: str, person: Person, **more: object
    ) -> JSONResponse:
        given = {name: value for name, value in form if name != "role"}
        asked = getattr(form, "role", None)
        role = person.acting([asked] if asked in REVIEWERS else REVIEWERS)
        command = kind(**{**given, **more, "by": person.name, "role": role})
        return answer(await desk.submit(command, form_id=form_id, offender_id=form.offender_id))

    @api.get("/reviews", response_model=list[OpenReview])
    async def reviews(
        listing: Lists,
        person: Reviewer,
        code: Annotated[list[ReviewCode] | None, Query()] = None,
        claimed_by: Annotated[str | None, Query(max_length=120, description="a person, or `nobody`")] = None,
    ) -> Response:
        whose = "" if claimed_by == UNCLAIMED else claimed_by
        async with read() as conn:
            page = await open_reviews(conn, code or list(ReviewCode), listing.page, whose)
        return await listing.answer(page, "offender", lambda review: review.offender_id)

    @api.post("/reviews/claim")
    async def claim(form: ReviewForm, form_id: FormId, person: Reviewer) -> JSONResponse:
        return await submit(ClaimReview, form, form_id, person)

    @api.post("/reviews/conclude")
    async def conclude(form: ConclusionForm, form_id: FormId, person: Reviewer) -> JSONResponse:
        return await submit(ConcludeReview, form, form_id, person)

    @api.get("/acts", response_model=list[Act])
    async def of_whom(listing: Lists, person: Reviewer, offender_id: str) -> Response:
        async with read() as conn:
            page = await acts(conn, listing.page, offender_id=offender_id)
        return await listing.answer(page, "offender", lambda act: act.offender_id)

    @api.get("/offenders/{offender_id}/levers", response_model=list[Lever])
    async def his_levers(offender_id: str, person: Lawyer, showing: Shows) -> Response:
        async with read() as conn:
            levers = found(await levers_of(conn, offender_id), "no_levers")
        return await showing.answer(levers, "offender", offender_id)

    @api.get("/raises", response_model=list[Act])
    async def raises(listing: Lists, person: Reviewer) -> Response:
        async with read() as conn:
            page = await acts(conn, listing.page, ["raise"])
        return await listing.answer(page, "offender", lambda act: act.offender_id)

    @api.post("/raises")
    async def raise_one(form: RaiseForm, form_id: FormId, person: Reviewer) -> JSONResponse:
        return await submit(RaiseTier, form, form_id, person)

    @api.post("/raises/{raise_id}/end")
    async def end_raise(raise_id: str, form: EndForm, form_id: FormId, person: Reviewer) -> JSONResponse:
        return await submit(EndRaise, form, form_id, person, raise_id=raise_id)

    @api.get("/validations", response_model=list[Lapsing])
    async def validations(listing: Lists, person: Reviewer) -> Response:
        async with read() as conn:
            page = await lapsing(conn, listing.page)
        return await listing.answer(page, "offender", lambda one: one.offender_id)

    @api.post("/validations")
    async def validate(form: ValidationForm, form_id: FormId, person: Reviewer) -> JSONResponse:
        return await submit(ValidateD, form, form_id, person)

    @api.get("/challenges", response_model=list[Challenge])
    async def challenges(listing: Lists, person: Reviewer) -> Response:
        now = datetime.now(UTC)
        async with read() as conn:
            page = await acts(conn, listing.page, ["challenge"])
            words = await words_on(conn, [(one.offender_id, one.act_id) for one in page.items])
        shown = page.map(lambda act: Challenge.of(act, words[act.act_id], now))
        return await listing.answer(shown, "offender", lambda one: one.offender_id)

    @api.post("/challenges")
    async def challenge(form: ChallengeForm, form_id: FormId, person: Reviewer) -> JSONResponse:
        return await submit(ChallengeListing, form, form_id, person)

    @api.post("/challenges/{challenge_id}/answer")
    async def answer_one(challenge_id: str, form: AnswerForm, form_id: FormId, person: Reviewer) -> JSONResponse:
        return await submit(AnswerChallenge, form, form_id, person, challenge_id=challenge_id)

    @api.get("/policies", response_model=list[InForce], dependencies=[Depends(Needs(*REVIEWERS, Role.OPERATOR))])
    async def in_force_now(listing: Lists) -> Response:
        async with read() as conn:
            policies = await in_force(conn)
        return await listing.answer(Slice(policies), "policy", lambda one: one.digest)
