"""docs/outreach.md names every state, kind, code, role and setting of outreach there is, and no refusal that is not."""

from __future__ import annotations

import ast
import re
from enum import StrEnum
from pathlib import Path

import pytest

from schemas.advocacy import ConsentRecipient, ConsentScope, ContactSafety, MessageOutcome
from schemas.commands import OverrideReason
from schemas.outreach import CaseCloseReason, TaskCancelReason, TaskKind, TaskOwner, TaskState
from schemas.outreach_terms import OutreachTerms
from schemas.policy import Gate
from services.common.messaging import MailSettings
from services.victim_outreach.domain import VisitOutcome
from services.victim_outreach.rules import SEES, Known, Use
from services.victim_outreach.settings import OutreachSettings
from services.victim_outreach.store.candidates import Likeness
from services.victim_outreach.store.cases.shapes import PoliceProfile, ToDo

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "outreach.md").read_text("utf-8")
KINDS: list[type[StrEnum]] = [
    TaskKind,
    TaskState,
    TaskOwner,
    TaskCancelReason,
    CaseCloseReason,
    ContactSafety,
    ConsentScope,
    ConsentRecipient,
    MessageOutcome,
    OverrideReason,
    Likeness,
    Known,
    Use,
    ToDo,
    PoliceProfile,
    VisitOutcome,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_code_is_named(kind: type[StrEnum]) -> None:
    assert [code for code in kind if f"`{code}`" not in PAGE] == []


def test_every_setting_is_named() -> None:
    names = [f"outreach.{name}" for name in OutreachTerms.model_fields] + [f"gate.{name}" for name in Gate.model_fields]
    names += [f"IPVI_{name.upper()}" for model in (OutreachSettings, MailSettings) for name in model.model_fields]
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_who_sees_what_is_as_it_says() -> None:
    table = re.findall(r"^\| (`[a-z_`, ]+`) \| (`[a-z_`, ]+`) \|$", PAGE.split("## Who sees what")[1], re.MULTILINE)
    said = {
        role: set(re.findall(r"`(\w+)`", owners)) for roles, owners in table for role in re.findall(r"`(\w+)`", roles)
    }
    assert said == {str(role): {str(owner) for owner in owners} for role, owners in SEES.items()}


def test_every_refusal_is_named_and_no_other() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE.split("## Refusals")[1]))
    assert named == _refused() | {"other_side"}  # the API's, which sees both lanes


def _refused() -> set[str]:
    """The codes of `refuse(...)` and `known(..., code)` in the use cases."""
    found = set()
    for path in (PROJECT / "services" / "victim_outreach" / "usecases").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("refuse", "known"):
                last = node.args[-1]
                if isinstance(last, ast.Constant):
                    found.add(str(last.value))
    return found
