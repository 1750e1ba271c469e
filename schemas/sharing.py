"""Models that were read share the sets in which pydantic keeps which of their fields were given.

Those take a third of what a state holds in memory, and there are few that differ.
"""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel

MOST = 4_096
"""Which fields are given is the sender's choice: beyond so many combinations each model keeps its own."""

_known: dict[frozenset[str], set[str]] = {}


def share(model: BaseModel) -> None:
    """This model and those in it. They are frozen, and a copy has a set of its own: nobody changes a shared one."""
    waiting = [model]
    while waiting:
        each = waiting.pop()
        given = each.__pydantic_fields_set__
        same = _known.get(frozenset(given))
        if same is not None:
            object.__setattr__(each, "__pydantic_fields_set__", same)
        elif len(_known) < MOST:
            _known[frozenset(given)] = given
        for value in each.__dict__.values():
            if _is_model(type(value)):
                waiting.append(value)
            elif type(value) is list:
                waiting.extend(one for one in value if _is_model(type(one)))


@cache
def _is_model(kind: type) -> bool:
    """Asked once a kind: pydantic answers `isinstance` in Python, and this is asked of every value that is read."""
    return issubclass(kind, BaseModel)
