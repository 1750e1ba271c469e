"""What may be written into IPVI_FAILPOINTS, and when a point fires."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from services.common import failpoints
from services.common.failpoints import POINTS, FaultInjectedError, parse, reach


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def test_nothing_is_armed_by_nothing() -> None:
    assert parse("") == parse(" ; ") == {}


def test_parts_are_read_whole() -> None:
    armed = parse("sql.committed=kill@3; kafka.end_txn=raise~0.25;decide.done=hang:1.5;claim.done=stop")
    assert [(name, one.action, one.countdown, one.probability, one.seconds) for name, one in armed.items()] == [
        ("sql.committed", "kill", 3, 0, 0),
        ("kafka.end_txn", "raise", 1, 0.25, 0),
        ("decide.done", "hang", 1, 0, 1.5),
        ("claim.done", "stop", 1, 0, 0),
    ]


@pytest.mark.parametrize(
    "text",
    ["sql.committed", "nowhere=kill", "sql.open=explode", "sql.open=hang", "sql.open=kill@", "sql.open=kill@1~1"],
)
def test_what_is_wrong_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"IPVI_FAILPOINTS: '{text}'"):
        parse(f"decide.done=raise;{text}")


async def test_fires_at_the_nth_pass_and_once() -> None:
    failpoints.arm("sql.open=raise@2")
    await reach("sql.open")
    with pytest.raises(FaultInjectedError, match=r"^sql\.open$"):
        await reach("sql.open")
    await reach("sql.open")


async def test_fires_at_every_pass_with_probability_one() -> None:
    failpoints.arm("sql.open=raise~1")
    for _ in range(3):
        with pytest.raises(FaultInjectedError):
            await reach("sql.open")


async def test_hangs_for_as_long_as_it_is_told() -> None:
    failpoints.arm("sql.open=hang:0.05")
    started = time.monotonic()
    await reach("sql.open")
    assert time.monotonic() - started >= 0.05


async def test_points_not_armed_do_nothing() -> None:
    failpoints.arm("sql.open=raise")
    for point in POINTS:
        if point != "sql.open":
            await reach(point, after=60)
