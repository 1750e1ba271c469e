"""Kafka and PostgreSQL as containers, on the host's loopback, ended with their block."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from testcontainers.core.container import DockerContainer

from services.cli.broker.process import free_port
from services.cli.broker.settings import server_properties
from tests.e2e.containers.images import Images, postgres_binaries

READY_S: Final = 60.0
ON_HOST: Final[dict[str, Any]] = {"network_mode": "host"}
"""Where they bind to loopback: an engine without a bridge will do, and nothing is published."""
PASSWORD: Final = "only-for-this-test"
CLUSTER_ID: Final = "aXB2aS10ZXN0LWNsdXN0ZQ"
KAFKA_SCRIPT: Final = """
set -e
printf '%s' "$PROPERTIES" > /tmp/server.properties
java() { /opt/java/bin/java -cp '/opt/kafka/libs/*' -Dlog4j2.configurationFile=/opt/kafka/log4j2.properties "$@"; }
java -XX:+UseSerialGC kafka.tools.StorageTool format --cluster-id="$CLUSTER_ID" -c /tmp/server.properties
exec /opt/java/bin/java -cp '/opt/kafka/libs/*' -Dlog4j2.configurationFile=/opt/kafka/log4j2.properties \
  -Xmx512m -XX:+UseSerialGC kafka.Kafka /tmp/server.properties
"""
POSTGRES_SCRIPT: Final = """
set -e
printf '%s' "$POSTGRES_PASSWORD" > /tmp/password
"$BINARIES/initdb" --pgdata=/var/lib/postgresql/data --username=ipvi --pwfile=/tmp/password \
  --auth=scram-sha-256 --encoding=UTF8 --no-locale --no-sync
exec "$BINARIES/postgres" -D /var/lib/postgresql/data "$@"
"""


@contextmanager
def running(container: DockerContainer) -> Iterator[DockerContainer]:
    """Started, and removed at the end of the block."""
    container.start()
    try:
        yield container
    finally:
        container.stop()
        container.get_docker_client().client.close()


@contextmanager
def kafka(images: Images) -> Iterator[str]:
    """Bootstrap servers of one KRaft node."""
    port = free_port()
    text = server_properties(
        Path("/var/lib/kafka"),
        port=port,
        controller_port=free_port(),
        proxied_port=None,
        advertised_proxy_port=None,
    )
    container = DockerContainer(images.kafka, **ON_HOST).with_env("CLUSTER_ID", CLUSTER_ID)
    if images.are_stock:
        for line in text.splitlines():
            name, value = line.split("=", 1)
            container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
        container.with_env("KAFKA_LOG_DIRS", "/tmp/kraft-logs")
    else:
        container.with_env("PROPERTIES", text).with_command(["/bin/sh", "-c", KAFKA_SCRIPT])
    with running(container):
        admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0})
        until("Kafka answers", lambda: _answers(admin), container)
        yield f"127.0.0.1:{port}"


@contextmanager
def postgres(images: Images) -> Iterator[str]:
    """URL of an empty database."""
    port = free_port()
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", "fsync=off"]
    container = DockerContainer(images.postgres, **ON_HOST).with_env("POSTGRES_PASSWORD", PASSWORD)
    if images.are_stock:
        container.with_env("POSTGRES_USER", "ipvi").with_env("POSTGRES_DB", "postgres")
        container.with_command(["postgres", *options])
    else:
        options += ["-c", "unix_socket_directories="]
        container.with_env("BINARIES", str(postgres_binaries()))
        container.with_command(["/bin/sh", "-c", POSTGRES_SCRIPT, "start", *options])
    url = f"postgresql://ipvi:{PASSWORD}@127.0.0.1:{port}/postgres"
    with running(container):
        until("PostgreSQL answers", lambda: asyncio.run(_select_1(url)), container)
        yield url


def until(
    what: str, is_so: Callable[[], bool], container: DockerContainer | None = None, timeout: float = READY_S
) -> None:
    """Raises: AssertionError with the container's last words, if it has ended or the time is over."""
    deadline = time.monotonic() + timeout
    while not is_so():
        ended = container is not None and status(container) == "exited"
        if ended or time.monotonic() > deadline:
            raise AssertionError(f"not seen in {timeout:.0f} s: {what}\n{words(container)}")
        time.sleep(0.1)


def status(container: DockerContainer) -> str:
    """`running`, `exited` and so on."""
    inner = container.get_wrapped_container()
    inner.reload()
    return str(inner.status)


def words(container: DockerContainer | None, lines: int = 40) -> str:
    """The last lines it wrote."""
    if container is None:
        return ""
    return str(container.get_wrapped_container().logs(tail=lines).decode(errors="replace"))


def _answers(admin: AdminClient) -> bool:
    try:
        return len(admin.list_topics(timeout=2).brokers) == 1
    except KafkaException:
        return False


async def _select_1(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True
