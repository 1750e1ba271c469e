"""Why somebody is on his list, step by step: what was counted, what was not and why, which rows fired and which nearly did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.classification import PolicyRef, Tier
from schemas.criteria import Fact, Rule
from schemas.incident import Disposition, Offense
from schemas.policy import Policy
from services.classifier.domain.examination import near
from services.classifier.domain.finding import Finding, is_intimate, is_minor, may_be_against
from services.classifier.domain.ladder import Fire, Step, climb
from services.classifier.domain.levers import Lever, levers
from services.classifier.domain.offender import Offender


@dataclass(frozen=True, slots=True)
class Charged:
    """An offence of an incident, and why it is no charge here; None: it is one."""

    offense: Offense
    disposition: Disposition
    uncounted: str | None


@dataclass(frozen=True, slots=True)
class Explained:
    """One incident on the walk."""

    step: Step
    charged: tuple[Charged, ...]
    uncounted: str | None
    """Why it counts for nothing; None: it counts."""
    no_charge: str | None
    """Why an incident with a charge adds none; None: it has none, or it adds one."""
    nearly: tuple[tuple[Rule, Fact], ...]
    """Rows to a higher list than he has after it, and the one line that missed."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole way to a tier. Nothing of any victim is in it, nor anything of what was expunged."""

    offender_id: str
    policy: PolicyRef
    tier: Tier | None
    steps: tuple[Explained, ...]
    taken_back: tuple[str, ...]
    """Incidents their agency has taken back."""
    decisive: Explained | None
    """The latest step that led to his list."""
    levers: tuple[Lever, ...]


def explain(offender: Offender, policy: Policy, fire: Fire) -> Explanation:
    """Of an offender as he stands under this policy. Pure."""
    steps = [_explained(step, policy) for step in climb(offender.assessment.findings.values(), policy, fire)]
    tier = steps[-1].step.tier if steps else None
    leading = [each for each in steps if tier is not None and each.step.reached is tier]
    gone = [each for each in offender.history.strands if each not in offender.assessment.findings]
    return Explanation(
        offender_id=offender.offender_id,
        policy=policy.ref,
        tier=tier,
        steps=tuple(steps),
        taken_back=tuple(sorted(gone)),
        decisive=leading[-1] if leading else None,
        levers=levers(offender, policy),
    )


def _explained(step: Step, policy: Policy) -> Explained:
    finding = step.finding
    nearly = near(policy, step.facts, step.tier) if step.facts is not None else []
    return Explained(
        step=step,
        charged=tuple(_charged(finding, policy)),
        uncounted=_uncounted(finding, policy),
        no_charge=_no_charge(step, policy),
        nearly=tuple(nearly),
    )


def _uncounted(finding: Finding, policy: Policy) -> str | None:
    if not finding.qualifies:
        return "no partner is known in it"
    if finding.mutual:
        return "both were arrested; a person names the predominant aggressor first"
    if is_minor(finding.report, policy):
        return f"he was under {policy.adult_age}"
    return None


def _no_charge(step: Step, policy: Policy) -> str | None:
    if step.facts is None or step.facts.charged_here:
        return None
    if step.repeated:
        return "its arrest is counted with an incident before it"
    if any(each.uncounted is None for each in _charged(step.finding, policy)):
        return f"the policy counts by {policy.charges.unit}, and there is none"
    return None


def _charged(finding: Finding, policy: Policy) -> Iterator[Charged]:
    partners = [victim for victim in finding.report.victims if is_intimate(victim, policy)]
    for offense, disposition in zip(finding.report.offenses, finding.dispositions, strict=True):
        if not offense.charged:
            continue
        why = None
        if disposition not in policy.charges.dispositions:
            why = f"{disposition} is as if not charged"
        elif finding.qualifies and not any(may_be_against(victim, offense) for victim in partners):
            why = "not for what he did to a partner"
        yield Charged(offense, disposition, why)
