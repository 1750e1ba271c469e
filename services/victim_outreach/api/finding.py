"""A woman who calls back: her case, by what she says of herself. In the body, for an address is kept in many places."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.common.api import Form, Shows
from services.victim_outreach.api.common import Counter, Worker, sight
from services.victim_outreach.store import CaseLine, Sought, found_cases, reaches_of, words_of


class FindForm(Form):
    """One of three: a telephone number, an e-mail address, a name with a birth date."""

    telephone: Annotated[str, Field(min_length=7, max_length=40)] | None = None
    """At least seven digits; of a longer one the last ten count."""
    email: Annotated[str, Field(min_length=3, max_length=200, pattern=r"^\S+@\S+$")] | None = None
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """All of its words, in any order."""
    birth_date: date | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        named = self.name is not None and self.birth_date is not None
        if [self.telephone is not None, self.email is not None, named].count(True) != 1 or (
            not named and (self.name is not None or self.birth_date is not None)
        ):
            raise PydanticCustomError(
                "one_way", "a telephone number, or an e-mail address, or a name with a birth date"
            )
        if not named and self._way() is None:
            raise PydanticCustomError("no_way", "no telephone number and no e-mail address")
        if self.name is not None and not words_of(self.name):
            raise PydanticCustomError("no_name", "no name")
        return self

    def _way(self) -> str | None:
        return next(iter(reaches_of([self.email or self.telephone or ""])), None)

    def sought(self) -> Sought:
        if self.name is not None:
            return Sought(words=words_of(self.name), birth_date=self.birth_date)
        return Sought(way=self._way())


def add_routes(api: APIRouter, counter: Counter) -> None:
    @api.post("/case-search", response_model=list[CaseLine])
    async def find(form: FindForm, person: Worker, showing: Shows) -> Response:
        """At most 20 cases with a task you may see, on whose page it stands. Changes nothing and needs no key; none found says
        nothing."""
        async with counter.read() as conn:
            cases = await found_cases(conn, form.sought(), sight(person), counter.clock())
        return await showing.several(cases, "case", lambda line: line.case_id)
