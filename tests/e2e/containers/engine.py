"""The Docker engine the suite runs on: the one that answers, else one of its own, started as root."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from services.cli.broker.process import BoundProcess

START_S = 30.0
API = "1.41"
"""Of Debian 12's engine; named, because asking for it would fail where no engine is."""
# No bridge and no address translation: containers use the host's network and bind to loopback.
OPTIONS = ("--bridge=none", "--iptables=false", "--ip6tables=false", "--log-level=warn")
MEMORY = Path("/dev/shm")
PLENTY = 4 * 2**30
STORAGE = ("overlay2", "vfs")
"""In this order: the first needs a file system underneath that is not itself an overlay."""


class NoEngineError(RuntimeError):
    """No Docker engine answers, and none can be started: install docker.io and run as root, or start an engine."""

    def __str__(self) -> str:
        return " ".join((self.__doc__ or "").split())


@dataclass(frozen=True, slots=True)
class Engine:
    """`own`: started by the suite, gone with it, with no images but those the suite makes."""

    client: docker.DockerClient
    address: str
    own: bool


@contextmanager
def engine() -> Iterator[Engine]:
    """Raises: NoEngineError."""
    given = _answering(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    if given is not None:
        with closing(given.client):
            yield given
        return
    dockerd = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if dockerd is None or os.getuid() != 0:
        raise NoEngineError
    with tempfile.TemporaryDirectory(prefix="ipvi-docker-", dir=_room(), ignore_cleanup_errors=True) as folder:
        process, started = _start(dockerd, Path(folder))
        try:
            yield started
        finally:
            started.client.close()
            process.stop(patience=START_S)
            # What the daemon leaves mounted would keep the folder.
            subprocess.run(
                ["umount", f"{folder}/exec-root/netns/default"], capture_output=True, timeout=10, check=False
            )


def _start(dockerd: str, folder: Path) -> tuple[BoundProcess, Engine]:
    """Raises: NoEngineError; the daemon's last words are its cause."""
    log = folder / "dockerd.log"
    for storage in STORAGE:
        address = f"unix://{folder / 'docker.sock'}"
        places = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
        process = BoundProcess(
            [dockerd, f"--host={address}", f"--storage-driver={storage}", *places, *OPTIONS],
            log=log,
            at_death=signal.SIGTERM,
        )
        deadline = time.monotonic() + START_S
        while process.alive and time.monotonic() < deadline:
            if started := _answering(address, own=True):
                return process, started
            time.sleep(0.05)
        process.stop()
    raise NoEngineError from RuntimeError(log.read_text(errors="replace")[-2000:])


def _answering(address: str, *, own: bool = False) -> Engine | None:
    if not _listens(address):
        return None
    client = docker.DockerClient(base_url=address, timeout=120, version=API)
    with suppress(DockerException, RequestException, OSError):
        client.ping()
        return Engine(client, address, own)
    client.close()
    return None


def _room() -> str | None:
    """In memory if there is plenty: images are tens of thousands of small files that live for a minute."""
    return str(MEMORY) if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > PLENTY else None


def _listens(address: str) -> bool:
    """Asked first: Docker's client leaves its socket open when nobody answers."""
    kind, _, path = address.partition("://")
    if kind != "unix":
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0
