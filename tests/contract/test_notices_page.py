"""docs/notices.md names every state, hold, channel, clock and refusal of a notice, and none that is not."""

from __future__ import annotations

import ast
import re

from schemas.call_in import SeatState
from schemas.commands import LiftableHold
from schemas.generate import PROJECT
from schemas.notice_work import NoticeClock
from schemas.notification import Channel, HoldReason, NotificationState

PAGE = (PROJECT / "docs" / "notices.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> set[str]:
    """Codes in the first column."""
    cells = re.findall(r"^\| ([^|]*`[^|]*) \|", section(title), re.MULTILINE)
    return {code for cell in cells for code in re.findall(r"`([a-z_]+)`", cell)}


def test_states() -> None:
    assert rows("States") == set(NotificationState)


def test_hold_reasons() -> None:
    assert rows("Hold reasons") == set(HoldReason)
    assert {str(one) for one in HoldReason} - {"gate", "challenged", "unsigned_template"} == {
        str(one) for one in LiftableHold
    }


def test_channels() -> None:
    assert rows("Channels") == set(Channel)


def test_clocks() -> None:
    assert rows("Clocks") == set(NoticeClock)


def test_refusals() -> None:
    raised: set[str] = set()
    for path in (PROJECT / "services" / "notifier" / "usecases").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Refused", "acted_on"):
                found = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
                raised |= {code for code in found if isinstance(code, str)}
    assert rows("Refusals of an act") == raised


def test_seats() -> None:
    assert rows("Call-ins") == set(SeatState)
