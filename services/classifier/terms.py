"""What decisions are made under, and the policies a replica has at hand."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.policy import Policy
from services.classifier.domain import Fire, Seal
from services.classifier.rules import rulebook
from services.common.policies import Policies


@dataclass(frozen=True, slots=True)
class Terms:
    """What decisions are made under."""

    policy: Policy
    fire: Fire
    seal: Seal


def terms_of(filed: Policy, seal: Seal) -> Policies[Terms]:
    """By digest; at first those of the file."""
    return Policies(filed, lambda policy: Terms(policy, rulebook(policy), seal))


class OnePolicy(Policies[Terms]):
    """Under which everybody is read, whatever he was decided under: for those who only look."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy, lambda each: Terms(each, rulebook(each), _unsealed))

    def of(self, digest: str | None) -> Terms:
        return super().of(None)


def _unsealed(each: str) -> str:
    """Nothing is sealed or looked for under its seal here."""
    return each
