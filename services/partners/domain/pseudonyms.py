"""A partner's own ids: the same thing has the same id there, another at every other partner, and nobody can tell which."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

LENGTH = 32
"""Hexadecimal digits: 128 bits."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """HMAC-SHA256 under a key that is derived for one partner."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, key: bytes, partner_id: str) -> Pseudonyms:
        """`key` is the county's, from which each partner's follows."""
        return cls(hmac.new(key, f"partner|{partner_id}".encode(), hashlib.sha256).digest())

    def of_kind(self, kind: str, value: str) -> str:
        """The pseudonym of a thing. `kind` keeps apart what happens to have the same id."""
        return hmac.new(self.key, f"{kind}|{value}".encode(), hashlib.sha256).hexdigest()[:LENGTH]
