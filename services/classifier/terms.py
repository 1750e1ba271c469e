"""The policies a replica has at hand: the one of its file, and those that came into force in the log."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from schemas.commands import ActivatePolicy
from schemas.envelope import read
from schemas.policy import Policy
from schemas.rejects import InvalidRecord
from services.classifier.domain import Fire, Seal
from services.classifier.rules import rulebook


@dataclass(frozen=True, slots=True)
class Terms:
    """What decisions are made under."""

    policy: Policy
    fire: Fire
    seal: Seal


class Policies:
    """By digest. What is once known stays: which of them holds, the lane's own row says."""

    def __init__(self, filed: Policy, seal: Seal) -> None:
        self.filed = filed.digest
        """Of the file this replica was started with; holds only where nothing else has come into force."""
        self._seal = seal
        self._terms: dict[str, Terms] = {}
        self.add(filed)

    def add(self, policy: Policy) -> Terms:
        if policy.digest not in self._terms:
            self._terms[policy.digest] = Terms(policy, rulebook(policy), self._seal)
        return self._terms[policy.digest]

    def of(self, digest: str | None) -> Terms:
        """Raises `KeyError` for one that was never in force here. None: of the file."""
        return self._terms[digest or self.filed]

    def __contains__(self, digest: object) -> bool:
        return digest in self._terms


class OnePolicy(Policies):
    """Under which everybody is read, whatever he was decided under: for those who only look."""

    def of(self, digest: str | None) -> Terms:
        return super().of(None)


def policy_of(command: ActivatePolicy) -> Policy | None:
    """What it brings into force; None where it is not what it says: then nothing changes."""
    try:
        policy = read(Policy, orjson.dumps(command.policy))
    except InvalidRecord:
        return None
    return policy if policy.digest == command.digest else None
