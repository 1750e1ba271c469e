"""`ipvi partners test`: what would be sent of the published examples, and what not, and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.partner import PartnerKind
from schemas.partner_file import FOLDER, load_partner
from services.cli.main import app
from services.cli.partners.trying import trials
from tests.harness.partners import partner


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_but_what_its_file_names(path: Path) -> None:
    given = load_partner(path)
    asked = {each.event: set(each.fields) for each in given.events}
    found = list(trials(given))
    assert {each.name.split()[0] for each in found} == set(asked)
    for each in found:
        assert set(each.data) <= asked[each.name.split()[0]]
        assert bool(each.data) != bool(each.why)


def test_why_not_is_said() -> None:
    events = [{"type": "ipvi.partner.decided.v1", "fields": ["tier"], "where": {"change": ["removed"]}}]
    by_filter = {each.name: each.why for each in trials(partner(events=events))}
    assert by_filter["ipvi.partner.decided.v1 every_field"] == (
        'not sent: change is "entered", the filter asks for ["removed"]'
    )
    by_list = {each.why for each in trials(partner(PartnerKind.COURT, tiers=["A"])) if "decided" in each.name}
    assert "not sent: list C is none of A" in by_list


def test_the_command_says_so_and_sends_only_to_a_webhook() -> None:
    path = str(FOLDER / "university.yaml")
    done = CliRunner().invoke(app, ["partners", "test", path])
    assert done.exit_code == 0, done.output
    assert "ipvi.partner.decided.v1 every_field: {" in done.output
    refused = CliRunner().invoke(app, ["partners", "test", path, "--send"])
    assert refused.exit_code != 0
