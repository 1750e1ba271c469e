"""`ipvi letters`: from a copied sample county to wordings that are signed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.main import app
from services.common.errors import IpviError
from services.notifier.letters import Kind, load_letters
from services.notifier.letters.example import example
from tests.harness.letters import Read, county_copy, own_wording, shipped_wording

WHO = ["--by", "J. Doe", "--role", "County attorney", "--signed-on", "2026-02-01"]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["letters", *map(str, words)])


@pytest.fixture
def county(tmp_path: Path) -> Path:
    return county_copy(tmp_path)


def test_a_sample_is_enough_for_a_demonstration_alone(county: Path) -> None:
    told = run("check", "--county", county, "--sample")
    assert told.exit_code == 0 and len(told.output.splitlines()) == 24 and "runs over" not in told.output
    assert run("check", "--county", county).exit_code == 1


def test_render_then_sign_then_use(county: Path, tmp_path: Path) -> None:
    own_wording(county, "letters/c-en", shipped_wording("letters/c-en").replace('version: "1"', 'version: "2"'))
    assert "changed since it was signed" in run("check", "--county", county).output
    told = run("render", "letters/c-en", "--county", county, "--out", tmp_path / "out", "--png")
    assert told.exit_code == 0 and len(told.output.splitlines()) == 2
    read = Read.of((tmp_path / "out" / "letters" / "c-en.pdf").read_bytes())
    assert "DRAFT: NOT SIGNED OFF" in read.text
    form = re.search(r"Form ([0-9a-f]{10})", read.text)
    assert form is not None
    assert isinstance(run("sign", "letters/c-en", "--county", county, "--form", "0" * 10, *WHO).exception, IpviError)
    signed = run("sign", "letters/c-en", "--county", county, "--form", form[1].upper(), *WHO)
    assert signed.exit_code == 0
    assert (
        "version 2, the county's own" in signed.output
        and "signed by J. Doe, County attorney, 2026-02-01" in signed.output
    )
    made = load_letters(county).render(example(Kind.C))
    assert (made.version, made.signed_off and made.signed_off.by) == ("2", "J. Doe")
    assert "SAMPLE" not in Read.of(made.content).text


def test_what_is_signed_is_still_rendered_as_a_draft(county: Path, tmp_path: Path) -> None:
    form = load_letters(county).template(Kind.D, "en").form
    run("sign", "letters/d-en", "--county", county, "--form", form, *WHO)
    run("render", "letters/d-en", "--county", county, "--out", tmp_path / "out")
    assert "DRAFT" in Read.of((tmp_path / "out" / "letters" / "d-en.pdf").read_bytes()).text


def test_a_text_comes_with_its_messages(county: Path, tmp_path: Path) -> None:
    assert run("render", "texts/rights-en", "--county", county, "--out", tmp_path / "out").exit_code == 0
    told = (tmp_path / "out" / "texts" / "rights-en.txt").read_text("utf-8")
    assert told.startswith("SMS, ") and "Subject: A note from Sample County Services" in told and "DRAFT" in told


def test_an_advocates_own_deployment_has_no_letters(county: Path) -> None:
    (county / "letters.yaml").unlink()
    told = run("check", "--county", county, "--sample")
    assert told.exit_code == 0 and "letters/" not in told.output and len(told.output.splitlines()) == 8


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["render", "lettres/c-en"], "no such template"),
        (["render", "letters/e-en"], "no such template; known: letters/a-en"),
        (["check", "--county", "/nonexistent"], "neither letters.yaml nor texts.yaml"),
        (["sign", "letters/c-en", "--form", "0", *WHO], "name the county's folder"),
    ],
)
def test_what_is_not_there_is_said(words: list[str], error: str) -> None:
    told = run(*words)
    assert isinstance(told.exception, IpviError) and error in str(told.exception)
