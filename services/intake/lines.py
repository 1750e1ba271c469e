"""Files as numbered lines: plain or gzip, whatever the name says, in bounded memory."""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from services.intake.domain import InputError

KEPT: Final = 1_536 * 1024
"""Bytes of one line that are kept for its dead letter: above any honest line, below the reject topic's 2 MiB."""
_GZIP: Final = b"\x1f\x8b"
_STAYS: Final = (FileNotFoundError, PermissionError, IsADirectoryError)

Stamp = tuple[int, ...]
"""By which it is known whether a name still stands for the same file, and that unchanged."""


class UnreadError(InputError):
    """Reading failed, and nothing is known to be wrong with the file: read it again from its start."""


def stamp_of(found: os.stat_result) -> Stamp:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. `size` is its whole length in bytes; `raw` holds the first `KEPT` of them."""

    number: int
    raw: bytes = field(repr=False)
    size: int

    @property
    def is_blank(self) -> bool:
        """Nothing but blanks, or the end-of-file mark of old systems."""
        return not self.raw.strip(b" \t\r\n\x1a")


class Source:
    """A file that can be read from its start as often as needed.

    `read` bytes of `size` are read, over all times it was. Each time it must be the file that it was at first: what is counted
    in one does not hold for another.
    """

    def __init__(self, path: Path) -> None:
        """Raises `InputError` if there is no such file, or it cannot be read."""
        self.path = path
        self.name = path.name.encode("utf-8", "replace").decode()  # it goes where only UTF-8 can
        self.read = 0
        try:
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
        except OSError as failed:
            raise self._failed(failed) from None
        self.size = found.st_size
        self.modified = found.st_mtime
        """Seconds since 1970."""
        self._stamp = stamp_of(found)

    def chunks(self, size: int = 64 * 1024) -> Iterator[bytes]:
        """The file unpacked, some bytes at a time. Raises `InputError` where reading breaks off."""
        before = self.read
        try:
            with self._opened() as (file, unpacked):
                while chunk := unpacked.read(size):
                    self.read = before + file.tell()
                    yield chunk
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise InputError(f"{self.path}: the gzip data is damaged or breaks off") from None
        except OSError as failed:
            raise self._failed(failed) from None

    def lines(self) -> Iterator[Line]:
        """Raises `InputError` where reading breaks off."""
        number, before = 0, self.read
        try:
            with self._opened() as (file, unpacked):
                while first := unpacked.readline(KEPT):
                    number += 1
                    rest = _skip(unpacked) if len(first) == KEPT and not first.endswith(b"\n") else 0
                    self.read = before + file.tell()
                    raw = first.rstrip(b"\r\n")
                    yield Line(number, raw, len(raw) + rest)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise InputError(f"{self.path}: the gzip data is damaged or breaks off after line {number}") from None
        except OSError as failed:
            raise self._failed(failed, f" after line {number}") from None

    @contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """The file, and its content unpacked."""
        with self.path.open("rb") as file:
            found = os.fstat(file.fileno())
            if stat.S_ISREG(found.st_mode) and stamp_of(found) != self._stamp:
                raise UnreadError(f"{self.path}: another file came in its place while it was read; ingest it again")
            with _unpacked(file) as unpacked:
                yield file, unpacked

    def _failed(self, failed: OSError, where: str = "") -> InputError:
        kind = InputError if isinstance(failed, _STAYS) else UnreadError
        return kind(f"{self.path}: {failed.strerror or 'cannot be read'}{where}")


def _unpacked(file: BinaryIO) -> BinaryIO:
    packed = file.read(len(_GZIP)) == _GZIP
    file.seek(0)
    return io.BufferedReader(gzip.GzipFile(fileobj=file)) if packed else file


def _skip(file: BinaryIO) -> int:
    """Pass over the rest of a line. Returns how many bytes that was."""
    skipped = 0
    while rest := file.readline(KEPT):
        skipped += len(rest.rstrip(b"\r\n"))
        if rest.endswith(b"\n"):
            break
    return skipped
