"""All that is kept of one offender: his victims' referrals, their tasks, and the gates that wait for them.

A *case* is one victim of one offender (`DOMAIN.md` 6.1): her referrals, tasks and attempts, over all incidents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from schemas.outreach import TaskOwner, TaskState
from services.victim_outreach.domain.advocacy import Case, Consent, Link, Message, Profile, Screen, ToldProfile
from services.victim_outreach.domain.deliveries import Delivery
from services.victim_outreach.domain.identity import case_id, case_of_victim, linked
from services.victim_outreach.domain.records import (
    AnnulledAttempt,
    Attempt,
    Custody,
    Gate,
    Hold,
    Override,
    Referral,
    Release,
    Task,
    ToldAttempt,
    Victim,
)

T = TypeVar("T")


@dataclass(frozen=True)  # no slots: the views below are made once, when first asked for
class CaseFile:
    """All that is kept of one offender; a new one is made for each change, no mapping is ever altered."""

    offender_id: str
    referrals: Mapping[str, Referral] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    attempts: Mapping[tuple[str, int], Attempt] = field(default_factory=dict)
    annulled_attempts: Mapping[tuple[str, int], AnnulledAttempt] = field(default_factory=dict)
    gates: Mapping[str, Gate] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    overrides: Mapping[tuple[str, str], Override] = field(default_factory=dict)
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)
    victims: Mapping[int, Victim] = field(default_factory=dict)
    cases: Mapping[str, Case] = field(default_factory=dict)
    profiles: Mapping[tuple[str, TaskOwner], Profile] = field(default_factory=dict)
    screens: Mapping[tuple[str, int], Screen] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    links: Mapping[tuple[str, str], Link] = field(default_factory=dict)
    messages: Mapping[str, Message] = field(default_factory=dict)
    told_profiles: Mapping[tuple[str, str, TaskOwner], ToldProfile] = field(default_factory=dict)
    """What she said to people who reached her on account of another offender; by case there, id and owner."""
    told_attempts: Mapping[tuple[str, int], ToldAttempt] = field(default_factory=dict)
    """Tries there that found somebody else."""
    custody: Custody | None = None
    release: Release | None = None
    wake_at: datetime | None = None
    """When the clock next has work here; None = never, as things stand."""

    @property
    def in_custody(self) -> bool:
        return self.custody is not None and self.custody.held

    @property
    def on_hold(self) -> bool:
        return any(hold.ended_at is None for hold in self.holds.values())

    @cached_property
    def live_referrals(self) -> Sequence[Referral]:
        """In the order they were opened."""
        return sorted((found for found in self.referrals.values() if found.live), key=lambda found: found.place)

    @cached_property
    def waited_for(self) -> Mapping[str, Sequence[Referral]]:
        """By pair, the victims for whom a notice waits."""
        return _grouped((found for found in self.live_referrals if found.gated), lambda found: found.pair_id)

    @cached_property
    def killed(self) -> frozenset[str]:
        """Cases of women who were killed."""
        return frozenset(found.case_id for found in self.live_referrals if found.homicide)

    @cached_property
    def attempts_by_case(self) -> Mapping[str, Sequence[Attempt]]:
        """By the case she has now: a try taken over from another record of his stays under the id it came with."""
        return _grouped(self.attempts.values(), lambda attempt: self.shared_case(attempt.case_id))

    @cached_property
    def handled_by_case(self) -> Mapping[str, Sequence[Task]]:
        """By case, the tasks a person has taken or completed."""
        handled = (task for task in self.tasks.values() if task.claimed_at or task.state is TaskState.COMPLETED)
        return _grouped(handled, lambda task: task.case_id)

    def is_closed(self, case_id: str) -> bool:
        case = self.cases.get(case_id)
        return case is not None and case.closed_at is not None

    def profiles_of(self, case_id: str) -> list[Profile]:
        """Every profile of the woman of a case, those recorded under another of her ids or with another man included."""
        hers = self.own_cases(case_id)
        return [one for one in (*self.profiles.values(), *self.told_profiles.values()) if one.case_id in hers]

    def tries_of(self, case_id: str) -> Sequence[Attempt]:
        """What tells whether a way to her is hers. A gate goes by `attempts_by_case`: what was done on his account."""
        hers = self.own_cases(case_id)
        told = (one for one in self.told_attempts.values() if one.case_id in hers)
        return (*self.attempts_by_case.get(case_id, ()), *self._tries_before.get(case_id, ()), *told)

    def case_before(self, referral: Referral) -> str | None:
        """Her case before she was named, or said to be his partner. None: it is hers still, or was thought another woman's."""
        before = case_id(self.offender_id, referral.referral_id, None, referral.purpose)
        if referral.victim_id is None or referral.case_id == before:
            return None
        meant = {task.victim_id for task in self.tasks.values() if task.case_id == before}
        return before if meant <= {None, referral.victim_id} else None

    @cached_property
    def _tries_before(self) -> Mapping[str, Sequence[Attempt]]:
        """By the case she has now, those from before she was named, or said to be his partner."""
        if self.attempts_by_case.keys() <= {one.case_id for one in self.live_referrals}:
            return {}
        tries: dict[str, list[Attempt]] = defaultdict(list)
        for one in self.live_referrals:
            tries[one.case_id] += self.attempts_by_case.get(self.case_before(one) or "", ())
        return tries

    def own_cases(self, case_id: str) -> frozenset[str]:
        """The cases that would be hers without links, and this one."""
        return self._own_cases.get(case_id, frozenset({case_id}))

    def shared_case(self, case_id: str) -> str:
        """The case that what is kept under one of her ids belongs to."""
        return next((shared for shared, group in self._own_cases.items() if case_id in group), case_id)

    @cached_property
    def _own_cases(self) -> Mapping[str, frozenset[str]]:
        groups = {victim for pair in self.links for victim in pair}
        return {
            case_of_victim(self.offender_id, min(group)): frozenset(
                case_of_victim(self.offender_id, each) for each in group
            )
            for group in {linked(victim, self.links.values()) for victim in groups}
        }

    def unfinished_tasks(self) -> list[Task]:
        """In a fixed order."""
        return sorted((task for task in self.tasks.values() if task.unfinished), key=_age)


def _grouped(entries: Iterable[T], key: Callable[[T], str]) -> Mapping[str, Sequence[T]]:
    groups: dict[str, list[T]] = defaultdict(list)
    for entry in entries:
        groups[key(entry)].append(entry)
    return dict(groups)


def _age(task: Task) -> tuple[datetime, str]:
    return task.opened_at, task.task_id
