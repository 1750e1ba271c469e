"""What every service reads from its environment. A service's own settings extend these."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.common.cluster import Cluster, SaslMechanism, SecurityProtocol, read_password
from services.common.errors import ConfigurationError


class CommonSettings(BaseSettings):
    """Environment variables `IPVI_*`; what is said of Kafka and PostgreSQL everywhere keeps its usual name."""

    model_config = SettingsConfigDict(env_prefix="IPVI_", extra="ignore")

    kafka_bootstrap_servers: Annotated[str, Field(validation_alias="KAFKA_BOOTSTRAP_SERVERS")] = "127.0.0.1:9092"
    kafka_security_protocol: Annotated[SecurityProtocol, Field(validation_alias="KAFKA_SECURITY_PROTOCOL")] = (
        SecurityProtocol.PLAINTEXT
    )
    """With `SASL_` a log-in is made, with `SSL` brokers are verified and all is encrypted (`docs/security.md`)."""
    kafka_sasl_mechanism: Annotated[SaslMechanism, Field(validation_alias="KAFKA_SASL_MECHANISM")] = (
        SaslMechanism.SCRAM_SHA_512
    )
    kafka_username: Annotated[str | None, Field(validation_alias="KAFKA_USERNAME")] = None
    """The principal that `ipvi topics acls` names, without `User:`."""
    kafka_password_file: Annotated[Path | None, Field(validation_alias="KAFKA_PASSWORD_FILE")] = None
    """Its first line is the password; mode 600 or 640."""
    kafka_ca_file: Annotated[Path | None, Field(validation_alias="KAFKA_CA_FILE")] = None
    """PEM certificates by which brokers are verified. None: those this machine trusts."""
    database_url: Annotated[str | None, Field(validation_alias="DATABASE_URL")] = None
    """SQLAlchemy or libpq URL. None: SQLite files under `home`. In PostgreSQL each service has a schema of its own."""
    databases: dict[str, str] = {}
    """The same for each service by its name, for commands that work with several (of all partners `partners`); where it names
    one, `database_url` does not count for that."""
    home: Path = Path(".ipvi")
    policy: str = "high-point-practice"
    """Id of a policy in `policies/`, or the path of a policy file."""
    county: Path | None = None
    """Folder of the county's letterhead, wordings and sign-offs (`docs/letters.md`). None: no letter and no text is made, so
    no message to her leaves."""
    tokens_file: Path | None = None
    """Who may call the API: JSON lines of SHA-256, person, roles. None: nobody may."""
    api_host: str = "127.0.0.1"
    api_port: int = 0
    replica: Annotated[str, Field(max_length=56)] = "0"
    """Stable name of this replica: a restart takes its lanes back at once (static membership). No two may share one: the
    process that started first ends."""
    partitions: Annotated[int, Field(ge=1)] = 24
    ticks: bool = True
    as_of: Annotated[str, Field(pattern="^(now|reported)$")] = "now"
    """`reported`: ticks never run ahead of the records' own time."""
    session_timeout_ms: int = 10_000
    transaction_timeout_ms: int = 10_000
    metadata_max_age_ms: int = 30_000
    """How soon it is noticed that somebody changed a topic."""
    max_batch: int = 250
    cached_states: Annotated[int, Field(ge=0)] = 1_200
    """Offenders whose state stays in memory between batches, over all lanes; some 10 KB each. Others are read from SQL."""
    pipeline: bool = True
    """Write batch n+1 to SQL while batch n is published."""

    @field_validator("kafka_username", "kafka_password_file", "kafka_ca_file", mode="before")
    @classmethod
    def _empty_is_none(cls, given: object) -> object:
        return given or None

    @property
    def kafka(self) -> Cluster:
        """How every client of ours reaches Kafka. Raises `ConfigurationError`."""
        user, file, protocol = self.kafka_username, self.kafka_password_file, self.kafka_security_protocol
        if protocol.logs_in and (user is None or file is None):
            raise ConfigurationError(
                f"KAFKA_SECURITY_PROTOCOL is {protocol}: set KAFKA_USERNAME and KAFKA_PASSWORD_FILE"
            )
        return Cluster(
            self.kafka_bootstrap_servers,
            protocol,
            self.kafka_sasl_mechanism,
            user or "",
            read_password(file) if protocol.logs_in and file is not None else "",
            self.kafka_ca_file,
        )


T = TypeVar("T", bound=BaseSettings)


def settings_or_error(kind: type[T]) -> T:
    """Settings from the environment. Raises `ConfigurationError` naming the variables that are wrong, not their values."""
    try:
        return kind()
    except ValidationError as wrong:
        places = [error["loc"] for error in wrong.errors(include_input=False)]
        names = [_variable(kind, str(place[0])) for place in places if place] or ["taken together"]
        raise ConfigurationError(f"these settings are not usable: {', '.join(dict.fromkeys(names))}") from None


def _variable(kind: type[BaseSettings], name: str) -> str:
    """A field goes by the prefix, one with a name of its own by that."""
    own = kind.model_fields.get(name)
    return name if own is None or own.validation_alias else f"{kind.model_config['env_prefix']}{name}".upper()
