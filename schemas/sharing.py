"""Models that are kept share the sets in which pydantic keeps which of their fields were given.

Those take a third of what a state holds in memory, and there are few that differ.
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

MOST = 4_096
"""Which fields are given is the sender's choice: beyond so many combinations each model keeps its own."""

_SET = "__pydantic_fields_set__"
_known: dict[frozenset[str], set[str]] = {}

M = TypeVar("M", bound=BaseModel)


def shared(model: M) -> M:
    """This model, it and those in it. They are frozen, and a copy has a set of its own: nobody changes a shared one."""
    waiting: list[Any] = [model]
    while waiting:
        each = waiting.pop()
        given = getattr(each, _SET)
        same = _known.get(frozenset(given))
        if same is not None:
            object.__setattr__(each, _SET, same)
        elif len(_known) < MOST:
            _known[frozenset(given)] = given
        for value in each.__dict__.values():  # pydantic answers `isinstance` in Python, which takes its time
            if hasattr(value, _SET):
                waiting.append(value)
            elif isinstance(value, list):
                waiting.extend(one for one in value if hasattr(one, _SET))
    return model
