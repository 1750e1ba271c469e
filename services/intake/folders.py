"""A watched folder's files: which are whole, where they go once they are taken, and when they are removed."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Final

from services.intake.lines import Stamp, stamp_of

DONE, FAILED = "done", "failed"
_UNFINISHED: Final = (".part", ".tmp", ".filepart", ".crdownload")
_LONGEST: Final = 255
"""Bytes of a file's name."""


def files(folder: Path) -> list[Path]:
    """Whole files, in the order of their names; the folder is made where it is not there.

    No links: whoever may write here must not have a file of elsewhere read, nor his own moved into another feed's folder.
    Raises `OSError` where the folders for what is done are such.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any((folder / name).is_symlink() for name in (DONE, FAILED)):
        raise OSError(errno.ELOOP, "done or failed is a link")
    found = [path for path in folder.iterdir() if not path.name.startswith(".") and path.suffix not in _UNFINISHED]
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def move(path: Path, stamp: Stamp, to: str, reason: str | None) -> bool:
    """Atomic; a name that is there already gets a number, one that is too long for what is added to it is cut.

    False where another file has come under this name: it stays.
    """
    if stamp_of(path.stat()) != stamp:
        return False
    folder = path.parent / to
    folder.mkdir(mode=0o700, exist_ok=True)
    with suppress(PermissionError):
        folder.chmod(0o700)  # whoever sent them may have left the files open to all
    goal, why, number = folder / path.name, folder / _with(path.name, ".reason"), 0
    while goal.exists() or (reason is not None and why.exists()):
        number += 1
        goal, why = folder / _with(path.name, f".{number}"), folder / _with(path.name, f".{number}.reason")
    if reason is not None:
        why.write_text(reason, "utf-8", "replace")
    path.replace(goal)
    if stamp_of(goal.stat()) == stamp:
        return True
    if not path.exists():  # it came in this very moment
        goal.replace(path)
    return False


def forget_done(folder: Path, before: float) -> int:
    """Remove what came into `done/` before this moment: all of it is on the stream. How many; what failed stays.

    What another replica or a person removes meanwhile is gone, and no fault.
    """
    done, gone = folder / DONE, 0
    if done.is_symlink() or not done.is_dir():
        return 0
    for path in done.iterdir():
        with suppress(FileNotFoundError):
            found = path.lstat()
            if S_ISREG(found.st_mode) and found.st_ctime < before:  # a file's own time is from before it came here
                path.unlink()
                gone += 1
    return gone


def _with(name: str, more: str) -> str:
    return os.fsdecode(os.fsencode(name)[: _LONGEST - len(more)]) + more
