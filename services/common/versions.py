"""The version of a record, by which a person's act says which state of it the person saw."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

STALE = "stale"
"""Code of a refusal: the record has changed since the person saw it."""

_LENGTH = 20


def version_of(record: Any) -> str:
    """The same for equal content (a dataclass), whether it is in a lane's memory or has just been read from SQL.

    Made from the content, so that no table holds it and nothing can forget to raise it.
    """
    content = orjson.dumps(record, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:_LENGTH]


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(type(value).__name__)
