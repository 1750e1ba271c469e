"""Kafka's jars: which ones (a committed lock with versions and sha256), fetched once at set-up, verified, never at run time."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from services.common.errors import IpviError

if TYPE_CHECKING:
    from jgo.maven import Dependency

PROJECT = Path(__file__).resolve().parents[3]
LOCK = PROJECT / "deploy" / "kafka" / "jars.lock"
ROOTS = (
    "org.apache.kafka:kafka_2.13:4.1.2",
    # The broker logs through slf4j and ships no binding to log4j of its own.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3",
)
HEADER = """\
# Jars of the embedded broker: Maven coordinates and sha256, every dependency pinned.
# Written by `python -m services.cli.broker lock`; read by `make install`.
"""


class BrokerError(IpviError):
    """The embedded broker cannot be installed, started or stopped."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    group: str
    name: str
    version: str
    sha256: str

    @classmethod
    def parse(cls, line: str) -> Jar:
        coordinates, sha256 = line.split(" sha256:")
        group, name, version = coordinates.split(":")
        return cls(group, name, version, sha256)

    def __str__(self) -> str:
        return f"{self.group}:{self.name}:{self.version} sha256:{self.sha256}"

    def path(self, store: Path) -> Path:
        """Where it lies in a store with Maven's own layout."""
        return store.joinpath(*self.group.split("."), self.name, self.version, f"{self.name}-{self.version}.jar")

    def is_intact(self, store: Path) -> bool:
        path = self.path(store)
        return path.is_file() and _sha256(path) == self.sha256


def home() -> Path:
    """Where things that can be made again are kept: `IPVI_HOME`, else `.ipvi/` of the project."""
    return Path(os.environ.get("IPVI_HOME") or PROJECT / ".ipvi")


def install_jars() -> str:
    """Fetch what is missing or damaged, verify all, and mark the store as good for this lock. Safe to repeat.

    Raises:
        BrokerError: a jar cannot be had, or is not the one the lock names.
    """
    jars, store = _read_lock(), _store()
    with ThreadPoolExecutor(max_workers=6) as pool:
        fetched = sum(pool.map(lambda jar: _fetch(jar, store), jars))
    _stamp().write_text(_sha256(LOCK))
    return f"{len(jars)} jars verified, {fetched} of them fetched"


def class_path() -> str:
    """The jars as Java's `-cp`.

    Raises:
        BrokerError: `make install` has not been run for this lock.
    """
    jars, store = _read_lock(), _store()
    installed = _stamp().is_file() and _stamp().read_text() == _sha256(LOCK)
    if not installed or not all(jar.path(store).is_file() for jar in jars):
        raise BrokerError("Kafka's jars are not installed: run `make install` first")
    return os.pathsep.join(str(jar.path(store)) for jar in jars)


def class_cache() -> Path:
    """Where Java keeps Kafka's classes ready to run; `node.cache_classes` makes it."""
    return _store() / "classes.aot"


def write_lock() -> str:
    """Resolve `ROOTS` with everything they need and write the lock: for whoever moves to another version of Kafka."""
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=_store())
    resolved: dict[tuple[str, str], Dependency] = {}
    # One root at a time, Kafka's versions first: together, each root's managed versions would override the other's.
    for root in ROOTS:
        wanted, needed = context.resolver.resolve([context.create_dependency(root)])
        for found in [*wanted, *needed]:
            resolved.setdefault((found.groupId, found.artifactId), found)
    jars = [
        Jar(group, name, found.version, _sha256(found.artifact.resolve()))
        for (group, name), found in sorted(resolved.items())
    ]
    LOCK.write_text(HEADER + "".join(f"{jar}\n" for jar in jars))
    return f"{len(jars)} jars locked"


def _fetch(jar: Jar, store: Path) -> bool:
    """Returns whether it had to be fetched; what an interrupted set-up left half-written is fetched again."""
    from jgo.maven import MavenContext

    if jar.is_intact(store):
        return False
    jar.path(store).unlink(missing_ok=True)
    component = MavenContext(repo_cache=store, timeout=60).project(jar.group, jar.name).at_version(jar.version)
    try:
        component.artifact().resolve()
    except (OSError, RuntimeError) as error:
        raise BrokerError(f"{jar.name} {jar.version} cannot be fetched: {error}") from error
    if not jar.is_intact(store):
        jar.path(store).unlink(missing_ok=True)
        raise BrokerError(f"{jar.name} {jar.version} is not the jar the lock names (sha256 differs)")
    return True


def _read_lock() -> list[Jar]:
    lines = LOCK.read_text().splitlines()
    return [Jar.parse(line) for line in lines if line and not line.startswith("#")]


def _store() -> Path:
    return (home() / "jars").resolve()  # Java knows its cache by the jars' paths


def _stamp() -> Path:
    return _store() / "verified"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
