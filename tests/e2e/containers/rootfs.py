"""A file system for an image, put together from files of this machine: for engines that reach no registry."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final

_LIBRARY: Final = re.compile(r"(?:=> )?(/\S+) \(0x")
_MAGIC: Final = b"\x7fELF"
_SKIPPED: Final = "*.a"

Keep = Callable[[Path], bool]


@contextmanager
def new_rootfs(path: Path) -> Iterator[Rootfs]:
    """To be filled in the block."""
    with tarfile.open(path, "w") as tar:
        yield Rootfs(tar)


class Rootfs:
    """A tar archive in the making. Every file belongs to root; links are kept."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._programs: list[Path] = []
        self._origins: list[Path] = []
        self._files: set[str] = set()
        """Names that are in: two packages may own one file, and an engine takes no name twice."""

    def tree(self, source: Path, target: str, keep: Keep = lambda _: True) -> None:
        """A folder and what is in it, as `target`. `keep` is asked for each path, relative to the folder, from the top."""
        self._origins.append(source)
        self._branch(source, source, target, keep)

    def _branch(self, source: Path, branch: Path, target: str, keep: Keep) -> None:
        for path in sorted(branch.iterdir()):
            inner = path.relative_to(source)
            if path.match(_SKIPPED) or not keep(inner):
                continue
            self._add(path, f"{target}/{inner}")
            if path.is_dir() and not path.is_symlink():
                self._branch(source, path, target, keep)

    def file(self, source: Path, target: str) -> None:
        """One file; a link is followed."""
        self._add(source.resolve(), target)

    def module(self, source: Path, target: str) -> None:
        """One file, and if it is Python the bytecode beside it: the image may not be able to write its own."""
        self.file(source, target)
        compiled = Path(cache_from_source(str(source))) if source.suffix == ".py" else source
        if compiled != source and compiled.exists():
            self.file(compiled, f"{Path(target).parent}/__pycache__/{compiled.name}")

    def text(self, target: str, content: str, mode: int = 0o644) -> None:
        info = self._info(target, tarfile.REGTYPE, mode)
        info.size = len(content.encode())
        self._tar.addfile(info, io.BytesIO(content.encode()))

    def folder(self, target: str, mode: int = 0o755, owner: int = 0) -> None:
        info = self._info(target, tarfile.DIRTYPE, mode)
        info.uid = info.gid = owner
        self._tar.addfile(info)

    def link(self, target: str, to: str) -> None:
        info = self._info(target, tarfile.SYMTYPE, 0o777)
        info.linkname = to
        self._tar.addfile(info)

    def shell(self, busybox: Path) -> None:
        """`/bin/sh` and what an image is expected to have besides: `/tmp`, and names for two users."""
        self.file(busybox, "bin/busybox")
        self.link("bin/sh", "busybox")
        self.folder("tmp", 0o1777)
        self.text("etc/passwd", "root:x:0:0::/:/bin/sh\nserver:x:10001:10001::/tmp:/bin/sh\n")
        self.text("etc/group", "root:x:0:\nserver:x:10001:\n")

    def libraries(self, *opened: str) -> None:
        """The shared libraries that the programs added so far need, and by name those they open while running."""
        needed = {found for found in _needed(self._programs) if not self._has(found)}
        for found in sorted(needed | _known(opened)):
            self.file(found, str(found))

    def _has(self, library: Path) -> bool:
        return any(library.is_relative_to(origin) for origin in self._origins)

    def _add(self, path: Path, target: str) -> None:
        info = self._tar.gettarinfo(path, arcname=target.lstrip("/"))
        if info.name in self._files:
            return
        if not info.isdir():
            self._files.add(info.name)
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        if info.islnk():
            # A second name of a file that is in already, under its name here, which may not be the one there.
            info.type, info.linkname = tarfile.REGTYPE, ""
            info.size = path.stat().st_size
        if not info.isreg():
            self._tar.addfile(info)
            return
        with path.open("rb") as content:
            if content.read(4) == _MAGIC:
                self._programs.append(path)
            content.seek(0)
            self._tar.addfile(info, content)

    def _info(self, target: str, kind: bytes, mode: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(target.lstrip("/"))
        info.type, info.mode = kind, mode
        return info


def _needed(programs: Iterable[Path]) -> set[Path]:
    """As the dynamic loader finds them here."""
    asked = [str(program) for program in programs]
    if not asked:
        return set()
    # Exit status 1 says that some file is static, which is no fault.
    answer = subprocess.run(["ldd", *asked], capture_output=True, text=True, timeout=120, check=False)
    found = {Path(os.path.normpath(each)) for each in _LIBRARY.findall(answer.stdout)}
    # What a wheel brings along lies beside its modules, and is found from there.
    return {each for each in found if "site-packages" not in each.parts}


def _known(names: Iterable[str]) -> set[Path]:
    answer = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, timeout=20, check=True).stdout
    wanted = set(names)
    return {Path(line.split("=> ")[1]) for line in answer.splitlines() if line.split(" ")[0].strip() in wanted}
