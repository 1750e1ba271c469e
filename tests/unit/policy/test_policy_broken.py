"""Policies that must not be used: each is refused with file, line and the mend, and nothing of it is taken over."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.policy_file import PolicyError
from services.classifier.policies import usable
from services.cli.main import app

SEED = (
    (Path(__file__).parents[3] / "policies" / "high-point-seed.yaml").read_text().replace("high-point-seed", "county")
)
PRACTICE = (
    (Path(__file__).parents[3] / "policies" / "high-point-practice.yaml")
    .read_text()
    .replace("high-point-practice", "county")
)

BROKEN: dict[str, tuple[str, str, str, str, str]] = {
    # text, what is changed, into what, what is told, and what begins on the line it is told of
    # what can be read, and cannot be so
    "limits the wrong way round": (
        SEED, "previous_charges: {at_least: 3}", "previous_charges: {at_least: 3, at_most: 2}",
        "a-three-previous-charges can never fire: previous_charges at least 3 and at most 2 is never so; change it",
        'when: {charged_here: true, previous_charges: {at_least: 3, at_most: 2}'),
    "charged and suspected at once": (
        SEED, "when: {suspected_here: true}", "when: {suspected_here: true, charged_here: true}",
        "d-suspicion can never fire: suspected_here yes and charged_here yes are never so together; change one of them",
        'when: {suspected_here: true, charged_here'),
    "a weapon that is never charged": (
        PRACTICE, "{charged_here: true, weapon_here: true}", "{charged_here: false, weapon_here: true}",
        "a-weapon can never fire: charged_here no and weapon_here yes are never so together; change one of them",
        'when: {charged_here: false'),
    "the list of weapons is empty": (
        PRACTICE, 'weapon_force: ["11", 11A, "12", 12A, "13", 13A, "14", 14A, "15", 15A, "20"]', "weapon_force: []",
        "a-weapon can never fire: weapon_here yes is never so; change it, or the lists",
        'when: {charged_here: true, weapon_here'),
    "felonies asked for and none named": (
        PRACTICE, "{charged_here: true, homicide_here: true}", "{felony_here: true}",
        "a-homicide can never fire: felony_here yes is never so",
        'when: {felony_here'),
    "more charges than there are": (
        SEED, "charges: {at_least: 2}, violations: {at_least: 1}", "charges: {at_most: 1}, previous_charges: {at_least: 2}",
        "b-second-charge-and-violation can never fire: charges at most 1 and previous_charges at least 2",
        'when: {charges: {at_most: 1}'),
    "violations, and nothing is one": (
        SEED, "behavior: [protective_order, pretrial_condition, no_contact, probation, notice_terms]", "behavior: []",
        "can never fire: violations at least 1 is never so",
        'when: {charges: {at_least: 2}, violations'),
    "B in the shadow of A": (
        PRACTICE, "when: {charges: {at_least: 2}}", "when: {charges: {at_least: 3}}",
        "b-second-charge never decides: wherever it fires, a-third-charge leads higher; take it out, or narrow the other",
        '- id: b-second-charge'),
    "the same row on two lists": (
        SEED, "when: {suspected_here: true}", "when: {charged_here: true, previous_charges: {at_most: 0}}",
        "d-suspicion never decides: wherever it fires, c-first-charge leads higher",
        '- id: d-suspicion'),
    "D in the shadow of several": (
        PRACTICE, "when: {suspected_here: true}", "when: {charges: {at_least: 1}, violations: {at_least: 1}}",
        "d-suspicion never decides: wherever it fires, b-charge-and-violation leads higher",
        '- id: d-suspicion'),
    "A in front of everything": (
        SEED, "when: {charged_here: true, previous_charges: {at_least: 3}}", "when: {charges: {at_least: 0}}",
        "b-second-charge-and-violation never decides: wherever it fires, a-three-previous-charges leads higher",
        '- id: b-second-charge-and-violation'),
    "convictions count and none is counted": (
        SEED.replace("[pending, convicted, dismissed]", "[pending, dismissed]"), "unit: incident ", "unit: conviction ",
        "charges: the unit conviction needs convicted in dispositions; add it",
        'charges:'),
    "more cases than anybody could try": (
        SEED, "when: {suspected_here: true}",
        "when: {suspected_here: true, suspicions: {at_most: 98}, incidents: {at_most: 98}, violations: {at_most: 98}}",
        "the rows tell apart more histories than can be tried; lower the limits",
        'rules:'),
    # what cannot be read
    "a list there is not": (SEED, "tier: B", "tier: E", "rules.2.tier: must be one of 'A', 'B', 'C' or 'D'",
        'tier: E'),
    "a fact there is not": (SEED, "violations: {at_least: 1}", "breaches: {at_least: 1}", "must be one of 'charges'",
        'when: {charges: {at_least: 2}, breaches'),
    "a number as yes or no": (SEED, "{at_least: 3}", "true", "rules.1: previous_charges is a number",
        '- id: a-three-previous-charges'),
    "a row without a source": (
        SEED, "    source: 'seed: \"first charge for an IPV offense\"'\n", "", "rules.3.source: is missing",
        '- id: c-first-charge'),
    "a row called gap": (SEED, "id: c-first-charge", "id: gap", "no row may be called gap",
        '- id: gap'),
    "six years for D": (SEED, "validate_d_after_days: 1826", "validate_d_after_days: 2191", "less than or equal to 1826",
        'validate_d_after_days'),
    "notices that break nothing": (
        PRACTICE, "probation, notice_terms]", "probation]", "notice_terms_from_service needs notice_terms in behavior",
        'violations:'),
    "a code there is not": (SEED, "[SE, CS", "[SEX, CS", "codes.intimate.1: not a code of the list",
        'intimate: [SEX'),
    "a setting twice": (SEED, "adult_age: 18", "adult_age: 18\nadult_age: 19", "adult_age: stands twice; keep one",
        'adult_age: 19'),
    "a setting misspelt": (SEED, "look_back_days", "lookback_days", "charges.lookback_days: is no setting",
        'lookback_days'),
    "a list without a response": (SEED, "  D:\n    offender", "  A1:\n    offender", "tiers.A1: must be one of",
        '  A1:'),
    "not YAML": (SEED, "gaps:", "gaps", "not YAML; look at this line",
        '  charge_tier'),
}  # fmt: skip


def broken(name: str) -> str:
    text, was, now, *_ = BROKEN[name]
    assert text.count(was) >= 1, name
    return text.replace(was, now, 1)


@pytest.mark.parametrize("name", BROKEN)
def test_is_refused_with_file_line_and_mend(name: str, tmp_path: Path) -> None:
    *_, told, anchor = BROKEN[name]
    text = broken(name)
    path = tmp_path / "county.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError) as refused:
        usable(str(path))
    every = (str(refused.value), *refused.value.others)
    line = text[: text.index(anchor)].count("\n") + 1
    assert [one for one in every if one.startswith(f"{path}, line {line}: ") and told in one], every
    assert not any("\n" in one for one in every)

    done = CliRunner().invoke(app, ["policy", "check", str(path)])
    assert done.exit_code == 2
    assert f"{path}, line {line}: " in done.stderr and told in done.stderr
    again = CliRunner().invoke(app, ["replay", "--policy", str(path), str(path)])
    assert again.exit_code == 2 and not again.stdout, "no line is decided under it"


def test_there_are_twenty_or_more() -> None:
    assert len({broken(name) for name in BROKEN}) >= 20
