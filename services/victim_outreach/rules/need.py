"""One thing to be done for her: by whom, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schemas import policy as terms
from schemas.outreach import TaskKind, TaskOwner
from services.victim_outreach.domain import Referral, TaskKey
from services.victim_outreach.rules.clocks import due

WRITTEN_INFORMATION = terms.Task(kind=TaskKind.WRITTEN_INFORMATION, owner=TaskOwner.AGENCY, due_within_hours=72)
"""The floor of N.C.G.S. 15A-831: what every victim gets, and within what time, whatever a policy says."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to be done, on account of one referral."""

    referral: Referral
    kind: TaskKind
    about: str
    owner: TaskOwner
    due_at: datetime
    of_incident: bool
    """Else of what he does or is done to him: a release, a delivery."""

    @property
    def key(self) -> TaskKey:
        return (self.referral.case_id, self.kind, self.about)


def about(referral: Referral) -> str:
    """What a task is about that is there on account of an incident."""
    return f"{referral.referral_id}|{referral.opening}"


def need_for(
    referral: Referral,
    rule: terms.Task,
    about: str,
    cause: datetime | None,
    policy: terms.Policy,
    *,
    of_incident: bool = False,
) -> Need:
    assert cause is not None, "what is live was opened, what was released or visited has its time"
    due_at = due(cause, rule, policy)
    if rule.kind is TaskKind.WRITTEN_INFORMATION:
        due_at = min(due_at, cause + WRITTEN_INFORMATION.within)
    # Where he is a sworn officer or the like, his own agency's people are not to hold her tasks.
    elsewhere = referral.conflict_of_interest and rule.owner is TaskOwner.AGENCY
    owner = TaskOwner.SYSTEM_ADVOCATE if elsewhere else rule.owner
    return Need(referral, rule.kind, about, owner, due_at, of_incident)
