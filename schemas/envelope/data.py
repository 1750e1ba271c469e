"""The models of an event's `data`, and which CloudEvents type each is of."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict


class Data(BaseModel):
    """The `data` of one event type. Frozen and strict: built by keyword, or read by `read`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)

    TYPE: ClassVar[str] = ""

    def canonical(self) -> bytes:
        """JSON with sorted keys and defaults filled in: equal content has equal bytes."""
        return orjson.dumps(orjson.loads(self.model_dump_json(by_alias=True)), option=orjson.OPT_SORT_KEYS)


D = TypeVar("D", bound=Data)

_TYPES: dict[str, type[Data]] = {}


def event_type(name: str) -> Callable[[type[D]], type[D]]:
    """Register a model as the data of the CloudEvents type `name`."""

    def register(model: type[D]) -> type[D]:
        model.TYPE = name
        _TYPES[name] = model
        return model

    return register


def event_types() -> dict[str, type[Data]]:
    """Every registered type and its model, by name."""
    import schemas.catalogue  # noqa: F401 (imports every module of models; here to break the circle)

    return dict(sorted(_TYPES.items()))  # whoever was imported first


@lru_cache(256)
def model_of(name: str) -> type[Data] | None:
    """For every record: without the order. Partners' copies can be read; they stand on no topic of this system."""
    import schemas.catalogue  # noqa: F401 (as above)
    from schemas.partner import partner_types

    return _TYPES.get(name) or partner_types().get(name)
