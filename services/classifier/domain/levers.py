"""Charges that put nobody on a list, and that a prosecutor may use against someone who is on A or B."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas.classification import Tier
from schemas.incident import Disposition
from schemas.policy import Policy
from services.classifier.domain.finding import Finding, is_intimate, is_minor, may_be_against
from services.classifier.domain.offender import Offender

PULLED_ON = frozenset({Tier.A, Tier.B})
"""Seed: "pulling levers" on the most dangerous; for C and D nothing is gathered."""


@dataclass(frozen=True, slots=True)
class Lever:
    """One charge. It says nothing of whom it was for."""

    incident_id: str
    agency: str
    occurred_at: datetime
    offense: str
    statute: str | None
    disposition: Disposition


def levers(offender: Offender, policy: Policy) -> tuple[Lever, ...]:
    """His charges that are not for what he did to a partner, in walk order; nothing unless he is on A or B.

    They stand as long as their disposition counts under the policy. What he did under age is none (N.C.G.S. 7B-3001). Derived
    from the history whenever asked for: never counted, never in a decision, on no topic.
    """
    if offender.tier not in PULLED_ON:
        return ()
    found = sorted(offender.assessment.findings.values(), key=lambda each: each.place)
    return tuple(lever for finding in found for lever in _of(finding, policy))


def _of(finding: Finding, policy: Policy) -> Iterator[Lever]:
    report = finding.report
    if is_minor(report, policy):
        return
    partners = [victim for victim in report.victims if is_intimate(victim, policy)]
    for offense, disposition in zip(report.offenses, finding.dispositions, strict=True):
        stands = offense.charged and disposition in policy.charges.dispositions
        if stands and not any(may_be_against(victim, offense) for victim in partners):
            yield Lever(
                finding.incident_id, report.agency, report.occurred_at, offense.code, offense.statute, disposition
            )
