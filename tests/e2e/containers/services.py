"""Our own image: a job that ends, and a service that is asked and stopped. Hardened as in `deploy/compose.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

from testcontainers.core.container import DockerContainer

from services.cli.broker.process import free_port
from tests.e2e.containers.servers import ON_HOST, running, status, words

JOB_S: Final = 90
STOP_S: Final = 30
HARDENED: Final[dict[str, Any]] = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
}


@dataclass(frozen=True, slots=True)
class Place:
    """The image, and where it finds the servers and the operator's token."""

    image: str
    bootstrap: str
    database: str
    partitions: int
    token: Path

    def container(self, *command: str, port: int = 0) -> DockerContainer:
        """Not started yet."""
        tokens = self.token.with_name("tokens.jsonl")
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "DATABASE_URL": self.database,
            "IPVI_PARTITIONS": str(self.partitions),
            "IPVI_AS_OF": "reported",
            "IPVI_SEAL_KEY": "only-for-this-test",
            "IPVI_API_PORT": str(port),
            "IPVI_TOKENS_FILE": "/run/secrets/tokens",
            "IPVI_HEALTH_TOKEN_FILE": "/run/secrets/health_token",
        }
        # The files' group, by which alone the image's user may read them.
        group = [str(tokens.stat().st_gid)]
        made = DockerContainer(self.image, **ON_HOST, **HARDENED, group_add=group).with_command(list(command))
        made.with_tmpfs_mount("/tmp")
        for name, value in environment.items():
            made.with_env(name, value)
        made.with_volume_mapping(str(tokens), "/run/secrets/tokens", "ro")
        return made.with_volume_mapping(str(self.token), "/run/secrets/health_token", "ro")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a job came to."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service that runs, and its API's port."""

    container: DockerContainer
    port: int


def job(place: Place, *command: str, sample: Path | None = None) -> Ended:
    """Run it to its end, at most `JOB_S` seconds; `sample`'s folder is `/in`."""
    container = place.container(*command)
    if sample is not None:
        container.with_volume_mapping(str(sample.parent), "/in", "ro")
    with running(container):
        ended = container.get_wrapped_container().wait(timeout=JOB_S)
        return Ended(ended["StatusCode"], words(container))


@contextmanager
def service(place: Place, name: str) -> Iterator[Service]:
    """`ipvi serve NAME`."""
    port = free_port()
    with running(place.container("serve", name, port=port)) as container:
        yield Service(container, port)


def stop(given: Service) -> tuple[int, str]:
    """As `docker stop` does; the exit status (137 if it had to be killed) and all that it wrote."""
    inner = given.container.get_wrapped_container()
    inner.stop(timeout=STOP_S)
    assert status(given.container) == "exited"
    return int(inner.attrs["State"]["ExitCode"]), words(given.container, lines=100_000)


def answers(place: Place, port: int, path: str) -> bool:
    """Whether the operator gets 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {place.token.read_text()}"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
