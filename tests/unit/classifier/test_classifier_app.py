"""The composition root, and the key of what is sealed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from schemas.policy_file import PolicyError
from schemas.topics import Topic, allowed
from services.classifier import app
from services.classifier.stream import INPUTS, USE_CASES
from services.common.errors import ConfigurationError
from services.common.seal import KEY_FILE, kept_key, sealer
from services.common.settings import CommonSettings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommonSettings:
    monkeypatch.delenv("IPVI_SEAL_KEY", raising=False)
    return CommonSettings(home=tmp_path)


def test_it_is_built_from_settings(settings: CommonSettings) -> None:
    service = app.build(settings)
    assert (service.name, service.inputs[0], service.rejects) == (
        "classifier", Topic.CLASSIFIER_COMMANDS, Topic.CLASSIFIER_REJECTS,
    )  # fmt: skip
    assert service.store.new("x").offender_id == "x"


def test_every_type_of_its_use_cases_comes_on_one_of_its_topics() -> None:
    assert all(any(allowed(topic, model.TYPE) for topic in INPUTS) for model in USE_CASES)


def test_a_bad_policy_is_told(settings: CommonSettings) -> None:
    with pytest.raises(PolicyError):
        app.build(settings.model_copy(update={"policy": "nowhere"}))


def test_a_key_that_is_too_short_is_told(settings: CommonSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPVI_SEAL_KEY", "short")
    with pytest.raises(ConfigurationError, match="IPVI_SEAL_KEY"):
        app.build(settings)


def test_a_key_is_kept_for_oneself(tmp_path: Path) -> None:
    key = kept_key(tmp_path / "home")
    assert len(key) == 64 and kept_key(tmp_path / "home") == key
    path = tmp_path / "home" / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [KEY_FILE]


def test_a_given_key_needs_no_file(settings: CommonSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPVI_SEAL_KEY", "a key from the environment")
    app.build(settings)
    assert not (settings.home / KEY_FILE).exists()


def test_a_key_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="IPVI_SEAL_KEY"):
        kept_key(tmp_path / "file")


def test_a_seal_needs_its_key() -> None:
    one, other = sealer(b"one"), sealer(b"other")
    assert one("id") == one("id") != other("id")
    assert one("id") != one("id2") and len(one("id")) == 64
