"""A log line tells what kind of error it was, never what stood in it: tracebacks and messages may hold a record's values."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from services.common import logs

CANARY = "Canary O'Planted"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Standard error of a process that has just configured its logs."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(logging, "raiseExceptions", True)
    root = logging.getLogger()
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in logs.FOREIGN}
    logs.configure("probe")
    yield stream
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = before[0], before[1]
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)


def said(written: io.StringIO) -> list[dict[str, Any]]:
    text = written.getvalue()
    assert CANARY not in text and "Traceback" not in text
    return [json.loads(line) for line in text.splitlines()]


def test_an_exception_of_ours_is_its_type(written: io.StringIO) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        structlog.get_logger().exception("lane.failed", lane=3)
        structlog.get_logger().error("lane.failed", lane=3, exc_info=error)
    for line in said(written):
        assert (line["event"], line["error"], line["lane"], line["service"]) == (
            "lane.failed",
            "ValueError",
            3,
            "probe",
        )


def test_an_exception_of_another_library_is_its_type(written: io.StringIO) -> None:
    try:
        raise KeyError(CANARY)
    except KeyError:
        logging.getLogger("elsewhere").exception("it broke")
    (line,) = said(written)
    assert (line["event"], line["error"], line["level"]) == ("it broke", "KeyError", "error")


# FastStream cuts its own logger off from the root once it is set up; `make_broker` gives it none.
@pytest.mark.parametrize("name", [name for name in logs.FOREIGN if name != "faststream"])
def test_other_libraries_are_quiet_but_for_the_worst_and_then_without_values(name: str, written: io.StringIO) -> None:
    logging.getLogger(f"{name}.part").error("failed for key %s", CANARY)
    logging.getLogger(f"{name}.part").critical("failed for key %s", CANARY)
    (line,) = said(written)
    assert line["event"] == "failed for key %s"


def test_a_line_is_one_line_of_json(written: io.StringIO) -> None:
    structlog.get_logger().info("two\nlines", code="below_log_start")
    (line,) = said(written)
    assert line["event"] == "two\nlines" and line["timestamp"].endswith("Z")


def test_a_line_that_cannot_be_written_is_not_told_with_its_arguments(written: io.StringIO) -> None:
    logging.getLogger("elsewhere").error("for key %d", CANARY)
    assert CANARY not in written.getvalue()
