"""Who may do what. A task's owner says who holds it, and with that who may see it (`DESIGN.md` 6, Owners)."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.commands import Role
from schemas.outreach import TaskOwner
from services.victim_outreach.domain import Hold, Task

ADVOCATES = frozenset({Role.COMMUNITY_ADVOCATE, Role.ADVOCATE, Role.OUTREACH_SUPERVISOR})
"""Who works with her: asks her what is safe, screens, takes her consent, sends her a message."""
TAKES: Mapping[TaskOwner, frozenset[Role]] = {
    TaskOwner.AGENCY: frozenset({Role.OFFICER, Role.COORDINATOR, Role.OUTREACH_SUPERVISOR}),
    TaskOwner.SYSTEM_ADVOCATE: frozenset({Role.ADVOCATE, Role.OUTREACH_SUPERVISOR}),
    TaskOwner.COMMUNITY_ADVOCATE: frozenset({Role.COMMUNITY_ADVOCATE, Role.OUTREACH_SUPERVISOR}),
}
"""Who may take a task and work on it."""
SEES: Mapping[Role, frozenset[TaskOwner]] = {
    Role.OFFICER: frozenset({TaskOwner.AGENCY}),
    Role.COORDINATOR: frozenset({TaskOwner.AGENCY}),
    Role.ADVOCATE: frozenset({TaskOwner.AGENCY, TaskOwner.SYSTEM_ADVOCATE}),
    Role.COMMUNITY_ADVOCATE: frozenset(TaskOwner),
    Role.OUTREACH_SUPERVISOR: frozenset(TaskOwner),
}
"""Whose tasks and records each role may read. What an advocate does is read by no police, and what a community advocate
does by no advocate of police or prosecutor either (34 U.S.C. 12291(b)(2)). The outreach supervisor is the provider's.
"""
READS: Mapping[TaskOwner, frozenset[TaskOwner]] = {
    TaskOwner.AGENCY: SEES[Role.OFFICER],
    TaskOwner.SYSTEM_ADVOCATE: SEES[Role.ADVOCATE],
    TaskOwner.COMMUNITY_ADVOCATE: SEES[Role.COMMUNITY_ADVOCATE],
}
"""Whose tasks and records everybody may read who may hold a task of an owner."""
KEEPS: Mapping[Role, TaskOwner] = {
    Role.OFFICER: TaskOwner.AGENCY,
    Role.COORDINATOR: TaskOwner.AGENCY,
    Role.ADVOCATE: TaskOwner.SYSTEM_ADVOCATE,
    Role.COMMUNITY_ADVOCATE: TaskOwner.COMMUNITY_ADVOCATE,
    Role.OUTREACH_SUPERVISOR: TaskOwner.COMMUNITY_ADVOCATE,
}
"""Whose record it is that a role makes: the supervisor's is kept as the most confidential."""
HOLDERS = frozenset({Role.COORDINATOR, *ADVOCATES})
"""Who may place a safety hold."""
OVERRIDERS = frozenset({Role.COORDINATOR, Role.OUTREACH_SUPERVISOR})
"""Who may be one of the two that open a gate without the outreach done."""
LINKERS = ADVOCATES
"""Who may say that two records are one woman."""


def supervises(role: Role) -> bool:
    """Whether this role may act on a task that another person claimed."""
    return role is Role.OUTREACH_SUPERVISOR


def may_take(task: Task, role: Role) -> bool:
    return role in TAKES[task.owner]


def may_lift(hold: Hold, by: str, role: Role) -> bool:
    """Who placed it knows why; anyone else needs to be the outreach supervisor."""
    return role in HOLDERS and (hold.by == by or supervises(role))
