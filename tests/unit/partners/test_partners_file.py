"""Partner files: what may stand there, and what is said of what may not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from schemas.generate import PROJECT
from schemas.partner import SUBSCRIBED, PartnerKind, marker
from schemas.partner_file import FOLDER, PartnerFileError, load_partner, load_partners, partner_schema, read_partner
from services.cli.main import app

PAGE = (PROJECT / "docs" / "partners.md").read_text("utf-8")
GOOD = (FOLDER / "district-attorney.yaml").read_text("utf-8")


def refused(old: str, new: str) -> str:
    assert old in GOOD
    with pytest.raises(PartnerFileError) as fault:
        read_partner(GOOD.replace(old, new, 1), "da.yaml")
    return str(fault.value)


def test_the_examples_can_be_used() -> None:
    partners, faults = load_partners(FOLDER)
    assert faults == {}
    assert {each.id for each in partners} == {"district-attorney", "sheriff", "university"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id: district-attorney", "id: District", "line 2: id: string should match pattern"),
        ("purpose: ", "purpos: ", "line 5: purpos: is no setting; take it out or mend its spelling"),
        ("kind: prosecution", "kind: press", "line 4: kind: must be one of 'law_enforcement', 'prosecution'"),
        ("expires: 2027-06-30", "expires: soon", "line 7: expires: should be a valid date"),
        ("expires: 2027-06-30\n", "", "expires: is missing; add it"),
        ("need: who", "need: x\nwhat: who", "what: is no setting"),
        ("tiers: [A, B, C]", "tiers: [A, B, D]", "line 8: tiers: D goes to law_enforcement alone (28 CFR 23.20)"),
        ("tiers: [A, B, C]", "tiers: [A, B, B]", "line 8: tiers: stands twice; keep one"),
        ("tiers: [A, B, C]", "tiers: []", "line 8: tiers: list should have at least 1 item"),
        ("- offender_id", "- tier", "line 17: fields: stands twice; keep one"),
        (
            "- offender_id",
            "- rules",
            "line 14: fields: rules may not be sent to a partner of kind prosecution; take it out",
        ),
        ("- offender_id", "- mutual", "line 14: fields: mutual is never sent to a partner; take it out"),
        ("- offender_id", "- '*'", "line 14: fields: there is no such field in ipvi.partner.decided.v1, nor wildcards"),
        ("bulk: [false]", "bulk: [no way]", 'line 12: where: bulk is never "no way"; mend its spelling'),
        ("bulk: [false]", "offender_id: [x]", "line 12: where: offender_id is an id that only the partner knows"),
        ("bulk: [false]", "bulk: []", "line 12: events.1.where.bulk: list should have at least 1 item"),
        (
            "ipvi.partner.notification.v1",
            "ipvi.task.opened.v1",
            "line 25: type: partners can have ipvi.partner.decided.v1",
        ),
        ("ipvi.partner.notification.v1", "ipvi.partner.decided.v1", "line 25: events: stands twice; keep one"),
        ("kind: topic", "kind: fax", "line 27: delivery: kind must be one of 'topic', 'webhook', 'csv'"),
        ("kind: topic", "kind: topic\n  url: x", "line 29: delivery.url: is no setting"),
        ("kind: topic", "kind: webhook\n  url: http://da.example/e", "line 29: url: is not https"),
        ("kind: topic", "kind: webhook\n  url: http://127.0.0.1:1/e", "line 29: url: is not https"),
        ("kind: topic", "kind: webhook\n  url: https://me:pw@da.example/e", "line 29: url: has a user, a password"),
        ("kind: topic", "kind: webhook\n  url: da.example", "line 29: url: is no address of a server"),
        ("kind: topic", "kind: webhook\n  url: https://[::1/e", "line 29: url: is no address of a server"),
        (
            "kind: topic",
            "kind: webhook\n  url: https://da.example/e\n  private_networks: [10.0.0.1/8]",
            "line 30: private_networks: 10.0.0.1/8 is no network",
        ),
        ("kind: topic", "kind: csv\n  every_hours: 0", "line 29: delivery.every_hours: should be greater than"),
        ("name: District", "name: A\nname: District", "line 4: name: stands twice; keep one"),
    ],
)
def test_a_fault_is_told_with_its_line_and_what_to_do(old: str, new: str, told: str) -> None:
    assert refused(old, new).startswith("da.yaml, ")
    assert told in refused(old, new)


def test_rules_are_for_law_enforcement_that_is_shown_d() -> None:
    text = (FOLDER / "sheriff.yaml").read_text("utf-8").replace("[A, B, C, D]", "[A, B, C]")
    with pytest.raises(
        PartnerFileError, match="rules may not be sent to a partner of kind law_enforcement that is not"
    ):
        read_partner(text)


def test_one_file_that_cannot_be_used_is_no_hindrance_to_the_others(tmp_path: Path) -> None:
    (tmp_path / "district-attorney.yaml").write_text(GOOD)
    (tmp_path / "other.yaml").write_text(GOOD)
    (tmp_path / "broken.yaml").write_text("id: [")
    (tmp_path / "district-attorney.yml").write_text(GOOD)
    partners, faults = load_partners(tmp_path)
    assert [each.id for each in partners] == ["district-attorney"]
    assert set(faults) == {"other.yaml", "broken.yaml", "district-attorney.yml"}
    assert "line 2: id: write other, the name of the file" in str(faults["other.yaml"])


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(PartnerFileError, match="cannot be read as UTF-8"):
        load_partner(Path("/nowhere/x.yaml"))


def test_the_schema_for_editors_is_current_and_knows_the_same_fields() -> None:
    assert json.loads((FOLDER / "partner.schema.json").read_text()) == partner_schema()
    Draft202012Validator.check_schema(dict(partner_schema()))
    validator = Draft202012Validator(dict(partner_schema()))
    for path in FOLDER.glob("*.yaml"):
        partner = json.loads(load_partner(path).model_dump_json(by_alias=True))
        assert list(validator.iter_errors(partner)) == []
        partner["events"][0]["fields"].append("review")
        assert list(validator.iter_errors(partner)) != []


def test_check_says_what_is_sent_or_what_is_wrong(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["partners", "check", *map(str, sorted(FOLDER.glob("*.yaml")))])
    assert done.exit_code == 0
    assert "university: researcher, lists A, B, C, until 2027-03-31, ipvi.partner.university.v1" in done.output
    assert "  ipvi.partner.notification.v1: offender_id, tier, state, where state is served" in done.output
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOOD.replace("- offender_id", "- review").replace("[A, B, C]", "[A, D]"))
    done = CliRunner().invoke(app, ["partners", "check", str(bad), str(FOLDER / "sheriff.yaml")])
    assert done.exit_code == 2
    assert f"error: {bad}, line 8: tiers: D goes" in done.output
    assert f"error: {bad}, line 14: fields: review is never sent to a partner; take it out" in done.output
    assert "sheriff: law_enforcement" in done.output


def test_the_page_says_of_every_field_to_whom_it_may_be_sent() -> None:
    told = {
        (event, name): set(kinds.replace("*", "").split(", "))
        for event, name, kinds in re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+?) \|", PAGE, re.MULTILINE)
    }
    for type_, model in SUBSCRIBED.items():
        for name in model.model_fields:
            to = marker(model, name)
            assert to is not None
            kinds = told.pop((type_.split(".")[2], name))
            assert kinds == ({"all"} if to.kinds == set(PartnerKind) else {str(kind) for kind in to.kinds}), name
    assert told == {}
