"""A command that is not applied, and the code its sender is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NoReturn, TypeVar

from schemas.commands import PersonCommand, Role
from services.common.service import Refused

K = TypeVar("K")
T = TypeVar("T")


def refuse(code: str) -> NoReturn:
    raise Refused(code)


def need_role(data: PersonCommand, allowed: Collection[Role]) -> None:
    if data.role not in allowed:
        refuse("wrong_role")


def known(there: Mapping[K, T], key: K, code: str) -> T:
    found = there.get(key)
    if found is None:
        refuse(code)
    return found
