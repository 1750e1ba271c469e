"""Keyed hashes, by which an id that may no longer be kept is known again when it comes late."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import structlog

from services.common.errors import ConfigurationError

Seal = Callable[[str], str]
"""An id to its keyed hash."""

log = structlog.get_logger(__name__)

KEY_FILE = "seal.key"


NOBODYS = "\n"
"""No id: what a key makes of it is a mark of the key."""


def sealer(key: bytes) -> Seal:
    """HMAC-SHA256."""

    def seal(each: str) -> str:
        return hmac.new(key, each.encode(), hashlib.sha256).hexdigest()

    return seal


def kept_key(home: Path, name: str = KEY_FILE, setting: str = "IPVI_SEAL_KEY") -> bytes:
    """The key kept under `home`, made when first asked for. Raises `ConfigurationError` where it cannot be kept.

    `setting`: what gives it instead.
    """
    path = home / name
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path, setting)
        return path.read_bytes()
    except OSError as failed:
        raise ConfigurationError(f"{path}: {failed.strerror}; set {setting} or mend it") from None


def _make(path: Path, setting: str) -> None:
    """Whole or not at all, so that two processes that start at once have one key."""
    if path.exists():
        return
    part = path.with_name(f"{path.name}.{os.getpid()}")
    part.touch(mode=0o600)
    part.write_text(secrets.token_hex(32))
    try:
        os.link(part, path)
        log.warning("seal.key_made", hint=f"keep it with the database's backups, or set {setting}")
    except FileExistsError:
        pass
    finally:
        part.unlink()
