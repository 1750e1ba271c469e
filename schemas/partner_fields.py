"""What is wrong with a field that a partner's file names: one that may not be sent to it, a filter that makes no sense."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from schemas.envelope import event_types
from schemas.partner import PartnerEvent, PartnerKind, marker, sendable


def field_fault(model: type[PartnerEvent], name: str, kind: PartnerKind, *, sees_d: bool) -> str | None:
    """None: it may be sent to a partner of this kind."""
    allowed = sendable(model, kind, sees_d=sees_d)
    if name in allowed:
        return None
    if (to := marker(model, name)) is not None:
        without = " that is not shown D" if kind in to.kinds else ""
        return f"{name} may not be sent to a partner of kind {kind}{without}; take it out"
    if name in restricted(model):
        return f"{name} is never sent to a partner; take it out"
    return f"there is no such field in {model.TYPE}, nor wildcards, paths or new names; take of {', '.join(allowed)}"


def filter_fault(model: type[PartnerEvent], name: str, values: Sequence[str | bool]) -> str | None:
    """Of a field that may be sent. None: it may be filtered by these values."""
    to = marker(model, name)
    if to is not None and to.sealed is not None:
        return f"{name} is an id that only the partner knows; filter by something else"
    return _value_fault(model, name, values)


def restricted(model: type[PartnerEvent]) -> frozenset[str]:
    """Every field of any event or command that a copy of this type does not have: none of them leaves."""
    everywhere = {name for each in event_types().values() for name in each.model_fields}
    return frozenset(everywhere - model.model_fields.keys())


def _value_fault(model: type[PartnerEvent], name: str, values: Sequence[str | bool]) -> str | None:
    """A value the field can never have is a filter that lets nothing through, or everything."""
    kind: Any = model.model_fields[name].annotation
    if getattr(kind, "__origin__", None) is list:
        kind = get_args(kind)[0]
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    for value in values:
        try:
            adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError:
            return f"{name} is never {json.dumps(value)}; mend its spelling"
    return None
