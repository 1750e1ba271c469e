"""docs/deployment.md names every setting with its default and none that is not, docs/security.md every role."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

from schemas.commands import Role
from schemas.generate import PROJECT
from services.classifier.settings import ClassifierSettings
from services.common.messaging import MailSettings
from services.common.settings import CommonSettings
from services.intake.settings import IntakeSettings
from services.notifier.settings import NotifierSettings
from services.partners.settings import PartnersSettings
from services.victim_outreach.settings import OutreachSettings

PAGE = (PROJECT / "docs" / "deployment.md").read_text("utf-8")
SECURITY = (PROJECT / "docs" / "security.md").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "deploy" / "compose.yaml").read_text("utf-8"))
OURS: dict[str, dict[str, str | None]] = {
    name: each["environment"] for name, each in COMPOSE["services"].items() if name not in ("kafka", "postgres")
}
MODELS: tuple[type[BaseSettings], ...] = (
    CommonSettings,
    IntakeSettings,
    ClassifierSettings,
    NotifierSettings,
    OutreachSettings,
    MailSettings,
    PartnersSettings,
)
BESIDE = {"IPVI_HEALTH_TOKEN_FILE": "", "IPVI_FAILPOINTS": "", "IPVI_FAILPOINTS_SEED": "0"}
"""Of `deploy/healthcheck.py` and `services/common/failpoints.py`."""
FIXED = {"IPVI_PARTITIONS", "IPVI_SEAL_KEY", "IPVI_PARTNERS_KEY"}


def variables(model: type[BaseSettings]) -> dict[str, str]:
    """By its variable, each default as the page writes it."""
    return {
        str(field.validation_alias or f"IPVI_{name.upper()}"): _said(field.default)
        for name, field in model.model_fields.items()
    }


def _said(default: object) -> str:
    if default is None:
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)


SETTINGS = {**BESIDE, **{name: default for model in MODELS for name, default in variables(model).items()}}
ROWS: list[tuple[str, str, str]] = re.findall(
    r"^\| `([A-Z_]+)` \| (?:`([^`]*)` )?\| [^|]+ \| (.*)\|$", PAGE.split("\n## Settings\n")[1], re.MULTILINE
)


def test_every_setting_has_one_row_with_its_default_and_no_row_is_left_over() -> None:
    assert len({name for name, _, _ in ROWS}) == len(ROWS)
    assert {name: default for name, default, _ in ROWS} == SETTINGS


def test_what_may_never_change_is_said() -> None:
    assert {name for name, _, about in ROWS if "**Never changes.**" in about} == FIXED


@pytest.mark.parametrize("name", sorted(OURS))
def test_compose_gives_settings_that_there_are(name: str) -> None:
    assert set(OURS[name]) <= set(SETTINGS)


def test_compose_gives_whoever_sends_what_that_needs() -> None:
    mail = set(variables(MailSettings)) - {"IPVI_OUTBOX"} | set(variables(NotifierSettings))
    assert all(mail <= set(OURS[name]) for name in ("notifier", "victim_outreach"))
    assert set(variables(PartnersSettings)) - {"IPVI_PARTNERS_HOUR_S"} <= set(OURS["partners"])


def test_every_role_is_explained_and_no_other() -> None:
    cells = re.findall(r"^\| (`[a-z_`, ]+`) \|", SECURITY.split("\n## Tokens\n")[1].split("\n## ")[0], re.MULTILINE)
    assert {role for cell in cells for role in re.findall(r"`([a-z_]+)`", cell)} == set(Role)
