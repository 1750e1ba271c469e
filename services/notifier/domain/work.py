"""What else is done about him: referrals to the prosecutor, and help that he asks for. Pure; times are record times in UTC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from schemas.enforcement import EnforcementOutcome, EnforcementState, Lever
from schemas.help import HelpKind, HelpOutcome, HelpState
from services.common.versions import version_of


@dataclass(frozen=True, slots=True)
class Deadline:
    """When it was to be done, when somebody is called next, how often somebody was."""

    first: datetime
    at: datetime
    escalation: int = 0


@dataclass(frozen=True, slots=True)
class Enforcement:
    """One incident before the prosecutor."""

    enforcement_id: str
    pair_id: str
    since: datetime
    """When it came into the state it is in."""
    referred_at: datetime
    statutes: tuple[str, ...] = ()
    levers: tuple[Lever, ...] = ()
    """Those the policy named; once closed, those that were used."""
    state: EnforcementState = EnforcementState.REFERRED
    taken_by: str | None = None
    outcome: EnforcementOutcome | None = None
    due: Deadline | None = None
    policy: str | None = None
    """Digest of the policy whose clocks run for it: in force when it came."""

    @property
    def version(self) -> str:
        """What an act on it is measured against."""
        return version_of(replace(self, due=None))

    @property
    def over(self) -> bool:
        return self.state in (EnforcementState.CLOSED, EnforcementState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Help:
    """One thing he asked help with."""

    help_id: str
    notification_id: str
    kind: HelpKind
    since: datetime
    asked_at: datetime
    state: HelpState = HelpState.ASKED
    provider: str | None = None
    outcome: HelpOutcome | None = None
    due: Deadline | None = None
    policy: str | None = None
    """Digest of the policy whose clocks run for it: in force when it came."""

    @property
    def version(self) -> str:
        """What an act on it is measured against."""
        return version_of(replace(self, due=None))

    @property
    def over(self) -> bool:
        return self.state is HelpState.CLOSED
