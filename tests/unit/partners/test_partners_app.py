"""The composition root: what it is built from, and who stands in health."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from schemas.partner_file import FOLDER, load_partners
from schemas.topics import Topic
from services.cli.acls import acls
from services.cli.group import part_of
from services.cli.main import app
from services.cli.serve import ServiceName
from services.common.auth import TokensFileError, read_tokens
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings
from services.partners.app import build, partners_of
from services.partners.settings import PartnersSettings


@pytest.fixture
def settings(tmp_path: Path) -> CommonSettings:
    return CommonSettings(home=tmp_path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    shutil.copytree(FOLDER, folder)
    return folder


async def test_every_partner_has_a_part_of_its_own(settings: CommonSettings, files: Path) -> None:
    service = build(settings, PartnersSettings(partners=files))
    assert [post.copies.name for post in service.posts] == [
        "partners_district_attorney",
        "partners_sheriff",
        "partners_university",
    ]
    key = settings.home / "partners.key"
    assert key.stat().st_mode & 0o077 == 0
    assert len({post.copies.terms.pseudonyms.of_kind("offender", "O-1") for post in service.posts}) == 3
    again = build(settings, PartnersSettings(partners=files))
    ids = [
        [post.copies.terms.pseudonyms.of_kind("offender", "O-1") for post in each.posts] for each in (service, again)
    ]
    assert ids[0] == ids[1]
    assert "key" not in repr(service.posts[0].copies.terms)


async def test_one_file_that_cannot_be_used_shows_in_health(settings: CommonSettings, files: Path) -> None:
    (files / "sheriff.yaml").write_text("id: sheriff\n")
    service = build(settings, PartnersSettings(partners=files))
    assert len(service.posts) == 2
    found = await service.health()
    assert (found.healthy, found.lanes["sheriff.yaml"], found.lanes["university"]) == (
        False,
        "file_not_usable",
        "starting",
    )


def test_no_partner_is_no_service(settings: CommonSettings, files: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="IPVI_PARTNERS: no partner file there"):
        build(settings, PartnersSettings())
    for path in files.glob("*.yaml"):
        path.write_text("id: 1\n")
    with pytest.raises(ConfigurationError, match=r"sheriff.yaml, line 1: id: must be text"):
        build(settings, PartnersSettings(partners=files))
    assert partners_of(PartnersSettings()) == []


def test_a_key_must_be_long_enough() -> None:
    with pytest.raises(ValidationError):
        PartnersSettings(partners_key="short")


def test_tokens_of_partners(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.yaml"
    tokens.touch(mode=0o600)
    tokens.write_text(f"- {{sha256: {'a' * 64}, person: da, roles: [partner], partner: da-18b}}\n")
    ((_, person),) = read_tokens(tokens).entries
    assert person.partner == "da-18b"
    for wrong in ("roles: [partner]", "roles: [officer], partner: da-18b", "roles: [partner], partner: Not An Id"):
        tokens.write_text(f"- {{sha256: {'a' * 64}, person: da, {wrong}}}\n")
        with pytest.raises(TokensFileError):
            read_tokens(tokens)


def test_which_part_a_tool_is_for() -> None:
    assert part_of(ServiceName.NOTIFIER, None) == "notifier"
    assert part_of(ServiceName.PARTNERS, "da-18b") == "partners_da_18b"
    for service, partner in ((ServiceName.PARTNERS, None), (ServiceName.NOTIFIER, "x"), (ServiceName.PARTNERS, "../x")):
        with pytest.raises(ConfigurationError):
            part_of(service, partner)


def test_acls_are_those_of_topics_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    partners = load_partners(FOLDER)[0]
    found = acls(partners)
    assert found == sorted(set(found))
    of = {who: {(acl.operation, acl.name) for acl in found if acl.principal == f"User:{who}"} for who in (
        "partner-sheriff", "ipvi-notifier", "ipvi-partners", "ipvi-intake",
    )}  # fmt: skip
    assert of["partner-sheriff"] == {
        ("read", "ipvi.partner.sheriff.v1"),
        ("describe", "ipvi.partner.sheriff.v1"),
        ("read", "ipvi.partner.sheriff."),
    }
    restricted = {topic.value for topic in Topic if topic.classification == "restricted"}
    for who in ("partner-sheriff", "ipvi-notifier", "ipvi-partners"):
        assert not restricted & {name for _, name in of[who]}, who
    assert ("write", Topic.INCIDENTS.value) in of["ipvi-intake"]
    assert ("read", "ipvi-partners_sheriff") in of["ipvi-partners"]
    monkeypatch.setenv("IPVI_PARTNERS", str(FOLDER))
    told = CliRunner().invoke(app, ["topics", "acls"])
    assert told.exit_code == 0
    assert told.output.splitlines() == [str(acl) for acl in found]
    assert "User:partner-sheriff read group ipvi.partner.sheriff.*" in told.output
