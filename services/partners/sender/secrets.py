"""A partner's webhook secrets: a file of its own, one a line, the new one first; both while they are being changed."""

from __future__ import annotations

import base64
import binascii
import stat
from pathlib import Path

from services.common.errors import ConfigurationError

LEAST, MOST = 24, 64
"""Bytes of a secret (Standard Webhooks)."""
_TOO_OPEN = stat.S_IWGRP | stat.S_IRWXO


class SecretsError(ConfigurationError):
    """The secrets cannot be used. The text says what to mend, and nothing that stands in the file."""


def read_secrets(folder: Path | None, partner_id: str) -> list[str]:
    """Of `<folder>/<id>.secrets`. Raises `SecretsError`."""
    if folder is None:
        raise SecretsError("IPVI_PARTNERS_SECRETS names no folder; webhooks are signed with secrets that lie there")
    path = folder / f"{partner_id}.secrets"
    try:
        if path.stat().st_mode & _TOO_OPEN:
            raise SecretsError(f"{path}: may be read by others; chmod 600")
        lines = [line.strip() for line in path.read_text("ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        raise SecretsError(f"{path}: cannot be read; write one secret a line (docs/partners.md)") from None
    if not 1 <= len(lines) <= 2 or not all(map(_is_secret, lines)):
        raise SecretsError(f"{path}: must have one secret or two, each whsec_ and base64 of {LEAST} to {MOST} bytes")
    return lines


def _is_secret(line: str) -> bool:
    try:
        return line.startswith("whsec_") and LEAST <= len(base64.b64decode(line[6:], validate=True)) <= MOST
    except binascii.Error:
        return False
