"""How Kafka is reached: addresses, log-in and certificates, and what each client library calls them. The one place for both.

A county's brokers know each service by its own credentials (`ipvi topics acls`). The password is read from a file, stands in
no environment, and is in no log, no error and no `repr`.
"""

from __future__ import annotations

import ssl
import stat
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Self

from services.common.errors import ConfigurationError

_TOO_OPEN = stat.S_IWGRP | stat.S_IRWXO


class SecurityProtocol(StrEnum):
    """As Kafka calls them."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def logs_in(self) -> bool:
        return self.startswith("SASL")

    @property
    def is_encrypted(self) -> bool:
        return self.endswith("SSL")


class SaslMechanism(StrEnum):
    """Those that need a name and a password and nothing else."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Brokers, and as whom we come. As text: its addresses alone."""

    servers: str
    protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    """PEM certificates by which brokers are verified; None: those this machine trusts."""

    def __str__(self) -> str:
        return self.servers

    @classmethod
    def of(cls, where: Self | str) -> Self:
        """A text is addresses without a log-in, as of the embedded broker."""
        return cls(where) if isinstance(where, str) else where

    def client(self) -> dict[str, Any]:
        """Arguments of every client of aiokafka. Raises `ConfigurationError`."""
        made: dict[str, Any] = {"bootstrap_servers": self.servers}
        if self.protocol is not SecurityProtocol.PLAINTEXT:
            made |= {"security_protocol": str(self.protocol), "ssl_context": self.tls()}
        if self.protocol.logs_in:
            made |= {
                "sasl_mechanism": str(self.mechanism),
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return made

    def admin(self) -> dict[str, Any]:
        """Configuration of confluent-kafka's clients, which are told to log nothing."""
        made: dict[str, Any] = {"bootstrap.servers": self.servers, "log_level": 0}
        if self.protocol is not SecurityProtocol.PLAINTEXT:
            made["security.protocol"] = str(self.protocol)
        if self.protocol.is_encrypted and self.ca_file is not None:
            made["ssl.ca.location"] = str(self.ca_file)
        if self.protocol.logs_in:
            made |= {
                "sasl.mechanism": str(self.mechanism),
                "sasl.username": self.username,
                "sasl.password": self.password,
            }
        return made

    def tls(self) -> ssl.SSLContext | None:
        """By which brokers are verified; None: nothing is encrypted. Raises `ConfigurationError`."""
        return _verified_by(self.ca_file) if self.protocol.is_encrypted else None

    @property
    def unreachable(self) -> str:
        """What is said where no client gets through; libraries do not always tell why."""
        secured = self.protocol is not SecurityProtocol.PLAINTEXT
        why = f", or it does not take {self.protocol} as set up (docs/security.md)" if secured else ""
        return f"no Kafka broker answers at {self.servers}{why}"


@cache
def _verified_by(ca_file: Path | None) -> ssl.SSLContext:
    """Once a process: each lane has a client of its own."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError:  # an `ssl.SSLError` too
        raise ConfigurationError(f"KAFKA_CA_FILE: {ca_file} cannot be read as PEM certificates") from None


def read_password(path: Path) -> str:
    """The first line of a file that is its owner's, or its group's. Raises `ConfigurationError`."""
    try:
        if path.stat().st_mode & _TOO_OPEN:
            raise ConfigurationError(f"KAFKA_PASSWORD_FILE: {path} may be read by others; chmod 600")
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"KAFKA_PASSWORD_FILE: {path} cannot be read") from None
    if not lines or not lines[0]:
        raise ConfigurationError(f"KAFKA_PASSWORD_FILE: {path} is empty; its first line is the password")
    return lines[0]
