"""The classifier's API: what coordinators work on, and what patrol and dispatch look up."""

from __future__ import annotations

from fastapi import APIRouter

from services.classifier.api import lookups, work
from services.classifier.settings import ClassifierSettings
from services.common.api import Reader
from services.common.desk import Desk
from services.common.settings import settings_or_error

__all__ = ["router"]


def router(desk: Desk, read: Reader) -> APIRouter:
    """Routes of the classifier's API. `read` opens a connection to its database."""
    settings = settings_or_error(ClassifierSettings)
    limits = lookups.Limits(settings.lookups_per_minute, settings.lookups_per_day)
    api = work.router(desk, read, settings.backup_days)
    api.routes += lookups.router(read, limits).routes  # of other roles, so not under the other router's dependencies
    return api
