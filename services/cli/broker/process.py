"""A server process that cannot outlive the process that started it."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

# Waits for the end of its input, which comes when the starter is gone, however it went, then signals the group.
# `PR_SET_PDEATHSIG` would fire as soon as the *thread* that started the server ended, and is lost on a change of user.
WATCHDOG = 'read -r _; kill -s "$1" -- "-$2" 2>/dev/null'
# Below the range from which systems take the ports of outgoing connections, which would race for a port found free.
PORTS = range(15_000, 32_000)


def free_port() -> int:
    """A loopback TCP port that nothing listens on now.

    Raises:
        OSError: none was found in 200 tries.
    """
    for _ in range(200):
        port = secrets.choice(PORTS)  # not of `random`: tests seed that, and two would have the same
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port found on loopback")


class Identity(TypedDict, total=False):
    """`subprocess` arguments that change whom a child runs as."""

    user: int
    group: int
    extra_groups: list[int]


def as_user(name: str | None) -> Identity:
    """Run a child as that user and its own group alone; None changes nothing."""
    if name is None:
        return {}
    entry = pwd.getpwnam(name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class BoundProcess:
    """A child in its own process group, its output in a file; when this process dies, the child gets `at_death`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        at_death: signal.Signals = signal.SIGKILL,
    ) -> None:
        with log.open("wb") as output:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=log.parent,
                start_new_session=True,
                **as_user(user),
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, "watchdog", at_death.name.removeprefix("SIG"), str(self._child.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def send(self, number: signal.Signals) -> None:
        """To the whole group: `SIGSTOP` and `SIGCONT` make a zombie of a server, `SIGKILL` a crash."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)

    def stop(self, *, first: signal.Signals = signal.SIGTERM, patience: float = 20.0) -> None:
        """Ask with `first`, wait up to `patience` seconds, then kill. Safe to repeat."""
        if self.alive:
            self.send(first)
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(patience)
        if self.alive:
            self.send(signal.SIGKILL)
        self._child.wait()
        self._watchdog.kill()
        self._watchdog.communicate()
