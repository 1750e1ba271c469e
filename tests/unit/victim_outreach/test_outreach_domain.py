"""What is kept of her, joined from two records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from schemas.advocacy import ScreenResult
from schemas.outreach import TaskOwner
from services.victim_outreach.domain import Screen, with_screens

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALM = Screen("case", 1, TaskOwner.COMMUNITY_ADVOCATE, (), False, ScreenResult.NOT_HIGH, AT, "sue")
HIGH = replace(CALM, result=ScreenResult.HIGH, believed=True)


def test_two_screens_of_one_moment_are_both_kept() -> None:
    """A lane's clock stands while records carry earlier times: the second may be the one that has her called."""
    kept = with_screens({}, [CALM, replace(HIGH, number=2)])
    assert [one.result for one in kept.values()] == [ScreenResult.NOT_HIGH, ScreenResult.HIGH]
    assert with_screens(kept, [CALM, HIGH]) == kept


def test_a_screen_of_another_case_is_numbered_there() -> None:
    kept = with_screens({("case", 1): CALM}, [replace(CALM, case_id="other", number=7)])
    assert set(kept) == {("case", 1), ("other", 1)}
