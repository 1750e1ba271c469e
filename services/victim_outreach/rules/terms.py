"""The policy in force in the lane, and those under which what is open was opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.policy import Policy


@dataclass(frozen=True, slots=True)
class Terms:
    """What the use cases decide under."""

    now: Policy
    """In force."""
    earlier: Callable[[str], Policy]
    """By digest, any that was in force in some lane."""

    def then(self, digest: str | None) -> Policy:
        """That under which something was opened; None: the one in force."""
        return self.now if digest is None or digest == self.now.digest else self.earlier(digest)
