"""Who may do what. A task's owner says who holds it, and with that who may see it (`DESIGN.md` 6, Owners)."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.commands import Role
from schemas.outreach import TaskOwner
from services.victim_outreach.domain import Hold, Task

TAKES: Mapping[TaskOwner, frozenset[Role]] = {
    TaskOwner.AGENCY: frozenset({Role.OFFICER, Role.COORDINATOR, Role.OUTREACH_SUPERVISOR}),
    TaskOwner.SYSTEM_ADVOCATE: frozenset({Role.ADVOCATE, Role.OUTREACH_SUPERVISOR}),
    TaskOwner.COMMUNITY_ADVOCATE: frozenset({Role.ADVOCATE, Role.OUTREACH_SUPERVISOR}),
}
"""Who may take a task and work on it."""
SEES: Mapping[Role, frozenset[TaskOwner]] = {
    Role.OFFICER: frozenset({TaskOwner.AGENCY}),
    Role.COORDINATOR: frozenset({TaskOwner.AGENCY}),
    Role.ADVOCATE: frozenset(TaskOwner),
    Role.OUTREACH_SUPERVISOR: frozenset(TaskOwner),
}
"""Whose tasks each role may read. Police never read what an advocate does (34 U.S.C. 12291(b)(2))."""
HOLDERS = frozenset({Role.COORDINATOR, Role.ADVOCATE, Role.OUTREACH_SUPERVISOR})
"""Who may place a safety hold."""
OVERRIDERS = frozenset({Role.COORDINATOR, Role.OUTREACH_SUPERVISOR})
"""Who may be one of the two that open a gate without the outreach done."""


def supervises(role: Role) -> bool:
    """Whether this role may act on a task that another person claimed."""
    return role is Role.OUTREACH_SUPERVISOR


def may_take(task: Task, role: Role) -> bool:
    return role in TAKES[task.owner]


def may_lift(hold: Hold, by: str, role: Role) -> bool:
    """Who placed it knows why; anyone else needs to be the outreach supervisor."""
    return role in HOLDERS and (hold.by == by or supervises(role))
