"""Who may call the API: bearer tokens, kept as SHA-256 in the file `IPVI_TOKENS_FILE` names.

The file is JSON lines or a YAML list of `{sha256, person, roles}`, of an agency's system or officer with its ORI as `agency`
too, of a partner's with its id as `partner`. A token is 32 random bytes or more (`secrets.token_urlsafe(32)`): a guessable
one is not saved by its hash. No file: nobody may.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from fastapi import HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.commands import Role
from schemas.incident import Ori
from schemas.kinds import SentKind
from schemas.partner_file import PartnerId
from services.common.errors import ConfigurationError
from services.common.problems import problem

_TOO_OPEN = stat.S_IWGRP | stat.S_IRWXO


class TokensFileError(ConfigurationError):
    """The tokens file cannot be used. The text says what to mend, and nothing that stands in the file."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who calls, by user name, and what that person may do."""

    name: str
    roles: frozenset[Role]
    agency: str | None = None
    """ORI; of an agency's own system, which sends that agency's records and no other's, or of an officer of it."""
    kinds: frozenset[SentKind] | None = None
    """Of an agency's system: what it may send. None: see `docs/intake.md`."""
    partner: str | None = None
    """Id; of a partner's own system, which speaks for that partner and no other."""

    def acting(self, allowed: Collection[Role]) -> Role:
        """The role this person acts in where `allowed` may act: the first of `Role` that fits. None fits: 403."""
        for role in Role:
            if role in allowed and role in self.roles:
                return role
        raise HTTPException(403, "role_missing")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    person: Annotated[str, Field(min_length=1, max_length=120)]
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    agency: Ori | None = None
    kinds: Annotated[frozenset[SentKind], Field(min_length=1)] | None = None
    partner: PartnerId | None = None

    @model_validator(mode="after")
    def _whose(self) -> _Entry:
        if Role.AGENCY in self.roles and self.agency is None:
            raise ValueError("an agency's system has the role agency and its ORI")
        if self.agency is not None and not self.roles & {Role.AGENCY, Role.OFFICER}:
            raise ValueError("of an agency are its system and its officers")
        if self.kinds is not None and Role.AGENCY not in self.roles:
            raise ValueError("an agency's system is who sends kinds")
        if (Role.PARTNER in self.roles) != (self.partner is not None):
            raise ValueError("a partner's system has the role partner and its id, both or none")
        return self


_ENTRIES = TypeAdapter(list[_Entry])


@dataclass(frozen=True, slots=True)
class Tokens:
    """The known tokens, as digests."""

    entries: tuple[tuple[bytes, Person], ...] = ()

    def person_of(self, authorization: str | None) -> Person | None:
        """The person of an `Authorization: Bearer` header, or None. Takes the same time whichever token matches."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        given = hashlib.sha256(token.strip().encode()).digest()
        found = None
        for digest, person in self.entries:
            if hmac.compare_digest(digest, given):
                found = person
        return found


def read_tokens(path: Path | None) -> Tokens:
    """The tokens of a file; none without one. Raises `TokensFileError` with one clear line."""
    if path is None:
        return Tokens()
    try:
        if path.stat().st_mode & _TOO_OPEN:
            raise TokensFileError(f"tokens file {path}: open to others than its owner and group; mend with chmod 640")
        entries = _ENTRIES.validate_python(_parse(path.read_text(encoding="utf-8")))
    except OSError as failed:
        raise TokensFileError(f"tokens file {path}: {failed.strerror or 'cannot be read'}") from None
    except ValidationError as failed:
        first = failed.errors(include_input=False, include_url=False)[0]
        raise TokensFileError(f"tokens file {path}: {_place(first['loc'])} is not right ({first['type']})") from None
    except (ValueError, yaml.YAMLError):
        raise TokensFileError(f"tokens file {path}: neither JSON lines nor a YAML list, in UTF-8") from None
    if len({entry.sha256 for entry in entries}) < len(entries):
        raise TokensFileError(f"tokens file {path}: the same sha256 stands there twice")
    return Tokens(
        tuple(
            (bytes.fromhex(entry.sha256), Person(entry.person, entry.roles, entry.agency, entry.kinds, entry.partner))
            for entry in entries
        )
    )


def _parse(text: str) -> Any:
    if text.lstrip().startswith("{"):
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return yaml.safe_load(text) or []


def _place(loc: Sequence[int | str]) -> str:
    """Entry and field, from 1. Only declared names: a key of someone's own making could be the token itself."""
    if not loc:
        return "the list"
    field = next((part for part in loc[1:2] if part in _Entry.model_fields), None)
    return f"entry {int(loc[0]) + 1}" + (f", field {field}" if field else "")


_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
"""What is said of persons stays in no cache, is taken for nothing else, and its address goes nowhere."""


class Guard:
    """Refuses every request that brings no known token, before routing: a forgotten route, a page that is not there,
    a mounted folder or a body that is not JSON answer 401 like all else. Puts the `Person` into `request.state`.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        person = self._tokens.person_of(_authorization(scope))
        if scope["type"] != "http" or person is None:
            await _refuse(scope, receive, send)
            return
        scope.setdefault("state", {})["person"] = person
        await self._app(scope, receive, _guarded(send))


def _authorization(scope: Scope) -> str | None:
    """The header, where there is just one: two could be read differently by whatever stands in front."""
    given = [value for name, value in scope.get("headers", ()) if name == b"authorization"]
    return given[0].decode("latin-1") if len(given) == 1 else None


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    refusal = problem(401, "no_credential", {"WWW-Authenticate": "Bearer", **_ALWAYS})
    await refusal(scope, receive, send)


def _guarded(send: Send) -> Send:
    added = [(name.lower().encode(), value.encode()) for name, value in _ALWAYS.items()]

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return marked


class Needs:
    """Dependency of a route: the caller, who must have one of these roles (403 otherwise)."""

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles)

    def __call__(self, request: Request) -> Person:
        person = getattr(request.state, "person", None)
        if not isinstance(person, Person):  # only where the guard is missing: closed all the same
            raise HTTPException(401, "no_credential")
        person.acting(self.roles)
        return person
