"""Policies as files: what can be wrong is told in one line, with file, line, field and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from schemas.classification import ReviewCode, Tier
from schemas.criteria import Charges, ChargeUnit, Codes, Fact, Gaps, Rule, Violations
from schemas.envelope import Data
from schemas.notification import Channel
from schemas.outreach import TaskKind
from schemas.outreach_terms import OutreachTerms
from schemas.policy import Gate, Policy, Task
from schemas.policy_file import PolicyError, load_policy, policy_ids, policy_schema, read_policy
from schemas.policy_notices import Notices
from tests.harness.incidents import PRACTICE, SEED

POLICIES = Path(__file__).parents[3] / "policies"
PRODUCED = set(ReviewCode) - {ReviewCode.ALSO_VICTIM, ReviewCode.PARKED}
TEXT = (POLICIES / "high-point-seed.yaml").read_text()


def test_the_shipped_ones() -> None:
    assert policy_ids() == ["high-point-practice", "high-point-seed"]
    assert [rule.id for rule in SEED.rules] == [
        "a-three-previous-charges", "b-second-charge-and-violation", "c-first-charge", "d-suspicion",
    ]  # fmt: skip
    assert {rule.tier for rule in PRACTICE.rules} == set(Tier)
    assert SEED.digest != PRACTICE.digest


@pytest.mark.parametrize("policy", [SEED, PRACTICE], ids=lambda policy: policy.id)
def test_what_no_shipped_policy_may_do(policy: Policy) -> None:
    """Nothing by mail or phone on the D-list; written information within 72 h on every list (N.C.G.S. 15A-831)."""
    quiet = policy.tiers[Tier.D].offender
    assert quiet is not None and not {Channel.MAIL, Channel.PHONE} & set(quiet.channels)
    for tier in (*Tier, None):
        written = [task for task in policy.victim_tasks(tier) if task.kind is TaskKind.WRITTEN_INFORMATION]
        assert [task.due_within_hours for task in written] == [72]


def test_by_path(tmp_path: Path) -> None:
    path = tmp_path / "county.yaml"
    path.write_text(TEXT.replace("id: high-point-seed", "id: our-county"))
    assert load_policy(str(path)).id == "our-county"


def test_the_digest_is_of_the_content_alone(tmp_path: Path) -> None:
    same = TEXT.replace("# The founding text", "# Another remark").replace(
        "[SE, CS, BG, XS, XR, HR]", "[HR, XR, XS, BG, CS, SE]"
    )
    assert same != TEXT
    assert read_policy(same).digest == SEED.digest
    assert read_policy(TEXT.replace("America/New_York", "America/Chicago")).digest != SEED.digest


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("tier: A", "tier: E", "rules.1.tier: must be one of 'A', 'B', 'C' or 'D'"),
        ("{suspected_here: true}", "{suspected_here: 1}", "rules.4.when.suspected_here: must be true or false"),
        ("{at_least: 3}", "{atleast: 3}", "rules.1.when.previous_charges.atleast: is no setting"),
        ("{at_least: 3}", "true", "rules.1: previous_charges is a number"),
        ("{at_least: 3}", "{}", "rules.1.when.previous_charges: say at_least, at_most or both"),
        (
            "previous_charges: {at_most",
            "prior_charges: {at_most",
            "rules.3.when.prior_charges: must be one of 'charges'",
        ),
        ('version: "1"', "version: 1", "version: must be text; put it in quotes"),
        ("[SE, CS", "[SEX, CS", "codes.intimate.1: not a code of the list"),
        ('strangulation_force: ["85"]', "strangulation_force: [85]", "codes.strangulation_force.1: must be text"),
        ("  cool_off_hours: 4\n", "", "gate.cool_off_hours: is missing; add it"),
        ("id: c-first-charge", "id: d-suspicion", "two rules have the id d-suspicion"),
        ("attempts: 3\n", "attempts: 3\n  attempts: 4\n", "attempts: stands twice; keep one"),
        ("America/New_York", "America/Nowhere", "time_zone: not a time zone"),
        ("adult_age: 18", "adult_age: about 18", "adult_age: should be a valid integer"),
        ("kind: family_liaison", "kind: call", "one row each is needed for"),
        ("  D:\n", "  X:\n", "tiers.X: must be one of"),
        ("gate:", "gate", "not YAML; look at this line"),
        ("adult_age: 18", "adult_age: 2025-01-01", "adult_age: should be a valid integer"),
        ("title: ", "titel: ", "titel: is no setting; take it out or mend its spelling"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(was: str, now: str, told: str) -> None:
    assert was in TEXT
    with pytest.raises(PolicyError) as error:
        read_policy(TEXT.replace(was, now, 1), "p.yaml")
    line = str(error.value)
    assert line.startswith("p.yaml, line ") and told in line and "\n" not in line


def test_the_line_is_the_right_one() -> None:
    with pytest.raises(PolicyError, match=rf"line {TEXT[: TEXT.index('tier: B')].count(chr(10)) + 1}: rules.2.tier"):
        read_policy(TEXT.replace("tier: B", "tier: Z"))


@pytest.mark.parametrize(
    "text", ["", "- 1", "just words", "{", "\t", "a: &x [*x]", "when: !!python/object:os.system {}"]
)
def test_what_is_no_policy_at_all(text: str) -> None:
    with pytest.raises(PolicyError) as error:
        read_policy(text)
    assert "\n" not in str(error.value)


def test_who_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="nowhere: no such policy; give one of high-point-practice, high-point-seed"):
        load_policy("nowhere")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(str(tmp_path / "gone.yaml"))
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(f"{tmp_path}/")
    (tmp_path / "latin.yaml").write_bytes(b"title: \xe9\xff")
    with pytest.raises(PolicyError, match="UTF-8"):
        load_policy(str(tmp_path / "latin.yaml"))


def test_the_schema_is_current() -> None:
    """Mended by `python -m schemas.policy_file`, which writes it."""
    assert json.loads((POLICIES / "policy.schema.json").read_text()) == policy_schema()


@pytest.mark.parametrize("name", policy_ids())
def test_editors_complete_and_check(name: str) -> None:
    """The first line names the schema; what we read, it takes; and each setting is explained in it."""
    text = (POLICIES / f"{name}.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=policy.schema.json\n")
    schema = json.loads((POLICIES / "policy.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.validate(yaml.safe_load(text))
    for was, now in (("adult_age: 18", "adult_age: about"), ("unit: incident ", "unit: week "), ("gaps:", "gap:")):
        assert was in text and list(validator.iter_errors(yaml.safe_load(text.replace(was, now))))


def test_every_setting_fact_and_review_is_in_the_docs() -> None:
    page = (POLICIES.parent / "docs" / "policy.md").read_text()
    parts: dict[str, type[Data]] = {
        "codes": Codes,
        "charges": Charges,
        "violations": Violations,
        "gaps": Gaps,
        "gate": Gate,
        "outreach": OutreachTerms,
        "notices": Notices,
    }
    names = [name for name in Policy.model_fields if name not in {*parts, "tiers"}]
    names += [f"{part}.{name}" for part, model in parts.items() for name in model.model_fields]
    names += [*Task.model_fields, *Rule.model_fields, *ChargeUnit, *Fact, *PRODUCED]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_an_alias_is_refused() -> None:
    """Nine lines of nine aliases each stand for more than any memory holds."""
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    with pytest.raises(PolicyError, match="policy, line 2: not YAML"):
        read_policy(bomb)
