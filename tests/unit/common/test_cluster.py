"""How Kafka is reached: one place makes every client's arguments, and no password gets out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from faststream.kafka.security import parse_security

from services.cli.acls import BESIDE
from services.common.cluster import Cluster, SaslMechanism, SecurityProtocol
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings
from services.common.stream import security
from services.notifier.alerts import GROUP

SERVICES = Path(__file__).parents[3] / "services"
SECRET = "s3cret-of-the-brokers"


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    path.write_text(f"{SECRET}\nsecond line\n")
    return path


def settings(password: Path, **other: object) -> CommonSettings:
    given = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_USERNAME": "ipvi-notifier", "KAFKA_PASSWORD_FILE": password}
    return CommonSettings(**{**given, **other})  # type: ignore[arg-type]


def test_without_a_word_it_is_as_on_one_machine() -> None:
    cluster = CommonSettings().kafka
    assert cluster.client() == {"bootstrap_servers": "127.0.0.1:9092"}
    assert cluster.admin() == {"bootstrap.servers": "127.0.0.1:9092", "log_level": 0}
    assert Cluster.of("127.0.0.1:9092") == cluster
    assert Cluster.of(cluster) is cluster


@pytest.mark.parametrize("mechanism", SaslMechanism)
@pytest.mark.parametrize("protocol", [SecurityProtocol.SASL_SSL, SecurityProtocol.SASL_PLAINTEXT])
def test_a_log_in_in_the_words_of_each_library(
    password: Path, protocol: SecurityProtocol, mechanism: SaslMechanism
) -> None:
    made = settings(password, KAFKA_SECURITY_PROTOCOL=protocol, KAFKA_SASL_MECHANISM=mechanism).kafka
    client, admin = made.client(), made.admin()
    assert (client["security_protocol"], admin["security.protocol"]) == (protocol, protocol)
    assert (client["sasl_mechanism"], admin["sasl.mechanism"]) == (mechanism, mechanism)
    assert (client["sasl_plain_username"], admin["sasl.username"]) == ("ipvi-notifier", "ipvi-notifier")
    assert (client["sasl_plain_password"], admin["sasl.password"]) == (SECRET, SECRET)
    assert (client["ssl_context"] is not None) is protocol.is_encrypted
    how = parse_security(security(made))
    assert how == {name: value for name, value in client.items() if name != "bootstrap_servers"}


def test_brokers_are_verified(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    made = CommonSettings(KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_CA_FILE=tmp_path / "ca.pem").kafka
    tls = made.client()["ssl_context"]
    assert (tls.check_hostname, len(tls.get_ca_certs())) == (True, 1)
    assert made.admin() == {
        "bootstrap.servers": "127.0.0.1:9092", "log_level": 0, "security.protocol": "SSL",
        "ssl.ca.location": str(tmp_path / "ca.pem"),
    }  # fmt: skip
    (tmp_path / "odd.pem").write_text("no certificate")
    for name in ("odd.pem", "nothing.pem"):
        with pytest.raises(ConfigurationError, match=f"KAFKA_CA_FILE: .*{name} cannot be read"):
            replace(made, ca_file=tmp_path / name).client()


def test_the_password_is_in_no_text(password: Path) -> None:
    made = settings(password)
    assert SECRET not in f"{made!r} {made} {made.kafka!r} {made.kafka} {made.model_dump()}"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"KAFKA_USERNAME": ""}, "KAFKA_USERNAME and KAFKA_PASSWORD_FILE"),
        ({"KAFKA_PASSWORD_FILE": ""}, "KAFKA_USERNAME and KAFKA_PASSWORD_FILE"),
        ({"KAFKA_PASSWORD_FILE": "/nowhere/at/all"}, "/nowhere/at/all cannot be read"),
    ],
)
def test_a_log_in_that_is_not_whole(password: Path, given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        _ = settings(password, **given).kafka


def test_a_password_file_that_others_may_read_or_that_is_empty(password: Path) -> None:
    password.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600") as raised:
        _ = settings(password).kafka
    assert SECRET not in str(raised.value)
    password.chmod(0o600)
    password.write_text("\n")
    with pytest.raises(ConfigurationError, match="is empty"):
        _ = settings(password).kafka


def test_no_client_is_made_without_it() -> None:
    """Addresses go to a client through `Cluster` alone; what a partner is given to start from is its own."""
    words = re.compile(r"bootstrap_servers\s*=|[\"']bootstrap\.servers[\"']")
    found = {
        str(path.relative_to(SERVICES))
        for path in SERVICES.rglob("*.py")
        if "scaffold" not in path.parts and words.search(path.read_text("utf-8"))
    }
    assert found == {"common/cluster.py", "cli/broker/node.py"}
    assert BESIDE["notifier"][0] == GROUP
