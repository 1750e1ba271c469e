"""What rows hold, the same on SQLite and PostgreSQL: moments, and the headers of a record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always UTC. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def kept_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[list[str]]:
    """Headers as JSON has them: every byte a character (latin-1)."""
    return [[name, (value or b"").decode("latin-1")] for name, value in headers]


def headers_of(kept: Iterable[tuple[str, str]]) -> tuple[tuple[str, bytes], ...]:
    """What `kept_headers` kept."""
    return tuple((name, value.encode("latin-1")) for name, value in kept)
