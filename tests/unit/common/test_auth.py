"""The tokens file and the guard."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from schemas.commands import Role
from services.common.auth import Person, Tokens, TokensFileError, read_tokens

SECRET = "zJ8-secret-of-someone"


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


ENTRY = {"sha256": digest(SECRET), "person": "m.ortiz", "roles": ["officer"]}


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_json_lines_and_yaml_say_the_same(tmp_path: Path) -> None:
    other = {**ENTRY, "sha256": digest("another"), "person": "j.lee", "roles": ["operator", "coordinator"]}
    lines = written(tmp_path / "a", f"{json.dumps(ENTRY)}\n\n{json.dumps(other)}\n")
    listed = written(
        tmp_path / "b",
        f"- {{sha256: {ENTRY['sha256']}, person: m.ortiz, roles: [officer]}}\n"
        f"- {{sha256: {other['sha256']}, person: j.lee, roles: [operator, coordinator]}}\n",
    )
    assert read_tokens(lines) == read_tokens(listed)
    assert read_tokens(lines).person_of(f"Bearer {SECRET}") == Person("m.ortiz", frozenset({Role.OFFICER}))
    assert read_tokens(lines).person_of("bearer another") == Person(
        "j.lee", frozenset({Role.OPERATOR, Role.COORDINATOR})
    )


@pytest.mark.parametrize(
    ("roles", "agency", "fits"),
    [
        (["officer"], None, True),
        (["officer"], "NC0410200", True),
        (["officer", "coordinator"], "NC0410200", True),
        (["agency"], "NC0410200", True),
        (["agency"], None, False),
        (["advocate"], "NC0410200", False),
    ],
)
def test_an_agency_is_its_systems_and_its_officers(
    tmp_path: Path, roles: list[str], agency: str | None, *, fits: bool
) -> None:
    entry = {**ENTRY, "roles": roles} | ({"agency": agency} if agency else {})
    path = written(tmp_path / "t", json.dumps(entry))
    if not fits:
        with pytest.raises(TokensFileError, match="entry 1 is not right"):
            read_tokens(path)
        return
    person = read_tokens(path).person_of(f"Bearer {SECRET}")
    assert person is not None and person.agency == agency


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", f"Basic {SECRET}", SECRET, "Bearer wrong", "Bearer é"]
)
def test_anything_else_is_nobody(tmp_path: Path, header: str | None) -> None:
    assert read_tokens(written(tmp_path / "t", json.dumps(ENTRY))).person_of(header) is None


def test_no_file_is_nobody() -> None:
    assert read_tokens(None) == Tokens()
    assert Tokens().person_of(f"Bearer {SECRET}") is None


def test_an_empty_file_is_nobody(tmp_path: Path) -> None:
    assert read_tokens(written(tmp_path / "t", "")) == Tokens()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{broken", "neither JSON lines nor a YAML list"),
        ("- [unclosed", "neither JSON lines nor a YAML list"),
        ("just words", "the list is not right"),
        (json.dumps({**ENTRY, "sha256": SECRET}), "entry 1, field sha256"),
        (json.dumps({**ENTRY, "roles": ["king"]}), "entry 1, field roles"),
        (json.dumps({**ENTRY, "roles": []}), "entry 1, field roles"),
        (json.dumps({**ENTRY, SECRET: 1}), "entry 1 is not right"),
        (f"{json.dumps(ENTRY)}\n{json.dumps({**ENTRY, 'person': ''})}", "entry 2, field person"),
        (f"{json.dumps(ENTRY)}\n{json.dumps(ENTRY)}", "twice"),
    ],
)
def test_a_wrong_file_is_one_clear_line_without_its_values(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TokensFileError) as raised:
        read_tokens(written(tmp_path / "t", text))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert SECRET not in str(raised.value)
    assert "king" not in str(raised.value)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(TokensFileError, match="UTF-8"):
        read_tokens(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TokensFileError, match="No such file"):
        read_tokens(tmp_path / "absent")


def test_a_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(TokensFileError, match="Is a directory"):
        read_tokens(tmp_path)


@pytest.mark.parametrize(
    ("mode", "refused"), [(0o600, False), (0o640, False), (0o660, True), (0o644, True), (0o602, True)]
)
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int, refused: bool) -> None:
    path = written(tmp_path / "t", json.dumps(ENTRY), mode)
    if refused:
        with pytest.raises(TokensFileError, match="chmod 640"):
            read_tokens(path)
    else:
        assert len(read_tokens(path).entries) == 1
