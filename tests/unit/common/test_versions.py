"""A version is the content's, wherever it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from schemas.classification import Tier
from services.common.versions import version_of


@dataclass(frozen=True, slots=True)
class Record:
    at: datetime
    tier: Tier | None
    words: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)


ONE = Record(datetime(2025, 1, 10, 22, tzinfo=UTC), Tier.C, ("a",), {"x": 1, "y": None})


def test_equal_content_is_one_version() -> None:
    other_zone = ONE.at.astimezone(timezone(timedelta(hours=-5)))
    assert version_of(ONE) == version_of(Record(other_zone, Tier("C"), ("a",), {"y": None, "x": 1}))
    assert version_of(ONE).isalnum()


@pytest.mark.parametrize(
    "changed", [{"tier": None}, {"words": ("a", "b")}, {"at": ONE.at + timedelta(microseconds=1)}, {"more": {"x": 1}}]
)
def test_any_change_is_another(changed: dict[str, Any]) -> None:
    assert version_of(ONE) != version_of(replace(ONE, **changed))


def test_what_has_no_one_spelling_is_an_error() -> None:
    with pytest.raises(TypeError):
        version_of(replace(ONE, more={"x": {1, 2}}))
